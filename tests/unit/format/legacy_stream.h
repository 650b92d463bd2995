// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_source.h"
#include "unit/checkpoint/fragments.h"

namespace ptsd::test {

// A legacy stream, of which each part can be another.
struct LegacyStream {
  using Storages = std::vector<std::pair<std::string, std::string>>;  // key and bytes of float32

  static std::string pickled(const Fragment& root) {
    return fragment(pickle().proto(2)) + root + ".";
  }
  static std::string u64(std::uint64_t value) {
    std::string bytes;
    for (int i = 0; i < 8; ++i) {
      bytes += static_cast<char>(value >> (8 * i) & 0xFF);
    }
    return bytes;
  }
  static Fragment system(const Fragment& little_endian) {
    return dict({
        {text("protocol_version"), number(1001) },
        {text("little_endian"),    little_endian}
    });
  }

  // The list of the keys and the storages.
  static std::string data(const Storages& storages) {
    Fragments keys;
    std::string bytes;
    for (const auto& [key, elements] : storages) {
      keys.push_back(text(key));
      bytes += u64(elements.size() / 4) + elements;
    }
    return pickled(list(keys)) + bytes;
  }

  std::string text_of() const {
    return pickled(magic) + pickled(version) + pickled(facts) + pickled(root) + tail;
  }
  MemorySource source() const {
    const std::string bytes = text_of();
    return {
        "m.pt", {as_bytes(bytes).begin(), as_bytes(bytes).end()}
    };
  }

  Fragment root;
  std::string tail = data({});  // behind the object
  Fragment magic = fragment(pickle().long1("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"));
  Fragment version = fragment(pickle().binint2(1001));
  Fragment facts = system(yes());
};

inline Fragment legacy_storage(std::string_view key, std::int64_t count,
                               const Fragment& view = none(),
                               std::string_view type = "FloatStorage") {
  return persistent(
      tuple({text("storage"), storage_class(type), text(key), text("cpu"), number(count), view}));
}

inline Fragment view_of(std::string_view key, std::int64_t offset, std::int64_t count) {
  return tuple({text(key), number(offset), number(count)});
}

}  // namespace ptsd::test
