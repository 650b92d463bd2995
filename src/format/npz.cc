// SPDX-License-Identifier: Apache-2.0
#include "format/npz.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/quote.h"
#include "container/zip_reader.h"
#include "format/assembly.h"
#include "format/npy_header.h"

namespace ptsd::format {

using container::Member;
using container::ZipReader;

namespace {

constexpr std::string_view kSuffix = ".npy";

// A part of a source that it owns.
class OwnedRange final : public ByteSource {
 public:
  OwnedRange(std::unique_ptr<ByteSource> whole, std::uint64_t begin, std::uint64_t size)
      : whole_(std::move(whole)), part_(*whole_, begin, size) {}

  using ByteSource::read;
  const std::string& name() const override { return part_.name(); }
  std::uint64_t size() const override { return part_.size(); }
  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    part_.read(offset, out);
  }

 private:
  std::unique_ptr<ByteSource> whole_;
  RangeSource part_;
};

// The elements in a member, behind its header. The CRC is that of both.
class MemberBytes final : public StorageBytes {
 public:
  MemberBytes(const ZipReader& zip, const Member& member, std::uint64_t begin, std::uint64_t size,
              std::uint64_t limit)
      : zip_(zip), member_(member), begin_(begin), size_(size), limit_(limit) {}

  std::uint64_t size() const override { return size_; }
  std::optional<StoredRange> range() const override { return std::nullopt; }
  std::unique_ptr<ByteSource> open() const override {
    return std::make_unique<OwnedRange>(zip_.open(member_, limit_), begin_, size_);
  }

 private:
  const ZipReader& zip_;
  const Member& member_;
  std::uint64_t begin_;
  std::uint64_t size_;
  std::uint64_t limit_;
};

FileFacts facts_of(const ByteSource& source, std::string_view format) {
  return {.format = format,
          .bytes = source.size(),
          .writer = "numpy",
          .has_pickle = false,
          .has_checksums = false};
}

// The bytes of the elements; those of the file, if these are too few.
std::uint64_t element_bytes(Assembly& assembly, const NpyHeader& header, std::uint64_t file_size,
                            const Where& where) {
  const std::uint64_t there = file_size - header.size;
  const auto needed = tensor::byte_count(header.layout.shape, header.layout.dtype);
  if (!needed || *needed >= there) return there;
  assembly.warn(
      {.where = where, .message = fmt::format("{} bytes behind the elements", there - *needed)});
  return *needed;
}

class Npz {
 public:
  Npz(const ByteSource& source, const Limits& limits)
      : limits_(limits),
        zip_(std::make_shared<ZipReader>(source, limits)),
        assembly_({.file = source.name()}, facts_of(source, "npz")) {}

  std::unique_ptr<Loaded> load() {
    assembly_.facts().has_checksums = zip_->has_checksums();
    for (const Warning& warning : zip_->warnings()) {
      assembly_.warn(warning);
    }
    std::vector<pickle::NodeId> pairs;
    for (const Member& member : zip_->members()) {
      const Where where = where_of(member);
      if (!member.name.ends_with(kSuffix)) {
        assembly_.warn({.where = where, .message = "no .npy file: left out"});
        continue;
      }
      const std::optional<pickle::NodeId> value = tensor(member, where);
      if (!value) continue;
      const std::string_view name = member.name.substr(0, member.name.size() - kSuffix.size());
      pairs.insert(pairs.end(), {assembly_.builder().str(name), *value});
    }
    assembly_.keep(zip_);
    return assembly_.finish(assembly_.builder().dict(pairs), limits_);
  }

 private:
  Where where_of(const Member& member) const {
    return {.file = zip_->source().name(), .member = std::string(member.name)};
  }

  // Nothing for what torch cannot have.
  std::optional<pickle::NodeId> tensor(const Member& member, const Where& where) {
    const NpyHeader header = read_npy_header(*zip_->peek(member), where);
    if (!header.lacking.empty()) {
      assembly_.warn({.where = where, .message = header.lacking + ": left out"});
      std::string& left_out = assembly_.facts().left_out;
      if (left_out.empty()) left_out = quote(member.name) + " is " + header.lacking;
      return std::nullopt;
    }
    const std::uint64_t size = element_bytes(assembly_, header, member.size, where);
    return numpy_tensor(
        assembly_, header.layout,
        std::make_unique<MemberBytes>(*zip_, member, header.size, size, limits_.inflated_bytes),
        where, "the array has ");
  }

  Limits limits_;
  std::shared_ptr<ZipReader> zip_;
  Assembly assembly_;
};

}  // namespace

std::unique_ptr<Loaded> load_npy(const Input& input, const Limits& limits) {
  const ByteSource& source = input.source;
  const Where where = {.file = source.name()};
  Assembly assembly(where, facts_of(source, "npy"));
  const NpyHeader header = read_npy_header(source, where);
  if (!header.lacking.empty()) source.fail(Error::Kind::Unsupported, header.lacking);
  const std::uint64_t size = element_bytes(assembly, header, source.size(), where);
  const pickle::NodeId root =
      numpy_tensor(assembly, header.layout, std::make_unique<RangeBytes>(source, header.size, size),
                   where, "the array has ");
  return assembly.finish(root, limits);
}

std::unique_ptr<Loaded> load_npz(const Input& input, const Limits& limits) {
  return Npz(input.source, limits).load();
}

}  // namespace ptsd::format
