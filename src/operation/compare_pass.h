// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>

#include "operation/chunked.h"
#include "operation/tensor_opener.h"
#include "tensor/differences.h"

namespace ptsd::operation {

// What is compared, and how.
struct ComparePlan {
  tensor::DType dtype;  // of both, or what both are converted to
  tensor::CompareRules rules;
  // Once set, what is left is skipped; set at the first difference. Borrowed; null: nobody waits.
  std::atomic<bool>* stop = nullptr;
};

// Compares the elements of two tensors, as many in the one as in the other, and puts what differs
// into `result`, which is borrowed.
std::unique_ptr<Chunked> compare_pass(TensorElements a, TensorElements b, const ComparePlan& plan,
                                      tensor::Differences& result);

}  // namespace ptsd::operation
