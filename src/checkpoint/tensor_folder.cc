// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/tensor_folder.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/quote.h"
#include "checkpoint/storage_folder.h"
#include "tensor/layout.h"

namespace ptsd::checkpoint {

using pickle::Kind;
using pickle::NodeId;

void TensorFolder::fold(NodeId node) {
  depth_ = 0;
  fold_inner(node);
}

std::optional<TensorId> TensorFolder::fold_inner(NodeId node) {
  if (const auto known = tensors_.tensor_of(node)) {
    if (depth_ > 0) tensors_.tensors_[index(*known)].inner = true;
    return known;
  }
  if (!pickle::kObjects.contains(context_.graph().kind(node))) return std::nullopt;
  if (++depth_ > kDeepest) {
    context_.fail(fmt::format("tensors nested deeper than {}", kDeepest), Error::Kind::Limit);
  }
  Result tensor = build(node);
  --depth_;
  if (!tensor) return std::nullopt;
  tensor->node = node;
  tensor->inner = depth_ > 0;
  const TensorId id{static_cast<std::uint32_t>(tensors_.tensors_.size())};
  tensors_.tensors_.push_back(*tensor);
  tensors_.numbers_[pickle::index(node)] = static_cast<std::uint32_t>(id) + 1;
  return id;
}

TensorFolder::Result TensorFolder::build(NodeId node) {
  const KnownGlobal maker = context_.names().maker(node);
  if (maker.what == Known::Unknown) return std::nullopt;
  if (depth_ == 1) context_.begin(node);
  if (maker.what == Known::Parameter || maker.what == Known::Variable) return old_parameter(node);
  if (maker.what == Known::TypedTensor) return old_tensor(node, maker.dtype);
  if (find_form(maker.what) == nullptr) return std::nullopt;
  refuse_changes(node);
  return call(maker, context_.graph().items(context_.graph().args(node)));
}

// A rebuilt tensor is complete. torch would let a later BUILD replace its storage.
void TensorFolder::refuse_changes(NodeId node) {
  for (const pickle::Mutation& mutation : context_.graph().mutations(node)) {
    context_.fail(mutation.change == pickle::Change::Build
                      ? "BUILD on a tensor that is complete"
                      : "items are set on a tensor as if it were a container");
  }
}

std::optional<NodeId> TensorFolder::state_of(NodeId node) {
  std::optional<NodeId> state;
  for (const pickle::Mutation& mutation : context_.graph().mutations(node)) {
    if (mutation.change != pickle::Change::Build) refuse_changes(node);
    state = mutation.operands[0];
  }
  return state;
}

// What the forms share.

Tensor TensorFolder::strided(NodeSpan args, std::optional<tensor::DType> dtype) {
  const std::optional<StorageId> id = tensors_.storage_of(args[0]);
  if (!id) {
    const bool embedded = context_.names().maker(args[0]).what == Known::LoadFromBytes;
    context_.fail(embedded
                      ? "the storage is a torch.save stream inside the pickle: not supported yet"
                      : "storage is " + context_.describe(args[0]) + ", expected a persistent id",
                  embedded ? Error::Kind::Unsupported : Error::Kind::Malformed);
  }
  const Storage& storage = tensors_[*id];
  Tensor tensor = {.storage = *id, .dtype = dtype.value_or(storage.dtype)};
  tensor.offset = context_.count(args[1], "storage offset");
  set_geometry(tensor, args[2], args[3]);
  check_extent(tensor, storage);
  return tensor;
}

void TensorFolder::set_geometry(Tensor& tensor, NodeId size, NodeId stride) {
  tensor.shape = tensors_.dims_.intern(context_.dims(size, "size"));
  tensor.stride = tensors_.dims_.intern(context_.dims(stride, "stride"));
  const tensor::Dims shape = tensors_.shape(tensor);
  if (shape.size() != tensors_.stride(tensor).size()) {
    context_.fail(
        fmt::format("{} sizes and {} strides", shape.size(), tensors_.stride(tensor).size()));
  }
  check_size(tensor);
}

// Of a packed dtype there can be too many elements where there are not too many bytes.
void TensorFolder::check_size(const Tensor& tensor) {
  const tensor::Dims shape = tensors_.shape(tensor);
  const bool bytes_fit = tensor::byte_count(shape, tensor.dtype).has_value();
  if (bytes_fit && tensor::element_count(shape)) return;
  context_.fail(fmt::format("size [{}] of {} is more than 2^64 {}", fmt::join(shape, ", "),
                            tensor::name(tensor.dtype), bytes_fit ? "elements" : "bytes"));
}

void TensorFolder::check_extent(const Tensor& tensor, const Storage& storage) {
  const tensor::DTypeInfo& type = tensor::info(tensor.dtype);
  const tensor::Dims shape = tensors_.shape(tensor);
  const std::uint64_t available = storage.count * storage.item_size() / type.item_size;
  // Strides of packed dtypes count elements, storages bytes of several.
  const std::optional<std::uint64_t> needed =
      type.elements_per_item == 1
          ? tensor::end_element(tensor.offset, shape, tensors_.stride(tensor))
          : tensor::byte_count(shape, tensor.dtype);
  if (needed && *needed <= available) return;
  context_.fail(fmt::format(
      "needs {} elements of storage {}, which has {} (offset {}, size [{}], stride [{}])",
      needed ? fmt::format("{}", *needed) : "more than 2^64",
      quote(context_.graph().text(storage.key)), available, tensor.offset, fmt::join(shape, ", "),
      fmt::join(tensors_.stride(tensor), ", ")));
}

// {'conj': True, 'neg': True}, either or both.
void TensorFolder::set_bits(Tensor& tensor, NodeId metadata) {
  if (context_.graph().kind(metadata) == Kind::None) return;
  if (context_.graph().kind(metadata) != Kind::Dict) {
    context_.fail(
        fmt::format("tensor metadata is {}, expected a dict", context_.describe(metadata)));
  }
  const std::vector<NodeId> pairs = entries(metadata, "tensor metadata");
  for (std::size_t i = 0; i < pairs.size(); i += 2) {
    const std::string_view key = context_.text(pairs[i], "tensor metadata key");
    if (key != "conj" && key != "neg") {
      context_.fail(fmt::format("tensor metadata {} is unknown", quote(key)),
                    Error::Kind::Unsupported);
    }
    const bool value = context_.boolean(pairs[i + 1], key);
    if (key == "conj") tensor.conj = value;
    if (key == "neg") tensor.neg = value;
  }
}

std::vector<NodeId> TensorFolder::entries(NodeId dict, std::string_view what) {
  std::vector<NodeId> pairs;
  for (const pickle::Mutation& mutation : context_.graph().mutations(dict)) {
    pairs.insert(pairs.end(), mutation.operands.begin(), mutation.operands.end());
    if (pairs.size() > 2 * kMostEntries) {
      context_.fail(fmt::format("{} of more than {} entries", what, kMostEntries),
                    Error::Kind::Limit);
    }
  }
  return pairs;
}

void TensorFolder::set_state(Tensor& tensor, NodeId state) {
  if (context_.graph().kind(state) != Kind::None) extra(tensor).state = state;
}

TensorExtra& TensorFolder::extra(Tensor& tensor) {
  if (tensor.extra == Tensor::kNoExtra) {
    tensor.extra = static_cast<std::uint32_t>(tensors_.extras_.size());
    tensors_.extras_.emplace_back();
  }
  return tensors_.extras_[tensor.extra];
}

Tensor TensorFolder::derived(const Tensor& inner) {
  Tensor copy = inner;
  if (const TensorExtra* const more = tensors_.extra(inner)) {
    copy.extra = Tensor::kNoExtra;
    extra(copy) = TensorExtra(*more);
  }
  return copy;
}

const Tensor& TensorFolder::demand(NodeId node, std::string_view role) {
  const std::optional<TensorId> id = fold_inner(node);
  if (!id) {
    context_.fail(fmt::format("{} is {}, expected a tensor", role, context_.describe(node)));
  }
  return tensors_[*id];
}

std::optional<TensorId> TensorFolder::component(Tensor& tensor, std::string_view role,
                                                NodeId node) {
  const std::optional<TensorId> id = fold_inner(node);
  if (!id) return std::nullopt;
  const TensorExtra* const inner = tensors_.extra(tensors_[*id]);
  const unsigned depth = inner == nullptr ? 1 : inner->depth + 1;
  if (depth > kDeepestComponent) {
    context_.fail(
        fmt::format("a tensor in a tensor in a tensor: deeper than {}", kDeepestComponent),
        Error::Kind::Limit);
  }
  TensorExtra& more = extra(tensor);
  more.components.push_back({.role = role, .tensor = *id});
  more.depth = std::max(more.depth, depth);
  return id;
}

Tensors fold_tensors(const Names& names, NodeId root, const Where& origin, const Limits& limits,
                     std::vector<Warning>& warnings) {
  const pickle::Graph& graph = names.graph();
  Tensors tensors;
  FoldContext context(names, root, origin, limits, warnings);
  tensors.numbers_.resize(graph.size());
  StorageFolder storages(context, tensors);
  for (std::size_t i = 0; i < graph.size(); ++i) {
    const NodeId node{static_cast<std::uint32_t>(i)};
    if (graph.kind(node) == Kind::PersId) storages.fold(node);
  }
  TensorFolder folder(context, tensors);
  for (std::size_t i = 0; i < graph.size(); ++i) {
    const NodeId node{static_cast<std::uint32_t>(i)};
    if (pickle::kObjects.contains(graph.kind(node))) folder.fold(node);
  }
  return tensors;
}

}  // namespace ptsd::checkpoint
