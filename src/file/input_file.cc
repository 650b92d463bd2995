// SPDX-License-Identifier: Apache-2.0
#include "file/input_file.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <utility>

#include "file/failure.h"
#include "file/identity.h"
#include "file/read_at.h"

namespace ptsd::file {

InputFile::InputFile(std::string path)
    : path_(std::move(path)),
      // A FIFO must not hang the open: it is refused below.
      descriptor_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)) {
  if (!descriptor_.is_open()) fail(Error::Kind::Io, "cannot open: " + reason(errno));
  if (::fstat(descriptor(), &opened_) != 0) {
    fail(Error::Kind::Io, "cannot stat: " + reason(errno));
  }
  if (!S_ISREG(opened_.st_mode)) fail(Error::Kind::Io, "not a regular file");
}

void InputFile::read(std::uint64_t offset, std::span<std::byte> out) const {
  read_at(*this, descriptor(), offset, out);
}

void InputFile::check_unchanged() const {
  struct stat now = {};
  if (::fstat(descriptor(), &now) != 0) fail(Error::Kind::Io, "cannot stat: " + reason(errno));
  if (!same_content(opened_, now)) fail(Error::Kind::Io, "changed while reading");
  if (::stat(path_.c_str(), &now) != 0 || !file::same_file(opened_, now)) {
    fail(Error::Kind::Io, "replaced by another file while reading");
  }
}

bool same_file(const InputFile& input, const std::string& path) {
  struct stat found = {};
  return ::stat(path.c_str(), &found) == 0 && same_file(input.status(), found);
}

bool is_among(std::span<const InputFile* const> inputs, const std::string& path) {
  return std::ranges::any_of(inputs,
                             [&](const InputFile* input) { return same_file(*input, path); });
}

}  // namespace ptsd::file
