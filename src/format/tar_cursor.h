// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/byte_source.h"
#include "base/error.h"
#include "container/tar_reader.h"
#include "format/plain_pickle.h"

namespace ptsd::format {

// A member of a tar archive, read from its beginning to its end: small pickles, numbers and bytes,
// one behind the other. Offsets are those of the file. Borrows the source. Throws Error::Malformed
// for what is not there.
class TarCursor {
 public:
  TarCursor(const ByteSource& source, const container::TarMember& member);

  std::uint64_t position() const { return position_; }
  bool at_end() const { return position_ == part_.size(); }
  [[noreturn]] void fail(std::string message, Error::Kind kind = Error::Kind::Malformed) const;

  // Calls `use` with the pickle that comes next, of at most so many bytes.
  template <class Use>
  void pickled(std::uint64_t most, const Use& use) {
    const PlainPickle pickle(part_, position_, most, name_, PlainPickle::Globals::Allowed);
    use(pickle);
    position_ = pickle.end();
  }
  // The same of one that tells about a storage or tensor.
  template <class Use>
  void entry(const Use& use) {
    constexpr std::uint64_t kLargest = 65536;
    pickled(kLargest, use);
  }
  // A pickled number of things.
  std::uint64_t count();
  // Skips what is there; returns where it began.
  std::uint64_t skip(std::uint64_t size, const std::string& subject);
  std::uint64_t u32(const std::string& subject) { return number(4, subject); }
  // Of 64 bits.
  std::int64_t not_negative(const std::string& subject, std::string_view what);

 private:
  std::uint64_t number(std::uint64_t size, const std::string& subject);

  RangeSource part_;
  std::string name_;
  std::uint64_t position_;
};

}  // namespace ptsd::format
