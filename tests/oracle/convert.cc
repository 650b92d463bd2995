// SPDX-License-Identifier: Apache-2.0
#include "tensor/convert.h"

#include <cstddef>
#include <cstdio>
#include <exception>
#include <string_view>
#include <vector>

#include <fmt/format.h>

// convert FROM TO keep|saturate: casts stdin to stdout, and says on stderr how many values left
// the range.

namespace ptsd {
namespace {

using tensor::DType;
using tensor::DTypeInfo;

std::vector<std::byte> read_all() {
  std::vector<std::byte> bytes;
  std::size_t size = 0;
  do {
    bytes.resize(size + (std::size_t{1} << 20));
    const std::size_t got = std::fread(bytes.data() + size, 1, bytes.size() - size, stdin);
    bytes.resize(size + got);
    if (got == 0) break;
    size += got;
  } while (true);
  return bytes;
}

void run(std::string_view from_name, std::string_view to_name, bool saturate) {
  const DType from = tensor::find_dtype(from_name).value();
  const DType to = tensor::find_dtype(to_name).value();
  const std::vector<std::byte> in = read_all();
  std::vector<std::byte> out(in.size() / info(from).item_size * info(to).item_size);
  const auto overflow = saturate ? tensor::Overflow::Saturate : tensor::Overflow::Keep;
  const std::uint64_t left = convert(from, to, in, out, overflow);
  std::fwrite(out.data(), 1, out.size(), stdout);
  fmt::print(stderr, "{}\n", left);
}

}  // namespace
}  // namespace ptsd

int main(int count, char** arguments) {
  if (count != 4) return 2;
  try {
    ptsd::run(arguments[1], arguments[2], std::string_view(arguments[3]) == "saturate");
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
  }
  return 0;
}
