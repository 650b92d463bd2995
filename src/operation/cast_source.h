// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "checkpoint/draft.h"
#include "tensor/dtype.h"

namespace ptsd::operation {

struct CastPlan {
  tensor::DType from;
  tensor::DType to;
  std::uint64_t count = 0;  // elements
  bool saturate = false;    // values out of range become the largest there is
  bool allow = false;       // otherwise they are an error, unless they are saturated
  std::string name;         // of the tensor, for the error
};

// A storage of one dtype as one of another, converted block by block as it is read.
class CastDerivation final : public checkpoint::Derivation {
 public:
  explicit CastDerivation(CastPlan plan) : plan_(std::move(plan)) {}

  std::uint64_t size() const override;
  std::unique_ptr<ByteSource> over(std::unique_ptr<ByteSource> storage) const override;

 private:
  CastPlan plan_;
};

}  // namespace ptsd::operation
