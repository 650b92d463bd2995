// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "file/descriptor.h"
#include "file/signal_cleanup.h"

// A file under way in the directory where it will stand. Where the file system can (O_TMPFILE) it
// has no name until it is complete, so that not even a loss of power leaves litter. Elsewhere it
// is called .ptsd-XXXXXXXX.tmp: short, so that it fits whatever the length of the final name.
// Destroyed before it got its final name, it is gone; so it is after a signal.

namespace ptsd::file {

class Temporary {
 public:
  // In the open directory `folder`, which is borrowed, with `mode` less the umask. Throws
  // Error::Io, with `path` as the place, when nothing can be created there.
  Temporary(int folder, const std::string& path, mode_t mode);
  ~Temporary();
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

  // Open for reading and writing.
  int descriptor() const { return file_.number(); }

  // Gives it the name, which must be free. Returns 0 or an errno: EEXIST when it is not.
  int take_name(const std::string& name);
  // Gives it the name in place of the file that has it. Returns 0 or an errno.
  int replace(const std::string& name);

 private:
  void open_named(const std::string& path, mode_t mode);
  int link_as(const std::string& name) const;
  int link_temporarily();
  int rename_to_free(const std::string& name);
  void keep_name(const std::string& name);
  // When it has gone. Returns 0.
  int forget_name();

  int folder_;
  Descriptor file_;
  // While it has one; then a signal removes it.
  std::string name_;
  std::optional<SignalCleanup> cleanup_;
};

// A name as a Temporary has it, another for every call.
std::string temporary_name();

// Calls `create` with one such name after the other while it returns EEXIST. Returns 0 or an errno.
template <class Create>
int with_free_name(Create create) {
  constexpr int kMostTries = 100;
  int error = EEXIST;
  for (int tries = 0; error == EEXIST && tries < kMostTries; ++tries) {
    error = create(temporary_name());
  }
  return error;
}

// Whether the name is one that a Temporary has.
bool is_temporary_name(std::string_view name);

// The names of temporaries in the directory that no process is writing: what a killed one left.
std::vector<std::string> stale_temporaries(int folder);

}  // namespace ptsd::file
