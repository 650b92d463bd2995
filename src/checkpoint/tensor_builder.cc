// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/tensor_builder.h"

#include <array>
#include <vector>

namespace ptsd::checkpoint {

using pickle::NodeId;
using tensor::DType;

namespace {

bool has_class(DType dtype) {
  return !tensor::info(dtype).storage_class.empty();
}

}  // namespace

NodeId TensorBuilder::storage(DType dtype, std::string_view key, std::uint64_t count,
                              std::string_view location) {
  const tensor::DTypeInfo& info = tensor::info(dtype);
  if (!has_class(dtype)) return untyped_storage(key, count * info.item_size, location);
  return persistent(builder_.global({"torch", info.storage_class}), key, count, location);
}

NodeId TensorBuilder::untyped_storage(std::string_view key, std::uint64_t size,
                                      std::string_view location) {
  return persistent(builder_.global({"torch.storage", "UntypedStorage"}), key, size, location);
}

NodeId TensorBuilder::persistent(NodeId cls, std::string_view key, std::uint64_t count,
                                 std::string_view location) {
  if (!type_) type_ = builder_.str("storage");
  const NodeId place = this->location(location);
  const std::array<NodeId, 5> items = {*type_, cls, builder_.str(key), place,
                                       builder_.integer(static_cast<std::int64_t>(count))};
  return builder_.persistent(builder_.tuple(items));
}

NodeId TensorBuilder::location(std::string_view name) {
  const auto found = locations_.find(name);
  if (found != locations_.end()) return found->second;
  const NodeId node = builder_.str(name);
  locations_.emplace(builder_.graph().text(node), node);
  return node;
}

NodeId TensorBuilder::global(std::optional<NodeId>& known, pickle::GlobalName name) {
  if (!known) known = builder_.global(name);
  return *known;
}

NodeId TensorBuilder::dims(tensor::Dims values) {
  std::vector<NodeId> items;
  items.reserve(values.size());
  for (const std::int64_t value : values) {
    items.push_back(builder_.integer(value));
  }
  return builder_.tuple(items);
}

NodeId TensorBuilder::view(NodeId storage, DType dtype, std::uint64_t offset, tensor::Dims shape,
                           tensor::Dims stride, bool requires_grad) {
  std::vector<NodeId> args = {storage,
                              builder_.integer(static_cast<std::int64_t>(offset)),
                              dims(shape),
                              dims(stride),
                              builder_.boolean(requires_grad),
                              ordered_dict()};
  if (!has_class(dtype)) args.push_back(builder_.global({"torch", tensor::name(dtype)}));
  const NodeId function = has_class(dtype)
                              ? global(rebuild_v2_, {"torch._utils", "_rebuild_tensor_v2"})
                              : global(rebuild_v3_, {"torch._utils", "_rebuild_tensor_v3"});
  return builder_.reduce(function, builder_.tuple(args));
}

NodeId TensorBuilder::ordered_dict() {
  return builder_.reduce(global(ordered_dict_, {"collections", "OrderedDict"}), builder_.tuple({}));
}

}  // namespace ptsd::checkpoint
