// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/limits.h"
#include "format/input.h"
#include "format/loaded.h"
#include "format/zip_archive.h"

namespace ptsd::format {

// Whether a source begins as such an archive does.
bool begins_as_zip(const ByteSource& source);

// Opens an archive of torch.save (torch 1.6 and later): <root>/data.pkl and a record
// <root>/data/<key> for each storage. Borrows the source. Reads the directory and the pickle, and
// no storage. Throws Error::Unsupported for an archive without data.pkl.
std::unique_ptr<Loaded> load_torch_zip(const Input& input, const Limits& limits);
// The same of an archive that is open already.
std::unique_ptr<Loaded> load_torch_zip(std::unique_ptr<ZipArchive> archive, const Limits& limits);

}  // namespace ptsd::format
