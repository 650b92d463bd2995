// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>

#include "base/limits.h"
#include "format/input.h"
#include "format/loaded.h"

// What a file is, told by its content and never by its name. Formats are rows of a table in the
// .cc, in the order in which they are tried: how to recognise one, and how to load it or why that
// cannot be.

namespace ptsd::format {

// Loads a checkpoint of whichever format it is. Borrows the source and the folder. Throws
// Error::Unsupported for a checkpoint of a format that cannot be read, Error::Malformed with a
// diagnosis for what is no checkpoint at all.
std::unique_ptr<Loaded> load(const Input& input, const Limits& limits);
inline std::unique_ptr<Loaded> load(const ByteSource& source, const Limits& limits) {
  return load(Input{.source = source}, limits);
}

// Loads the checkpoint that a whole directory is. Throws Error::Unsupported for another directory.
std::unique_ptr<Loaded> load_folder(file::Folder& folder, const Limits& limits);

// Loads the checkpoint that is in all the parts of one set in the directory (is_set_name()).
std::unique_ptr<Loaded> load_set(file::Folder& folder, std::string_view set_name,
                                 const Limits& limits);

}  // namespace ptsd::format
