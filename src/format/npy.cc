// SPDX-License-Identifier: Apache-2.0
#include "format/npy.h"

#include <algorithm>
#include <array>
#include <bit>
#include <string_view>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/error.h"

namespace ptsd::format {

using tensor::DType;

namespace {

struct Code {
  DType dtype;
  std::string_view code;
};

constexpr auto kCodes = std::to_array<Code>({
    {DType::Bool,       "b1" },
    {DType::UInt8,      "u1" },
    {DType::Int8,       "i1" },
    {DType::UInt16,     "u2" },
    {DType::Int16,      "i2" },
    {DType::UInt32,     "u4" },
    {DType::Int32,      "i4" },
    {DType::UInt64,     "u8" },
    {DType::Int64,      "i8" },
    {DType::Float16,    "f2" },
    {DType::Float32,    "f4" },
    {DType::Float64,    "f8" },
    {DType::Complex64,  "c8" },
    {DType::Complex128, "c16"},
});

const Code* find_code(DType dtype) {
  const auto* const row = std::ranges::find(kCodes, dtype, &Code::dtype);
  return row == kCodes.end() ? nullptr : row;
}

// Single bytes have no order.
char order_of(DType dtype) {
  if (tensor::info(dtype).item_size == 1) return '|';
  return std::endian::native == std::endian::little ? '<' : '>';
}

std::string shape_tuple(tensor::Dims shape) {
  std::string text;
  for (const std::int64_t size : shape) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", size);
  }
  return shape.size() == 1 ? "(" + text + ",)" : "(" + text + ")";
}

void append_little_endian(std::string& out, std::uint64_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) {
    out += static_cast<char>(value >> 8 * i & 0xFF);
  }
}

[[noreturn]] void fail_dtype(DType dtype) {
  throw Error(Error::Kind::Unsupported, {}, fmt::format("numpy has no {}", tensor::name(dtype)));
}

}  // namespace

bool has_npy_dtype(DType dtype) {
  return find_code(dtype) != nullptr;
}

std::optional<DType> find_npy_dtype(std::string_view code) {
  const auto* const row = std::ranges::find(kCodes, code, &Code::code);
  if (row == kCodes.end()) return std::nullopt;
  return row->dtype;
}

std::string npy_header(DType dtype, tensor::Dims shape) {
  constexpr std::size_t kAlignment = 64;         // bytes
  constexpr std::size_t kLargestShort = 0xFFFF;  // what version 1.0 has room for
  constexpr std::size_t kDigits = 21;            // room for the first size to grow
  const Code* const code = find_code(dtype);
  if (code == nullptr) fail_dtype(dtype);
  std::string dict = fmt::format("{{'descr': '{}{}', 'fortran_order': False, 'shape': {}, }}",
                                 order_of(dtype), code->code, shape_tuple(shape));
  if (!shape.empty()) dict.append(kDigits - fmt::formatted_size("{}", shape[0]), ' ');
  // Magic and version are 8 bytes. There is always some padding, before the newline at the end.
  const auto padding = [&](unsigned size_bytes) {
    return kAlignment - (8 + size_bytes + dict.size() + 1) % kAlignment;
  };
  unsigned size_bytes = 2;
  if (dict.size() + 1 + padding(size_bytes) > kLargestShort) size_bytes = 4;
  dict.append(padding(size_bytes), ' ');
  dict += '\n';
  std::string header = "\x93NUMPY";
  header += size_bytes == 2 ? '\1' : '\2';
  header += '\0';
  append_little_endian(header, dict.size(), size_bytes);
  return header + dict;
}

void write_npy(ByteSink& sink, DType dtype, tensor::Dims shape, const ByteSource& elements) {
  sink.write(as_bytes(npy_header(dtype, shape)));
  sink.copy(elements, 0, elements.size());
}

}  // namespace ptsd::format
