// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

// Random access to bytes: a file, memory in tests and fuzzers, later a remote object. Parsers
// take a ByteSource and never a path.

namespace ptsd {

class ByteSource {
 public:
  virtual ~ByteSource() = default;

  // What errors call this input.
  virtual const std::string& name() const = 0;
  virtual std::uint64_t size() const = 0;
  // Fills `out` with the bytes from `offset` on. Throws Error::Io when they are not all there.
  virtual void read(std::uint64_t offset, std::span<std::byte> out) const = 0;

  // The bytes at [offset, offset + size) in memory of their own. The caller has bounded `size`.
  std::vector<std::byte> read(std::uint64_t offset, std::uint64_t size) const;

  [[noreturn]] void fail(Error::Kind kind, std::string message) const;
  [[noreturn]] void fail_at(std::uint64_t offset, Error::Kind kind, std::string message) const;
};

// A source over memory that it owns.
class MemorySource final : public ByteSource {
 public:
  MemorySource(std::string name, std::vector<std::byte> bytes)
      : name_(std::move(name)), bytes_(std::move(bytes)) {}

  using ByteSource::read;
  const std::string& name() const override { return name_; }
  std::uint64_t size() const override { return bytes_.size(); }
  void read(std::uint64_t offset, std::span<std::byte> out) const override;

 private:
  std::string name_;
  std::vector<std::byte> bytes_;
};

// A part of another source, which it borrows. Errors name that source, at its offsets.
class RangeSource final : public ByteSource {
 public:
  RangeSource(const ByteSource& whole, std::uint64_t begin, std::uint64_t length)
      : whole_(whole), begin_(begin), length_(length) {}

  using ByteSource::read;
  const std::string& name() const override { return whole_.name(); }
  std::uint64_t size() const override { return length_; }
  void read(std::uint64_t offset, std::span<std::byte> out) const override;

 private:
  const ByteSource& whole_;
  std::uint64_t begin_;
  std::uint64_t length_;
};

// Bytes whose CRC-32 is for the reader to check, once all have been read.
struct UncheckedSource {
  std::unique_ptr<ByteSource> source;
  std::function<void(std::uint32_t crc)> check = {};  // throws Error::Malformed; null: no need
};

// Calls `use` with the bytes [offset, offset + size) in order, a block at a time.
template <class Use>
void each_block(const ByteSource& source, std::uint64_t offset, std::uint64_t size,
                const Use& use) {
  constexpr std::uint64_t kBlock = std::uint64_t{1} << 20;
  std::vector<std::byte> block(size < kBlock ? size : kBlock);
  for (std::uint64_t done = 0; done < size;) {
    const std::uint64_t left = size - done;
    const std::span<std::byte> part(block.data(), left < kBlock ? left : kBlock);
    source.read(offset + done, part);
    use(Bytes(part));
    done += part.size();
  }
}

}  // namespace ptsd
