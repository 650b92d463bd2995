// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/limits.h"
#include "format/loaded.h"
#include "format/zip_archive.h"

namespace ptsd::format {

bool is_package(const ZipArchive& archive);

// Opens an archive of torch.package (torch/package/package_exporter.py) as a dict of its pickles by
// the paths of their records: {"model/model.pkl": module}. Storages are records
// ".data/<key>.storage", which pickles share. Sources and other files are left alone; scripted
// modules are told of in a warning.
std::unique_ptr<Loaded> load_package(std::unique_ptr<ZipArchive> archive, const Limits& limits);

}  // namespace ptsd::format
