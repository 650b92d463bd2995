// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/byte_source.h"
#include "support/zip_assembler.h"

namespace ptsd::fuzz {

// A well-formed archive of torch.save with this pickle and a few records for it to name.
inline MemorySource archive_around(std::string_view pickle) {
  return test::zip()
      .torch_layout()
      .member("m/data.pkl", pickle)
      .member("m/.format_version", "1")
      .member("m/byteorder", "little")
      .member("m/data/0", std::string(1024, '\0'))
      .member("m/data/1", std::string(64, '\0'))
      .member("m/data/2", "")
      .member("m/version", "3\n")
      .source();
}

}  // namespace ptsd::fuzz
