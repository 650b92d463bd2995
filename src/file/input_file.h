// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <sys/stat.h>

#include "base/byte_source.h"
#include "file/descriptor.h"

// A regular file opened for reading. Bytes come through pread, never a mapping, so that a file
// that is cut short under us is an error and not a SIGBUS.

namespace ptsd::file {

class InputFile final : public ByteSource {
 public:
  // Throws Error::Io when the file cannot be opened or is not a regular file.
  explicit InputFile(std::string path);
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  using ByteSource::read;
  const std::string& name() const override { return path_; }
  std::uint64_t size() const override { return static_cast<std::uint64_t>(opened_.st_size); }
  void read(std::uint64_t offset, std::span<std::byte> out) const override;

  // Throws Error::Io if the file was written to, or its path now names another file, since it
  // was opened. What was read in between cannot be trusted.
  void check_unchanged() const;

  // What the system knew about the file when it was opened.
  const struct stat& status() const { return opened_; }
  // For copies inside the kernel; opened for reading alone.
  int descriptor() const { return descriptor_.number(); }

 private:
  std::string path_;
  Descriptor descriptor_;
  struct stat opened_ = {};
};

// Whether `path` names the file that is open, be it through links or another spelling.
bool same_file(const InputFile& input, const std::string& path);
// Whether it names any of these.
bool is_among(std::span<const InputFile* const> inputs, const std::string& path);

}  // namespace ptsd::file
