// SPDX-License-Identifier: Apache-2.0
#include "tensor/convert_kernels.h"

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include <doctest/doctest.h>

namespace ptsd::tensor {
namespace {

constexpr std::size_t kCount = 100'003;  // no whole number of vectors

std::vector<std::byte> random_bytes(std::size_t size) {
  std::mt19937 generator(1);
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) {
    byte = static_cast<std::byte>(generator());
  }
  return bytes;
}

struct Run {
  std::vector<std::byte> out;
  std::uint64_t left;

  bool operator==(const Run&) const = default;
};

Run run(Kernel kernel, const std::vector<std::byte>& in, std::size_t size, bool saturate) {
  Run result = {.out = std::vector<std::byte>(kCount * size), .left = 0};
  result.left = kernel(in.data(), result.out.data(), kCount, saturate);
  return result;
}

TEST_CASE("the last table of kernels runs on any processor") {
  CHECK(kernel_tables().back().runs_here());
}

TEST_CASE("the kernels of every processor give the same bits") {
  const std::vector<std::byte> in = random_bytes(kCount * sizeof(double));
  const std::span<const KernelRow> plain = kernel_tables().back().rows;
  for (const KernelTable& table : kernel_tables()) {
    if (!table.runs_here()) continue;
    REQUIRE(table.rows.size() == plain.size());
    for (std::size_t i = 0; i < plain.size(); ++i) {
      const KernelRow& row = table.rows[i];
      CAPTURE(name(row.dtype));
      REQUIRE(row.dtype == plain[i].dtype);
      if (row.load == nullptr) continue;
      for (const bool saturate : {false, true}) {
        const std::size_t size = info(row.dtype).item_size;
        CHECK(run(row.load, in, 4, saturate) == run(plain[i].load, in, 4, saturate));
        CHECK(run(row.store, in, size, saturate) == run(plain[i].store, in, size, saturate));
      }
    }
  }
}

}  // namespace
}  // namespace ptsd::tensor
