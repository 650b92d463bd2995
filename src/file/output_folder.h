// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "file/descriptor.h"
#include "file/signal_cleanup.h"

namespace ptsd::file {

// A directory whose files are there all at once or not at all. They are written below a temporary
// name beside the target; commit() gives the directory its name. Without it, on an error, there is
// nothing; a signal while files are being named can leave a directory that is called .ptsd-*.tmp.
class OutputFolder {
 public:
  // Throws for what the constructor would refuse, and makes nothing.
  static void check(const std::string& path);
  // Throws Error::Usage if something has the name, Error::Io for what the system refuses.
  explicit OutputFolder(std::string path);
  ~OutputFolder();
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;

  // Where a file of this name is to be written. The directories that the name leads through are
  // made. Throws Error::Io for what the system refuses.
  std::string path_of(const std::string& name) const;
  // Throws Error::Usage if something has the name by now, Error::Io where the directory cannot be
  // made durable; it may have its name then.
  void commit();

 private:
  void create();

  std::string path_;
  std::string parent_path_;
  Descriptor parent_;
  std::string temporary_;  // the name; empty: there is none any more
  std::optional<SignalCleanup> cleanup_;
};

}  // namespace ptsd::file
