// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "format/input.h"
#include "format/loaded.h"
#include "pickle/graph.h"

// The stream that torch.save wrote before 1.6, and writes on request (torch/serialization.py,
// _legacy_save). Parts follow one another without lengths or alignment:
//
//   pickle of 0x1950A86A20F9469CFC6C
//   pickle of 1001, the version of the protocol
//   pickle of {'protocol_version': 1001, 'little_endian': ..., 'type_sizes': {...}}
//   pickle of the object, whose persistent ids are
//     ('storage', class, key, location, numel, view)  view: None or (key, offset, numel)
//     ('module', class, file, source)                 the class, where it is first mentioned
//   pickle of the list of the storages' keys, sorted
//   for each of these: the number of elements (8 bytes), the elements
//
// All numbers and elements are little-endian, wherever the file was written. Another object can
// follow.

namespace ptsd::format {

inline constexpr std::string_view kLegacyMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
inline constexpr std::string_view kLegacyMagicDigits = "119547037146038801333356";
inline constexpr std::int64_t kLegacyVersion = 1001;

// A class that stood in the stream with its source.
struct SourceContainer {
  pickle::NodeId node;  // the class
  pickle::NodeId id;    // the tuple of the persistent id that it was
};

// Where the parts lie: offsets in bytes.
struct LegacyLayout {
  const ByteSource* source = nullptr;
  std::uint64_t object = 0;  // the pickle of the object; before it lies the header
  std::uint64_t keys = 0;
  std::uint64_t storages = 0;
  std::uint64_t end = 0;  // behind the last storage
  std::vector<std::string> key_order = {};
  std::vector<SourceContainer> containers = {};
  bool has_views = false;  // storages that are parts of others: the graph has them as their own
};

// Borrows the source. Reads the pickles and the size of each storage. Throws Error::Malformed
// naming the storage where counts differ or data is missing.
std::unique_ptr<Loaded> load_legacy(const Input& input, const Limits& limits);
// The same for a stream that begins at `offset` (bytes).
std::unique_ptr<Loaded> load_legacy_at(const ByteSource& source, std::uint64_t offset,
                                       const Limits& limits);

}  // namespace ptsd::format
