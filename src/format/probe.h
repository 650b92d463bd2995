// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>

#include "base/byte_source.h"
#include "base/limits.h"
#include "format/loaded.h"

// What a file is, told by its content and never by its name. Formats are rows of a table in the
// .cc, in the order in which they are tried: how to recognise one, and how to load it or why that
// cannot be.

namespace ptsd::format {

// Loads a checkpoint of whichever format it is. Borrows the source. Throws Error::Unsupported
// for a checkpoint of a format that cannot be read yet, Error::Malformed with a diagnosis for
// what is no checkpoint at all.
std::unique_ptr<Loaded> load(const ByteSource& source, const Limits& limits);

}  // namespace ptsd::format
