// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_source.h"
#include "container/zip_format.h"

// Zip archives for tests, sound or broken in one chosen place:
//
//   zip().torch_layout().member("m/data.pkl", "x").local(local_header::kCrc, 7).bytes()
//
// Everything is computed as a sound archive has it; then the chosen fields are overwritten, so a
// wrong value changes nothing else. Written from the specification, and sharing only the record
// layouts with the code under test. A name of a field chooses the record; a call that follows
// member() means that member.

namespace ptsd::test {

class ZipAssembler {
 public:
  // As PyTorch writes: "FB" padding, data descriptors, no sizes in local headers, zip64 end.
  ZipAssembler& torch_layout(std::uint64_t alignment = 64);
  // A zip64 end record and locator also in the plain layout.
  ZipAssembler& zip64_end(bool on = true);

  ZipAssembler& member(std::string name, std::string_view data);
  ZipAssembler& deflated(std::string name, std::string_view data);
  // Compressed bytes as they are, said to inflate to `size`.
  ZipAssembler& raw(std::string name, std::string_view data, std::uint64_t size, std::uint32_t crc);
  // Bytes of no record before the next member, or before the directory.
  ZipAssembler& gap(std::string_view bytes);

  // The last member.
  ZipAssembler& local_name(std::string name);
  ZipAssembler& local_extra(std::string_view bytes);
  ZipAssembler& central_extra(std::string_view bytes);
  ZipAssembler& descriptor(std::string_view bytes);  // replaces it
  ZipAssembler& flags(std::uint16_t value);          // in both headers
  ZipAssembler& method(std::uint16_t value);         // in both headers
  ZipAssembler& crc(std::uint32_t value);            // wherever it stands
  ZipAssembler& without_central_entry();
  template <class T>
  ZipAssembler& local(container::Field<T> field, std::type_identity_t<T> value) {
    return patch(Record::Local, field.offset, sizeof(T), value);
  }
  template <class T>
  ZipAssembler& central(container::Field<T> field, std::type_identity_t<T> value) {
    return patch(Record::Central, field.offset, sizeof(T), value);
  }

  // The end.
  ZipAssembler& before_end(std::string_view bytes);  // between the directory and the end records
  ZipAssembler& comment(std::string_view bytes);
  ZipAssembler& trailing(std::string_view bytes);
  template <class T>
  ZipAssembler& end(container::Field<T> field, std::type_identity_t<T> value) {
    return patch(Record::End, field.offset, sizeof(T), value);
  }
  template <class T>
  ZipAssembler& zip64(container::Field<T> field, std::type_identity_t<T> value) {
    return patch(Record::Zip64End, field.offset, sizeof(T), value);
  }
  template <class T>
  ZipAssembler& locator(container::Field<T> field, std::type_identity_t<T> value) {
    return patch(Record::Locator, field.offset, sizeof(T), value);
  }

  std::string text() const;
  std::vector<std::byte> bytes() const;
  MemorySource source() const { return {"m.pt", bytes()}; }

 private:
  enum class Record { Local, Central, End, Zip64End, Locator };

  struct Patch {
    Record record;
    std::size_t member;  // for the headers
    std::size_t offset;
    std::size_t width;
    std::uint64_t value;
  };

  struct Entry {
    std::string name;
    std::string local_name;
    std::string data;
    std::uint64_t size;
    std::uint32_t crc;
    std::uint16_t method;
    std::uint16_t flags;
    std::string gap;
    std::string local_extra = {};
    std::string central_extra = {};
    std::string descriptor = {};
    bool has_descriptor_of_its_own = false;
    bool listed = true;
  };

  class Writer;

  ZipAssembler& add(std::string name, std::string data, std::uint64_t size, std::uint32_t crc,
                    std::uint16_t method);
  ZipAssembler& patch(Record record, std::size_t offset, std::size_t width, std::uint64_t value);
  Entry& last() { return entries_.back(); }

  bool torch_ = false;
  std::uint64_t alignment_ = 64;
  bool zip64_end_ = false;
  std::vector<Entry> entries_;
  std::vector<Patch> patches_;
  std::string gap_;
  std::string before_end_;
  std::string comment_;
  std::string trailing_;
};

inline ZipAssembler zip() {
  return {};
}

// `value` in `width` bytes, little-endian.
std::string little_endian(std::uint64_t value, std::size_t width);
std::string extra_field(std::uint16_t id, std::string_view data);

}  // namespace ptsd::test
