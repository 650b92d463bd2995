// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/byte_source.h"

// Uncompressed tar archives (POSIX pax, ustar and GNU): members of 512-byte blocks, each with a
// header of one block,
//
//   name 0-99   size 124-135   checksum 148-155   type 156   "ustar" 257-261   prefix 345-499
//
// numbers in octal digits, or big-endian behind 0x80. Type 'x' holds "SIZE KEY=VALUE\n" records
// for the next member, 'L' its name. Two blocks of zeros end the archive.
//
// Only files ('0' or NUL), directories ('5') and these two are read: Python's tarfile, which is
// what torch.load reads with, and other readers differ in what the rest means, and so in where the
// next header is or what a member is called.

namespace ptsd::container {

struct TarMember {
  std::string name = {};
  std::uint64_t offset = 0;  // of the data, in bytes
  std::uint64_t size = 0;
};

// The regular files, in their order. Reads the headers. Throws Error::Malformed for a header whose
// checksum or numbers are wrong, for a member that is cut, and for what two readers would read
// differently.
std::vector<TarMember> read_tar(const ByteSource& source);

}  // namespace ptsd::container
