// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "base/byte_sink.h"
#include "base/byte_source.h"
#include "base/error.h"
#include "base/limits.h"

namespace ptsd::format {

// A file about to be written. Everything was planned and checked before there is one of these.
class Save {
 public:
  virtual ~Save() = default;

  // Of the file, in bytes.
  virtual std::uint64_t size() const = 0;
  virtual void write(ByteSink& sink) = 0;
  // Reads back what write() wrote: all that describes the payload, and every byte of that too if
  // `payload`. Throws Error::Io for what is not as it was written.
  virtual void verify(const ByteSource& written, bool payload, const Limits& limits) const = 0;
};

// For verify().
[[noreturn]] void fail_read_back(Where where, std::string message);

}  // namespace ptsd::format
