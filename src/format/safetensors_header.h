// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/byte_source.h"
#include "base/error.h"
#include "base/limits.h"
#include "format/safetensors_format.h"

namespace ptsd::format {

// A tensor as the header describes it. `begin` and `end` are bytes of the file.
struct SafetensorsEntry {
  std::string name;
  const SafetensorsType* type = nullptr;
  std::vector<std::int64_t> shape = {};  // in elements of the type
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t key = 0;  // offset of the name in the header, in bytes of the file
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> tensors;                      // in the order of their bytes
  std::vector<std::pair<std::string, std::string>> metadata;  // in the order of the header
  std::vector<Warning> warnings;
};

// Reads the header and nothing else, and checks every claim of it: the tensors fill the file from
// the end of the header to the end of the file without overlap or hole, each with as many bytes as
// its shape needs; no name stands twice. Throws Error::Malformed with the offset, and naming the
// tensors it is about.
SafetensorsHeader read_safetensors_header(const ByteSource& source, const Limits& limits);

}  // namespace ptsd::format
