// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/byte_source.h"
#include "base/bytes.h"

// Where bytes go, one behind the other: a file, memory in tests.

namespace ptsd {

class ByteSink {
 public:
  virtual ~ByteSink() = default;

  // Both throw Error::Io when not everything could be written.
  virtual void write(Bytes bytes) = 0;
  // The bytes [offset, offset + size) of `source`, through a buffer unless there is a shorter way.
  virtual void copy(const ByteSource& source, std::uint64_t offset, std::uint64_t size);
};

class MemorySink final : public ByteSink {
 public:
  void write(Bytes bytes) override;

  const std::vector<std::byte>& bytes() const { return bytes_; }
  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace ptsd
