// SPDX-License-Identifier: Apache-2.0
#include "base/read_ahead.h"

#include <algorithm>
#include <string>

#include <doctest/doctest.h>

#include "base/error.h"

namespace ptsd {
namespace {

// Bytes that tell their place, and how often they were read.
class Counting final : public ByteSource {
 public:
  explicit Counting(std::uint64_t size) : size_(size) {}

  using ByteSource::read;
  const std::string& name() const override { return name_; }
  std::uint64_t size() const override { return size_; }
  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    ++reads;
    if (broken) fail(Error::Kind::Io, "cannot read");
    if (offset > size_ || out.size() > size_ - offset) fail(Error::Kind::Io, "past the end");
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = at(offset + i);
    }
  }
  static std::byte at(std::uint64_t offset) { return static_cast<std::byte>(offset * 7 / 5); }

  mutable int reads = 0;
  bool broken = false;

 private:
  std::string name_ = "m.pt";
  std::uint64_t size_;
};

bool is_read(const ReadAhead& ahead, std::uint64_t offset, std::uint64_t size) {
  const std::vector<std::byte> bytes = ahead.read(offset, size);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] != Counting::at(offset + i)) return false;
  }
  return bytes.size() == size;
}

TEST_CASE("small reads one behind the other become a few") {
  const Counting source(100'000);
  const ReadAhead ahead(source);
  for (std::uint64_t offset = 0; offset < source.size(); offset += 100) {
    REQUIRE(is_read(ahead, offset, 100));
  }
  CHECK(source.reads < 10);
  CHECK(ahead.name() == "m.pt");
  CHECK(ahead.size() == source.size());
}

TEST_CASE("reads in any order have the bytes of their place") {
  const Counting source(50'000);
  const ReadAhead ahead(source);
  for (const std::uint64_t offset : {40'000U, 0U, 16'380U, 16'384U, 30'000U, 29'999U, 49'999U}) {
    CHECK(is_read(ahead, offset, 1));
    CHECK(is_read(ahead, offset, std::min<std::uint64_t>(5000, source.size() - offset)));
    CHECK(is_read(ahead, offset, std::min<std::uint64_t>(4096, source.size() - offset)));
  }
  CHECK(is_read(ahead, 50'000, 0));
}

TEST_CASE("a large read goes to the source, and a small one not beyond its end") {
  const Counting source(50'000);
  const ReadAhead ahead(source);
  CHECK(is_read(ahead, 0, 50'000));
  CHECK(is_read(ahead, 0, ReadAhead::kLargest + 1));
  CHECK(source.reads == 2);
  CHECK_THROWS_WITH_AS(ahead.read(49'999, 2), "m.pt: past the end", Error);
  CHECK_THROWS_WITH_AS(ahead.read(60'000, 0), "m.pt: past the end", Error);
}

TEST_CASE("what could not be read is not there the next time") {
  Counting source(50'000);
  const ReadAhead ahead(source);
  CHECK(is_read(ahead, 0, 10));
  source.broken = true;
  CHECK_THROWS_AS(ahead.read(30'000, 10), Error);
  CHECK_THROWS_AS(ahead.read(30'000, 10), Error);
  source.broken = false;
  CHECK(is_read(ahead, 30'000, 10));
  CHECK(is_read(ahead, 0, 10));
}

TEST_CASE("every source has a window of its own") {
  const Counting one(1000);
  const Counting other(1000);
  ReadAheads all;
  CHECK(&all.of(one) == &all.of(one));
  CHECK(&all.of(one) != &all.of(other));
}

}  // namespace
}  // namespace ptsd
