// SPDX-License-Identifier: Apache-2.0
#include "tensor/layout.h"

#include <algorithm>
#include <cassert>

#include "base/checked.h"

namespace ptsd::tensor {
namespace {

std::uint64_t as_unsigned(std::int64_t value) {
  return static_cast<std::uint64_t>(value);
}

bool is_empty(Dims shape) {
  return std::ranges::find(shape, 0) != shape.end();
}

}  // namespace

std::optional<std::uint64_t> element_count(Dims shape) {
  if (is_empty(shape)) return 0;
  std::optional<std::uint64_t> count = 1;
  for (const std::int64_t size : shape) {
    count = checked_mul(*count, as_unsigned(size));
    if (!count) return std::nullopt;
  }
  return count;
}

std::optional<std::uint64_t> byte_count(Dims shape, DType dtype) {
  const DTypeInfo& type = info(dtype);
  if (type.elements_per_item == 1 || shape.empty()) {
    const std::optional<std::uint64_t> count = element_count(shape);
    return count ? checked_mul<std::uint64_t>(*count, type.item_size) : std::nullopt;
  }
  if (is_empty(shape)) return 0;
  const std::uint64_t last = as_unsigned(shape.back());
  const std::uint64_t items = (last - 1) / type.elements_per_item + 1;
  const std::optional<std::uint64_t> rows = element_count(shape.first(shape.size() - 1));
  return rows ? checked_mul<std::uint64_t>(*rows, items * type.item_size) : std::nullopt;
}

std::optional<std::uint64_t> end_element(std::uint64_t offset, Dims shape, Dims stride) {
  assert(shape.size() == stride.size());
  if (is_empty(shape)) return 0;
  std::optional<std::uint64_t> last = offset;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const auto reach = checked_mul(as_unsigned(shape[i] - 1), as_unsigned(stride[i]));
    last = reach ? checked_add(*last, *reach) : std::nullopt;
    if (!last) return std::nullopt;
  }
  return checked_add<std::uint64_t>(*last, 1);
}

std::vector<std::int64_t> contiguous_stride(Dims shape) {
  std::vector<std::int64_t> stride(shape.size());
  std::uint64_t step = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    stride[i] = static_cast<std::int64_t>(step);
    step *= std::max<std::uint64_t>(1, as_unsigned(shape[i]));
  }
  return stride;
}

bool is_contiguous(Dims shape, Dims stride) {
  assert(shape.size() == stride.size());
  if (is_empty(shape)) return true;
  std::uint64_t expected = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    if (shape[i] == 1) continue;
    if (as_unsigned(stride[i]) != expected) return false;
    expected *= as_unsigned(shape[i]);
  }
  return true;
}

}  // namespace ptsd::tensor
