// SPDX-License-Identifier: Apache-2.0
#include "operation/nested.h"

#include <algorithm>
#include <span>

#include "operation/components.h"
#include "tensor/layout.h"

namespace ptsd::operation {

using checkpoint::Tensor;
using pickle::Kind;
using pickle::NodeId;

namespace {

constexpr std::size_t kIntegerSize = sizeof(std::int64_t);

std::uint64_t size_at(const checkpoint::Tensors& tensors, const Tensor& tensor, std::size_t at) {
  const tensor::Dims shape = tensors.shape(tensor);
  return at < shape.size() ? static_cast<std::uint64_t>(shape[at]) : 0;
}

}  // namespace

NestedParts::NestedParts(const Payload& payload, const Tensor& tensor)
    : checkpoint_(payload.checkpoint),
      tensor_(tensor),
      buffer_(dense_component(payload, tensor, "buffer")),
      count_(size_at(checkpoint_.tensors(), dense_component(payload, tensor, "sizes"), 0)),
      rank_(size_at(checkpoint_.tensors(), dense_component(payload, tensor, "sizes"), 1)),
      storage_(buffer_.storage ? payload.open(*buffer_.storage) : nullptr),
      shared_{.checkpoint = payload.checkpoint,
              .open = [this](checkpoint::StorageId) -> std::unique_ptr<ByteSource> {
                return std::make_unique<RangeSource>(*storage_, 0, storage_->size());
              },
              .big_endian = payload.big_endian},
      sizes_(integers(payload, "sizes")),
      strides_(integers(payload, "strides")),
      offsets_(offsets(payload)) {
  if (size_at(checkpoint_.tensors(), buffer_, 1) != 0 ||
      !checkpoint_.tensors().is_contiguous(buffer_)) {
    fail("the buffer of a nested tensor is no contiguous tensor of one dimension");
  }
  const std::uint64_t bytes = sizes_->size();
  if (strides_->size() != bytes || offsets_->size() != count_ * kIntegerSize) {
    fail("sizes, strides and offsets of a nested tensor do not fit together");
  }
}

std::unique_ptr<ByteSource> NestedParts::integers(const Payload& payload,
                                                  std::string_view role) const {
  const Tensor& tensor = dense_component(payload, tensor_, role);
  if (tensor.dtype != tensor::DType::Int64 || !tensor.storage) {
    fail("the geometry of a nested tensor is not in tensors of int64");
  }
  return element_source(checkpoint_.tensors(), tensor, payload.open(*tensor.storage),
                        payload.big_endian);
}

// A tensor, or in files of 1.13 a list.
std::unique_ptr<ByteSource> NestedParts::offsets(const Payload& payload) const {
  if (find_component(checkpoint_.tensors(), tensor_, "storage_offsets") != nullptr) {
    return integers(payload, "storage_offsets");
  }
  const pickle::Graph& graph = checkpoint_.graph();
  std::vector<std::byte> bytes;
  const auto add = [&](NodeId item) {
    const std::int64_t value = graph.kind(item) == Kind::Int ? graph.int_value(item) : -1;
    const auto raw = std::as_bytes(std::span(&value, 1));
    bytes.insert(bytes.end(), raw.begin(), raw.end());
  };
  if (pickle::kObjects.contains(graph.kind(tensor_.node))) {
    const auto args = graph.items(graph.args(tensor_.node));
    if (args.size() == 4 && graph.kind(args[3]) == Kind::List) {
      for (const pickle::Mutation& mutation : graph.mutations(args[3])) {
        std::ranges::for_each(mutation.operands, add);
      }
    } else if (args.size() == 4 && graph.kind(args[3]) == Kind::Tuple) {
      std::ranges::for_each(graph.items(args[3]), add);
    }
  }
  return std::make_unique<MemorySource>("storage offsets", std::move(bytes));
}

std::vector<std::int64_t> NestedParts::numbers(const ByteSource& source, std::uint64_t first,
                                               std::uint64_t count) const {
  std::vector<std::int64_t> values(count);
  source.read(first * kIntegerSize, std::as_writable_bytes(std::span(values)));
  if (std::ranges::any_of(values, [](std::int64_t value) { return value < 0; })) {
    fail("a size, stride or offset in a nested tensor is negative");
  }
  return values;
}

View NestedParts::view(std::uint64_t index) const {
  View view;
  view.shape = numbers(*sizes_, index * rank_, rank_);
  view.stride = numbers(*strides_, index * rank_, rank_);
  view.offset = static_cast<std::uint64_t>(numbers(*offsets_, index, 1)[0]);
  const std::uint64_t count = checkpoint_.tensors().element_count(buffer_);
  const auto end = tensor::end_element(view.offset, view.shape, view.stride);
  if (!end || *end > count || !tensor::element_count(view.shape)) {
    fail("a tensor in a nested one does not lie in its buffer");
  }
  view.offset += buffer_.offset;
  return view;
}

void NestedParts::fail(const char* message) const {
  checkpoint_.fail_at(tensor_.node, Error::Kind::Malformed, message);
}

}  // namespace ptsd::operation
