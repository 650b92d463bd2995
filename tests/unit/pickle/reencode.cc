// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/byte_reader.h"
#include "base/error.h"
#include "pickle/encoder.h"
#include "pickle/machine.h"

// For roundtrip_test.py: writes pickles again from their graphs.
//
//   reencode IN OUT
//
// IN holds pickles, each behind its length (u64, little-endian). OUT gets as many results, each
// behind its length too: the stream that encode() makes at the pickle's own protocol, or nothing
// when ptsd refuses, which goes to stderr with the number of the pickle.

namespace {

using ptsd::Bytes;

std::vector<std::byte> reencode(Bytes stream, std::uint64_t number) {
  try {
    const ptsd::pickle::Pickle pickle = ptsd::pickle::read_pickle(stream, ptsd::Where{});
    return ptsd::pickle::encode(pickle.graph, pickle.root, pickle.protocol).bytes;
  } catch (const ptsd::Error& error) {
    fmt::print(stderr, "{}: {}\n", number, error.what());
    return {};
  }
}

void write(std::ofstream& out, const std::vector<std::byte>& bytes) {
  std::string size;
  for (unsigned i = 0; i < 8; ++i) {
    size += static_cast<char>(std::uint64_t{bytes.size()} >> 8 * i & 0xFF);
  }
  out << size;
  const std::string_view text = ptsd::as_text(bytes);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) return 2;
  std::ifstream in(arguments[1], std::ios::binary);
  const std::string input((std::istreambuf_iterator<char>(in)), {});
  std::ofstream out(arguments[2], std::ios::binary);
  const ptsd::Where where;
  ptsd::ByteReader reader(ptsd::as_bytes(input), where);
  for (std::uint64_t number = 0; reader.remaining() > 0; ++number) {
    const std::uint64_t size = reader.u64_le("a length");
    write(out, reencode(reader.take(size, "a pickle"), number));
  }
  return out.flush() ? 0 : 1;
}
