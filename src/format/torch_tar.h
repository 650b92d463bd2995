// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/limits.h"
#include "format/input.h"
#include "format/loaded.h"

// The tar archive that torch.save wrote before 0.1.10 (torch/serialization.py, legacy_load), with
// the members sys_info, pickle, tensors and storages:
//
//   storages  pickle(count), count times { pickle((key, location, class)); i64 numel; elements },
//             pickle([(view key, root key, offset, numel), ...])
//   tensors   pickle(count), count times { pickle((key, storage key, class)); i32 ndim;
//             4 bytes of anything; i64 sizes; i64 strides; i64 offset }
//   pickle    the object; its persistent ids are the keys in digits, or (class, file, source)
//
// The oldest archives have (key, class) in storages and no views, and (key, class, storage key) in
// tensors. All is little-endian; offsets and counts are in elements.

namespace ptsd::format {

// Borrows the source. Reads the pickles, and no elements. Throws Error::Unsupported for another
// tar archive, Error::Malformed naming the storage or tensor that is cut or contradicts another.
std::unique_ptr<Loaded> load_torch_tar(const Input& input, const Limits& limits);

}  // namespace ptsd::format
