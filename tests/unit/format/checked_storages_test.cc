// SPDX-License-Identifier: Apache-2.0
#include "format/checked_storages.h"

#include <array>

#include <doctest/doctest.h>

#include "format/probe.h"
#include "support/zip_assembler.h"
#include "unit/checkpoint/fragments.h"

namespace ptsd::format {
namespace {

using checkpoint::StorageId;

// A source that says how much of it was read.
class Counted final : public ByteSource {
 public:
  explicit Counted(const MemorySource& source) : source_(source) {}

  using ByteSource::read;
  const std::string& name() const override { return source_.name(); }
  std::uint64_t size() const override { return source_.size(); }
  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    bytes += out.size();
    source_.read(offset, out);
  }

  mutable std::uint64_t bytes = 0;

 private:
  const MemorySource& source_;
};

TEST_CASE("a storage is read for its CRC once, however often it is opened") {
  const MemorySource file =
      test::zip()
          .torch_layout()
          .member("m/data.pkl", test::list({test::tensor(test::storage("0", 2), {2}, {1})}) + ".")
          .member("m/data/0", "01234567")
          .member("m/version", "3")
          .source();
  const Counted counted(file);
  const auto loaded = load(counted, Limits{});
  const std::array<const Loaded*, 1> inputs = {loaded.get()};
  CheckedStorages storages(inputs);
  const std::uint64_t before = counted.bytes;
  storages.open(0, StorageId{0});
  const std::uint64_t first = counted.bytes - before;
  CHECK(first >= 8);
  const auto again = storages.open(0, StorageId{0});
  CHECK(counted.bytes - before == first + (first - 8));  // all but the elements
  CHECK(as_text(again->read(0, 8)) == "01234567");
}

}  // namespace
}  // namespace ptsd::format
