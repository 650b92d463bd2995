// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <sys/types.h>
#include <vector>

#include "base/byte_sink.h"
#include "base/error.h"
#include "file/destination.h"
#include "file/input_file.h"
#include "file/temporary.h"

// A file whose bytes are there all at once or not at all. They are written to a temporary in the
// target's directory; commit() makes them durable and then gives them the target's name. Without
// it, on an error, on a signal, when the process is killed or power is lost, the target is what it
// was. No file is ever cut short or written in place.

namespace ptsd::file {

class OutputFile final : public ByteSink {
 public:
  // Checks all that can be checked before a byte is written, and opens the temporary. Throws
  // Error::Usage for a target that must not be written (it exists, is no regular file, has other
  // links, would overwrite a backup) and Error::Io for what the system refuses.
  explicit OutputFile(const Target& target);
  ~OutputFile() override = default;
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  // Takes the room for a file of `size` bytes. Throws Error::Io, with the bytes needed and free,
  // when there is none; where the file system cannot tell, it is found out by writing.
  void reserve(std::uint64_t size);

  // Both throw Error::Io when not everything could be written; after that, nothing can be.
  void write(Bytes bytes) override;
  // A large range of an InputFile goes through the kernel.
  void copy(const ByteSource& source, std::uint64_t offset, std::uint64_t size) override;

  // The bytes written so far.
  std::uint64_t position() const { return flushed_ + buffered_; }
  // What was written, to be read back. Valid until the next write or copy.
  const ByteSource& written();

  // Names of temporaries in the target's directory that killed processes left.
  std::vector<std::string> stale() const { return stale_temporaries(destination_.folder()); }

  // Gives the file the attributes of the one it replaces, syncs it, checks that none of `inputs`
  // and nobody but us changed the target meanwhile, puts it in place and syncs the directory.
  // Returns what could not be kept. Throws Error::Io; then nothing has happened, unless the
  // message says that the file is in place. Called once, as the last thing.
  std::vector<Warning> commit(std::span<const InputFile* const> inputs);

 private:
  class Written final : public ByteSource {
   public:
    explicit Written(const OutputFile& output) : output_(output) {}

    const std::string& name() const override { return output_.path(); }
    std::uint64_t size() const override { return output_.flushed_; }
    void read(std::uint64_t offset, std::span<std::byte> out) const override;

   private:
    const OutputFile& output_;
  };

  const std::string& path() const { return destination_.path(); }
  int descriptor() const { return temporary_.descriptor(); }
  [[noreturn]] void fail_because(const char* what, int error) const;

  void flush();
  void write_through(Bytes bytes);
  std::uint64_t needed(std::uint64_t size) const;
  void set_attributes(std::vector<Warning>& warnings) const;
  void sync() const;
  void put_in_place();
  void keep_backup() const;
  void sync_folder(std::vector<Warning>& warnings) const;

  Destination destination_;
  // Whether the directory and the system choose the mode when the file is created.
  bool mode_is_inherited_;
  Temporary temporary_;
  Written written_;
  std::vector<std::byte> buffer_;
  std::size_t buffered_ = 0;
  std::uint64_t flushed_ = 0;
  std::uint64_t reserved_ = 0;
};

}  // namespace ptsd::file
