// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "container/zip_reader.h"

// PyTorch's view of an archive: records below one root, which is the first segment of the first
// name in the directory. Names are compared without case, as PyTorchFileReader does. Refuses
// names that PyTorch cannot look up (a NUL, a backslash); what PyTorch would refuse and ptsd can
// read is a warning. Borrows the ZipReader.

namespace ptsd::container {

struct Record {
  std::string_view name;  // without the root
  const Member* member;
};

class RecordReader {
 public:
  explicit RecordReader(const ZipReader& zip);

  const ZipReader& zip() const { return zip_; }
  std::string_view root() const { return root_; }
  std::span<const Warning> warnings() const { return warnings_; }

  // The member "<root>/<name>", or null.
  const Member* record(std::string_view name) const;
  // The name below the root; nothing for a member elsewhere, or a folder.
  std::optional<std::string_view> record_name(const Member& member) const;
  // All records in the order of the directory.
  std::vector<Record> records() const;

 private:
  void find_root();
  void check_names();
  void check_case();

  const ZipReader& zip_;
  std::string_view root_;
  std::vector<Warning> warnings_;
};

}  // namespace ptsd::container
