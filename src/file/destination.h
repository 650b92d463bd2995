// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <sys/stat.h>

#include "file/descriptor.h"

// Where an output goes, as it is asked for and as it is found on the file system.

namespace ptsd::file {

struct Target {
  std::string path;
  // A file that is there is replaced; otherwise it is refused, without a race.
  bool overwrite = false;
  // The target is the input: it is there, and is replaced.
  bool in_place = false;
  // The file that is replaced is kept beside it, as its name and the suffix; a file that has that
  // name is never touched.
  std::optional<std::string> backup_suffix = std::nullopt;
  // A file with other hard links is replaced under this name alone; otherwise it is refused.
  bool break_links = false;
};

// Throws Error::Usage for "-".
void refuse_standard_output(const std::string& path);

// The target after symbolic links: a name in a directory, and the file that has it.
class Destination {
 public:
  // Throws Error::Usage for what the user must decide or change, and Error::Io for what the system
  // refuses. Creates nothing.
  explicit Destination(const Target& target);

  // As it was asked for: what messages call it.
  const std::string& path() const { return path_; }
  int folder() const { return folder_.number(); }
  // False where the directory may be used but not read.
  bool folder_can_be_synced() const { return folder_can_be_synced_; }
  const std::string& name() const { return name_; }
  // Empty: none is wanted.
  const std::string& backup_name() const { return backup_name_; }
  // Whether a file has the name; it is then open, perhaps with O_PATH alone.
  bool replaces() const { return old_.is_open(); }
  int old() const { return old_.number(); }
  const struct stat& old_status() const { return old_status_; }

  // Throws Error::Io if another program replaced, removed or wrote to the file that has the name.
  void check_unchanged() const;

  // For a file that has the name and must not be replaced.
  [[noreturn]] void fail_because_it_exists() const;

 private:
  void open_folder(const std::string& path);
  void check_folder() const;
  void open_old();
  void check_old(const Target& target) const;
  void check_permission() const;
  void check_backup(const Target& target);

  std::string path_;
  bool overwrite_;
  std::string name_;
  std::string backup_name_;
  Descriptor folder_;
  bool folder_can_be_synced_ = true;
  Descriptor old_;
  struct stat old_status_ = {};
};

}  // namespace ptsd::file
