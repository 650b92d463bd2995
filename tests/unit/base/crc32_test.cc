// SPDX-License-Identifier: Apache-2.0
#include "base/crc32.h"

#include <vector>

#include <doctest/doctest.h>

namespace ptsd {
namespace {

TEST_CASE("the CRC is that of zip") {
  const std::string_view text = "123456789";
  CHECK(crc32(std::as_bytes(std::span(text))) == 0xCBF43926);
}

TEST_CASE("the CRCs of two runs make that of both") {
  std::vector<std::byte> bytes(3000);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::byte>(i * i % 251);
  }
  const Bytes all = bytes;
  for (const std::size_t cut : {0u, 1u, 2u, 63u, 1024u, 2999u, 3000u}) {
    CHECK(crc32_combine(crc32(all.first(cut)), crc32(all.subspan(cut)), all.size() - cut) ==
          crc32(all));
  }
}

}  // namespace
}  // namespace ptsd
