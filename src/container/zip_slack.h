// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/byte_source.h"
#include "container/zip_directory.h"
#include "container/zip_end.h"
#include "container/zip_layout.h"

namespace ptsd::container {

// Bytes of the file that no record of the archive accounts for.
struct Slack {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  // The name of a member without a central entry, if a local header begins the bytes.
  std::string ghost = {};

  bool operator==(const Slack&) const = default;
};

struct Account {
  std::vector<Slack> slack;       // in the order of the file
  std::vector<Warning> warnings;  // data descriptors that are missing or contradict
};

// Reads every local header, and holds every byte of the file to be a header, data, padding
// ("FB" and 'Z'), a descriptor, the directory, an end record, or slack.
Account account(const ByteSource& source, const Directory& directory, const Layout& layout,
                const EndRecord& end);

}  // namespace ptsd::container
