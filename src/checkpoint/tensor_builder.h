// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include "pickle/builder.h"
#include "tensor/dtype.h"
#include "tensor/layout.h"

namespace ptsd::checkpoint {

// Adds tensors to a graph as torch.save pickles them (torch/_tensor.py, _reduce_ex_internal;
// torch/serialization.py, persistent_id), with the sharing of strings that CPython finds there.
class TensorBuilder {
 public:
  // Borrows the builder.
  explicit TensorBuilder(pickle::Builder& builder) : builder_(builder) {}

  // A persistent id; `count` in elements. A dtype without a storage class has an UntypedStorage.
  pickle::NodeId storage(tensor::DType dtype, std::string_view key, std::uint64_t count,
                         std::string_view location = "cpu");
  // An UntypedStorage; `size` in bytes.
  pickle::NodeId untyped_storage(std::string_view key, std::uint64_t size,
                                 std::string_view location = "cpu");
  // A view of a storage that storage() made for the dtype. Offset and strides in elements.
  pickle::NodeId view(pickle::NodeId storage, tensor::DType dtype, std::uint64_t offset,
                      tensor::Dims shape, tensor::Dims stride, bool requires_grad = false);
  // A state dict as torch.nn.Module.state_dict() has it: an empty OrderedDict.
  pickle::NodeId ordered_dict();

 private:
  pickle::NodeId persistent(pickle::NodeId cls, std::string_view key, std::uint64_t count,
                            std::string_view location);
  // One node for all storages that lie there.
  pickle::NodeId location(std::string_view name);
  pickle::NodeId dims(tensor::Dims values);
  // Looked up once: there is one for each of a million tensors.
  pickle::NodeId global(std::optional<pickle::NodeId>& known, pickle::GlobalName name);

  pickle::Builder& builder_;
  std::optional<pickle::NodeId> type_ = {};  // "storage"
  std::map<std::string_view, pickle::NodeId> locations_ = {};
  std::optional<pickle::NodeId> ordered_dict_ = {};  // the class
  std::optional<pickle::NodeId> rebuild_v2_ = {};
  std::optional<pickle::NodeId> rebuild_v3_ = {};
};

}  // namespace ptsd::checkpoint
