// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/elements.h"

#include <utility>
#include <vector>

#include "checkpoint/gather_source.h"
#include "tensor/stored_form.h"

namespace ptsd::checkpoint {

namespace {

class ValueSource final : public ByteSource {
 public:
  ValueSource(tensor::DType dtype, const tensor::StoredForm& form,
              std::unique_ptr<ByteSource> elements)
      : dtype_(dtype), form_(form), elements_(std::move(elements)) {}

  using ByteSource::read;
  const std::string& name() const override { return elements_->name(); }
  std::uint64_t size() const override { return elements_->size(); }

  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    elements_->read(offset, out);
    tensor::to_values(dtype_, form_, out);
  }

 private:
  tensor::DType dtype_;
  tensor::StoredForm form_;
  std::unique_ptr<ByteSource> elements_;
};

Piece piece_of(const Geometry& geometry) {
  Piece piece = {.offset = geometry.offset};
  for (std::size_t i = 0; i < geometry.shape.size(); ++i) {
    piece.strides.push_back({.size = static_cast<std::uint64_t>(geometry.shape[i]),
                             .step = static_cast<std::uint64_t>(geometry.stride[i])});
  }
  return piece;
}

}  // namespace

Geometry geometry_of(const Tensors& tensors, const Tensor& tensor) {
  return {tensor.offset, tensors.shape(tensor), tensors.stride(tensor)};
}

std::unique_ptr<ByteSource> element_source(const Tensor& tensor, const Geometry& geometry,
                                           std::unique_ptr<ByteSource> storage, bool big_endian) {
  const GatherDerivation gather(tensor::info(tensor.dtype).item_size, {piece_of(geometry)});
  std::unique_ptr<ByteSource> elements = gather.over(std::move(storage));
  const tensor::StoredForm form = {big_endian, tensor.conj, tensor.neg};
  if (form.is_plain()) return elements;
  return std::make_unique<ValueSource>(tensor.dtype, form, std::move(elements));
}

std::unique_ptr<ByteSource> element_source(const Tensors& tensors, const Tensor& tensor,
                                           std::unique_ptr<ByteSource> storage, bool big_endian) {
  return element_source(tensor, geometry_of(tensors, tensor), std::move(storage), big_endian);
}

}  // namespace ptsd::checkpoint
