// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/byte_sink.h"
#include "container/zip_placement.h"

// Writes a zip archive in PyTorch's layout, to the byte (zip_format.h), from its first byte to
// its last and never backwards:
//
//   ZipWriter writer(file, 64);
//   ByteSink& data = writer.begin({.name = "m/version", .size = 2, .compressed_size = 2});
//   data.write(as_bytes("3\n"));
//   writer.end(crc32(as_bytes("3\n")));
//   writer.finish();
//
// Compresses nothing and computes no checksum. Throws Error::Conflict when a member gets other
// bytes than were announced, Error::Limit for what the layout cannot hold. Borrows the sink.

namespace ptsd::container {

class ZipWriter {
 public:
  // Each member's data begin at a multiple of `alignment` bytes, 1 to kLargestAlignment.
  ZipWriter(ByteSink& sink, std::uint64_t alignment);
  ZipWriter(const ZipWriter&) = delete;
  ZipWriter& operator=(const ZipWriter&) = delete;

  // Writes the header and its padding. Exactly `compressed_size` bytes must go into the result,
  // which passes them on to the sink.
  ByteSink& begin(const NewMember& member);
  // Of the inflated bytes; 0: no checksum.
  void end(std::uint32_t crc);
  // The central directory and the end records.
  void finish();

  // What will have been written when the member that was begun has ended.
  const Placement& placement() const { return placement_; }

 private:
  // Passes on as many bytes as were announced, and no more.
  class Data final : public ByteSink {
   public:
    explicit Data(ByteSink& sink) : sink_(sink) {}

    void expect(const Member& member);
    std::uint64_t left() const { return left_; }
    void write(Bytes bytes) override;
    void copy(const ByteSource& source, std::uint64_t offset, std::uint64_t size) override;

   private:
    void take(std::uint64_t size);

    ByteSink& sink_;
    const Member* member_ = nullptr;
    std::uint64_t left_ = 0;
  };

  void write_directory();

  ByteSink& sink_;
  Placement placement_;
  Data data_;
  Member* open_ = nullptr;
  bool finished_ = false;
};

}  // namespace ptsd::container
