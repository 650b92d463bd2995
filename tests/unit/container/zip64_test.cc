// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <string>

#include <doctest/doctest.h>

#include "base/crc32.h"
#include "container/zip_format.h"
#include "opened.h"

// An archive beyond 4 GiB, as PyTorch writes it: every offset and field was measured in a real
// one. Its bytes are made where they are read.

namespace ptsd::container {
namespace {

using test::error_of;
using test::extra_field;
using test::little_endian;

// Zeros, but for the pieces that were put in.
class SparseSource final : public ByteSource {
 public:
  using ByteSource::read;
  const std::string& name() const override { return name_; }
  std::uint64_t size() const override { return size_; }
  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    std::ranges::fill(out, std::byte{0});
    for (const auto& [begin, piece] : pieces_) {
      for (std::size_t i = 0; i < piece.size(); ++i) {
        const std::uint64_t place = begin + i;
        if (place >= offset && place - offset < out.size()) {
          out[place - offset] = static_cast<std::byte>(piece[i]);
        }
      }
    }
  }

  void put(std::uint64_t offset, const std::string& piece) {
    pieces_[offset] = piece;
    size_ = std::max(size_, offset + piece.size());
  }

 private:
  std::string name_ = "m.pt";
  std::uint64_t size_ = 0;
  std::map<std::uint64_t, std::string> pieces_;
};

struct Place {
  std::string name;
  std::uint64_t header_offset;
  std::uint64_t size;
  std::uint32_t crc;
};

std::string zip64_field(const Place& place, std::uint64_t compressed_size) {
  std::string values;
  if (place.size >= kMarker32) {
    values = little_endian(place.size, 8) + little_endian(compressed_size, 8);
  }
  if (place.header_offset >= kMarker32) values += little_endian(place.header_offset, 8);
  return values.empty() ? "" : extra_field(extra::kZip64, values);
}

std::string marked(std::uint64_t value) {
  return little_endian(std::min<std::uint64_t>(value, kMarker32), 4);
}

std::string flags_of(const Place& place) {
  return little_endian(place.size == 0 ? 0x0800 : 0x0808, 2);
}

// The local field says that the compressed size is 0, for it is written before the data.
void put_member(SparseSource& file, const Place& place) {
  const std::string zip64 = zip64_field(place, 0);
  const std::uint64_t unpadded =
      place.header_offset + 30 + place.name.size() + zip64.size() + extra::kHeaderSize;
  const std::string padding((64 - unpadded % 64) % 64, 'Z');
  const std::string extra = zip64 + extra_field(extra::kPadding, padding);
  file.put(place.header_offset, std::string("PK\3\4\0\0", 6) + flags_of(place) +
                                    std::string(18, '\0') + little_endian(place.name.size(), 2) +
                                    little_endian(extra.size(), 2) + place.name + extra);
  if (place.size == 0) return;
  const std::size_t width = zip64.empty() ? 4 : 8;
  file.put(unpadded + padding.size() + place.size, "PK\7\10" + little_endian(place.crc, 4) +
                                                       little_endian(place.size, width) +
                                                       little_endian(place.size, width));
}

std::string entry_of(const Place& place) {
  const std::string zip64 = zip64_field(place, place.size);
  return std::string("PK\1\2\0\0\0\0", 8) + flags_of(place) + std::string(6, '\0') +
         little_endian(place.crc, 4) + marked(place.size) + marked(place.size) +
         little_endian(place.name.size(), 2) + little_endian(zip64.size(), 2) +
         std::string(10, '\0') + marked(place.header_offset) + place.name + zip64;
}

void put_end(SparseSource& file, const std::vector<Place>& places, std::uint64_t directory) {
  std::string entries;
  for (const Place& place : places) {
    entries += entry_of(place);
  }
  const std::uint64_t count = places.size();
  const std::uint64_t end = directory + entries.size();
  const std::string zip64 = "PK\6\6" + little_endian(44, 8) + little_endian(0x002D031E, 4) +
                            std::string(8, '\0') + little_endian(count, 8) +
                            little_endian(count, 8) + little_endian(entries.size(), 8) +
                            little_endian(directory, 8);
  const std::string locator =
      "PK\6\7" + std::string(4, '\0') + little_endian(end, 8) + little_endian(1, 4);
  file.put(directory, entries + zip64 + locator + "PK\5\6" + std::string(4, '\0') +
                          little_endian(count, 2) + little_endian(count, 2) +
                          little_endian(entries.size(), 4) + marked(directory) +
                          std::string(2, '\0'));
}

const std::vector<Place>& places() {
  static const std::string small(12, '\0');
  static const std::vector<Place> kPlaces = {
      {"big/data.pkl", 0,             0x15E,         0x1234                },
      {"big/data/0",   0x1AE,         0x1'0000'0010, 0x5678                },
      {"big/data/1",   0x1'0000'0228, 12,            crc32(as_bytes(small))},
      {"big/data/2",   0x1'0000'02A4, 0,             0                     },
      {"big/version",  0x1'0000'0300, 12,            crc32(as_bytes(small))},
  };
  return kPlaces;
}

SparseSource big_archive() {
  SparseSource file;
  for (const Place& place : places()) {
    put_member(file, place);
  }
  put_end(file, places(), 0x1'0000'0364);
  return file;
}

TEST_CASE("beyond 4 GiB the values of the directory come from zip64 fields") {
  const SparseSource source = big_archive();
  const ZipReader zip(source, {});
  REQUIRE(zip.members().size() == places().size());
  for (std::size_t i = 0; i < places().size(); ++i) {
    CHECK(zip.members()[i].name == places()[i].name);
    CHECK(zip.members()[i].header_offset == places()[i].header_offset);
    CHECK(zip.members()[i].size == places()[i].size);
    CHECK(zip.members()[i].compressed_size == places()[i].size);
  }
}

TEST_CASE("beyond 4 GiB data offsets are read and predicted") {
  const SparseSource source = big_archive();
  const ZipReader zip(source, {});
  for (const Member& member : zip.members()) {
    CHECK(zip.data_offset(member) % 64 == 0);
    CHECK(zip.predicted_data_offset(member, 64) == zip.data_offset(member));
  }
}

TEST_CASE("a small member beyond 4 GiB is read, and its descriptor is 64-bit") {
  const SparseSource source = big_archive();
  const ZipReader zip(source, {});
  const Contents contents = zip.read(*zip.find("big/data/1"), 100);
  CHECK(contents.bytes.size() == 12);
  CHECK(!contents.warning);
  CHECK(zip.read(*zip.find("big/data/2"), 100).bytes.empty());
}

TEST_CASE("beyond 4 GiB every byte is accounted for") {
  const SparseSource source = big_archive();
  const Account account = ZipReader(source, {}).account();
  CHECK(account.slack.empty());
  CHECK(account.warnings.empty());
}

TEST_CASE("a member of 4 GiB is refused by the limit before anything is allocated") {
  const SparseSource source = big_archive();
  const ZipReader zip(source, {});
  CHECK(error_of([&] { zip.read(*zip.find("big/data/0"), 1 << 20); }) ==
        "limit: m.pt: big/data/0: 4294967312 bytes inflated, 1048576 are allowed");
}

}  // namespace
}  // namespace ptsd::container
