// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/byte_source.h"
#include "file/folder.h"

namespace ptsd::format {

// What a format reads. Both are borrowed.
struct Input {
  const ByteSource& source;
  file::Folder* folder = nullptr;  // that the file lies in, where it may name others; else null
};

}  // namespace ptsd::format
