// SPDX-License-Identifier: Apache-2.0
#include "tensor/convert.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "tensor/convert_kernels.h"

namespace ptsd::tensor {
namespace {

// Elements between two loops: their float32 values fit the first-level cache.
constexpr std::size_t kBlock = 2048;

constexpr std::size_t kFloat32Size = info(DType::Float32).item_size;

struct ComplexRow {
  DType dtype;
  DType component;
};

constexpr auto kComplex = std::to_array<ComplexRow>({
    {DType::Complex32,  DType::Float16},
    {DType::Complex64,  DType::Float32},
    {DType::Complex128, DType::Float64},
});

// A complex number is two real ones.
DType component(DType dtype) {
  const auto* const row = std::ranges::find(kComplex, dtype, &ComplexRow::dtype);
  return row == kComplex.end() ? dtype : row->component;
}

[[noreturn]] void fail(Error::Kind kind, std::string message) {
  throw Error(kind, {}, std::move(message));
}

void check(DType from, DType to, Bytes in, std::span<const std::byte> out) {
  if (!can_convert(from, to)) {
    fail(Error::Kind::Unsupported, fmt::format("no conversion of {} to {}", name(from), name(to)));
  }
  const std::size_t count = in.size() / info(from).item_size;
  if (in.size() % info(from).item_size == 0 && out.size() == count * info(to).item_size) return;
  fail(Error::Kind::Conflict, fmt::format("{} bytes of {} do not make {} bytes of {}", in.size(),
                                          name(from), out.size(), name(to)));
}

// One cast of real numbers, ready for any number of blocks.
class Cast {
 public:
  Cast(DType from, DType to, bool saturate)
      : load_(find_kernels(from)->load), store_(find_kernels(to)->store), saturate_(saturate) {}

  std::uint64_t operator()(const std::byte* in, std::byte* out, std::size_t count) {
    if (load_ == nullptr) return store_(in, out, count, saturate_);
    if (store_ == nullptr) return load_(in, out, count, saturate_);
    // What leaves the range of float32 leaves that of every narrower dtype from its largest too,
    // where it is counted.
    load_(in, block_.data(), count, true);
    return store_(block_.data(), out, count, saturate_);
  }

 private:
  Kernel load_;
  Kernel store_;
  bool saturate_;
  alignas(64) std::array<std::byte, kBlock * kFloat32Size> block_;
};

}  // namespace

bool can_convert(DType from, DType to) {
  return is_complex(from) == is_complex(to) && find_kernels(component(from)) != nullptr &&
         find_kernels(component(to)) != nullptr;
}

std::uint64_t convert(DType from, DType to, Bytes in, std::span<std::byte> out, Overflow overflow) {
  check(from, to, in, out);
  if (from == to) {
    if (!in.empty()) std::memcpy(out.data(), in.data(), in.size());
    return 0;
  }
  const DType source = component(from);
  const DType target = component(to);
  const std::size_t count = in.size() / info(source).item_size;
  Cast cast(source, target, overflow == Overflow::Saturate);
  std::uint64_t left = 0;
  for (std::size_t done = 0; done < count; done += kBlock) {
    left += cast(in.data() + done * info(source).item_size,
                 out.data() + done * info(target).item_size, std::min(kBlock, count - done));
  }
  return left;
}

}  // namespace ptsd::tensor
