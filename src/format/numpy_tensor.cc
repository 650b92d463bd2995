// SPDX-License-Identifier: Apache-2.0
#include "format/numpy_tensor.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace ptsd::format {
namespace {

// Numbers of another source, each with its bytes in the other order.
class SwappedSource final : public ByteSource {
 public:
  SwappedSource(std::unique_ptr<ByteSource> numbers, std::uint64_t width)
      : numbers_(std::move(numbers)), width_(width) {}

  using ByteSource::read;
  const std::string& name() const override { return numbers_->name(); }
  std::uint64_t size() const override { return numbers_->size(); }
  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    const std::uint64_t skipped = offset % width_;
    const std::uint64_t end = offset + out.size();
    const std::uint64_t padding = (width_ - end % width_) % width_;
    std::vector<std::byte> block = numbers_->read(offset - skipped, skipped + out.size() + padding);
    for (auto number = block.begin(); number != block.end();) {
      const auto next = number + static_cast<std::ptrdiff_t>(width_);
      std::reverse(number, next);
      number = next;
    }
    std::ranges::copy(std::span(block).subspan(skipped, out.size()), out.begin());
  }

 private:
  std::unique_ptr<ByteSource> numbers_;
  std::uint64_t width_;  // bytes of a number
};

class SwappedBytes final : public StorageBytes {
 public:
  SwappedBytes(std::unique_ptr<StorageBytes> bytes, std::uint64_t width)
      : bytes_(std::move(bytes)), width_(width) {}

  std::uint64_t size() const override { return bytes_->size(); }
  std::optional<StoredRange> range() const override { return std::nullopt; }
  std::unique_ptr<ByteSource> open() const override {
    return std::make_unique<SwappedSource>(bytes_->open(), width_);
  }

 private:
  std::unique_ptr<StorageBytes> bytes_;
  std::uint64_t width_;
};

[[noreturn]] void fail_size(const Where& where, std::string_view subject, const NumpyLayout& layout,
                            std::uint64_t size) {
  throw Error(Error::Kind::Malformed, where,
              fmt::format("{}{} bytes, shape [{}] of {} needs another number", subject, size,
                          fmt::join(layout.shape, ", "), tensor::name(layout.dtype)));
}

std::vector<std::int64_t> strides(const NumpyLayout& layout) {
  std::vector<std::int64_t> shape = layout.shape;
  if (layout.fortran) std::ranges::reverse(shape);
  std::vector<std::int64_t> stride = tensor::contiguous_stride(shape);
  if (layout.fortran) std::ranges::reverse(stride);
  return stride;
}

}  // namespace

pickle::NodeId numpy_tensor(Assembly& assembly, const NumpyLayout& layout,
                            std::unique_ptr<StorageBytes> bytes, const Where& where,
                            std::string_view subject) {
  const std::uint64_t size = bytes->size();
  if (tensor::byte_count(layout.shape, layout.dtype) != size ||
      !tensor::element_count(layout.shape)) {
    fail_size(where, subject, layout, size);
  }
  const std::uint64_t width = tensor::component_size(layout.dtype);
  if (layout.big_endian && width > 1) {
    bytes = std::make_unique<SwappedBytes>(std::move(bytes), width);
  }
  const pickle::NodeId storage = assembly.storage(layout.dtype, std::move(bytes));
  return assembly.tensors().view(storage, layout.dtype, 0, layout.shape, strides(layout));
}

}  // namespace ptsd::format
