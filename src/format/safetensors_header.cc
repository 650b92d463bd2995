// SPDX-License-Identifier: Apache-2.0
#include "format/safetensors_header.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/byte_reader.h"
#include "base/checked.h"
#include "base/quote.h"
#include "format/json_reader.h"

namespace ptsd::format {

namespace {

constexpr auto kFields = std::to_array<std::string_view>({"dtype", "shape", "data_offsets"});

// The fields of one entry that were met.
class Seen {
 public:
  // False for one that was met before.
  bool add(const std::string& field) {
    const auto* const known = std::ranges::find(kFields, field);
    if (known == kFields.end()) return others_.insert(field).second;
    bool& met = known_[static_cast<std::size_t>(known - kFields.begin())];
    return !std::exchange(met, true);
  }

  // One that has to be there.
  std::optional<std::string_view> missing() const {
    const auto* const found = std::ranges::find(known_, false);
    if (found == known_.end()) return std::nullopt;
    return kFields[static_cast<std::size_t>(found - known_.begin())];
  }

 private:
  std::array<bool, kFields.size()> known_ = {};
  std::set<std::string> others_;
};

// The JSON text, after checks of its size that come before any allocation.
std::vector<std::byte> read_text(const ByteSource& source) {
  if (source.size() < kSafetensorsPrefix) {
    source.fail_at(0, Error::Kind::Malformed,
                   fmt::format("{} bytes, a safetensors file has at least 8", source.size()));
  }
  const std::vector<std::byte> prefix = source.read(0, kSafetensorsPrefix);
  const Where origin = {.file = source.name()};
  const std::uint64_t size = ByteReader(prefix, origin).u64_le("the size of the header");
  if (size > kLargestSafetensorsHeader) {
    source.fail_at(0, Error::Kind::Malformed,
                   fmt::format("a safetensors header of {} bytes, the largest has {}", size,
                               kLargestSafetensorsHeader));
  }
  if (size > source.size() - kSafetensorsPrefix) {
    source.fail_at(0, Error::Kind::Malformed,
                   fmt::format("a safetensors header of {} bytes, {} are left in the file", size,
                               source.size() - kSafetensorsPrefix));
  }
  return source.read(kSafetensorsPrefix, size);
}

// Reads the JSON text to entries whose offsets still count from the beginning of the data.
class Parser {
 public:
  Parser(std::string_view text, const Where& origin, const Limits& limits)
      : json_(text, origin), limits_(limits) {
    if (!text.starts_with('{')) json_.fail("a safetensors header that does not begin with {");
  }

  SafetensorsHeader parse() {
    json_.begin_object();
    while (std::optional<std::string> name = json_.key()) {
      if (*name == kSafetensorsMetadata) {
        parse_metadata();
      } else {
        parse_entry(*std::move(name));
      }
    }
    json_.end();
    check_names();
    return std::move(header_);
  }

 private:
  void parse_metadata() {
    if (has_metadata_) json_.fail("'__metadata__' stands twice");
    has_metadata_ = true;
    if (json_.peek() == JsonReader::Type::Null) {
      json_.skip(0);
      return;
    }
    json_.set_subject("'__metadata__'");
    json_.begin_object();
    std::set<std::string> seen;
    while (std::optional<std::string> key = json_.key()) {
      if (!seen.insert(*key).second) json_.fail("the key " + quote(*key) + " stands twice");
      json_.set_subject("'__metadata__': " + quote(*key));
      header_.metadata.emplace_back(*std::move(key), json_.string());
      json_.set_subject("'__metadata__'");
    }
    json_.set_subject("");
  }

  void parse_entry(std::string name) {
    SafetensorsEntry entry = {.name = std::move(name), .key = json_.offset()};
    json_.set_subject(quote(entry.name));
    Seen seen;
    json_.begin_object();
    while (const std::optional<std::string> field = json_.key()) {
      if (!seen.add(*field)) json_.fail("the field " + quote(*field) + " stands twice");
      parse_field(entry, *field);
    }
    if (const std::optional<std::string_view> missing = seen.missing()) {
      json_.fail_at(entry.key, Error::Kind::Malformed, fmt::format("no field '{}'", *missing));
    }
    json_.set_subject("");
    entry.key += kSafetensorsPrefix;
    header_.tensors.push_back(std::move(entry));
  }

  void parse_field(SafetensorsEntry& entry, const std::string& field) {
    if (field == "dtype") return parse_dtype(entry);
    if (field == "shape") return parse_shape(entry);
    if (field == "data_offsets") return parse_offsets(entry);
    if (header_.warnings.empty()) {
      header_.warnings.push_back({.where = {},
                                  .message = fmt::format("the field {} of {}, which safetensors "
                                                         "does not have, is ignored",
                                                         quote(field), quote(entry.name))});
    }
    json_.skip(limits_.depth);
  }

  void parse_dtype(SafetensorsEntry& entry) {
    const std::string name = json_.string();
    entry.type = find_safetensors_type(name);
    if (entry.type == nullptr) json_.fail("an unknown dtype: " + quote(name));
  }

  void parse_shape(SafetensorsEntry& entry) {
    json_.begin_array();
    while (json_.item()) {
      const std::uint64_t size = json_.unsigned_integer();
      const std::optional<std::int64_t> narrowed = narrow<std::int64_t>(size);
      if (!narrowed) json_.fail(fmt::format("a dimension of {} elements", size));
      entry.shape.push_back(*narrowed);
      if (entry.shape.size() > limits_.dimensions) {
        json_.fail_at(
            json_.offset(), Error::Kind::Limit,
            fmt::format("more than {} dimensions (--limit dimensions=N)", limits_.dimensions));
      }
    }
  }

  void parse_offsets(SafetensorsEntry& entry) {
    json_.begin_array();
    if (!json_.item()) json_.fail("data_offsets that are empty, two offsets expected");
    entry.begin = json_.unsigned_integer();
    if (!json_.item()) json_.fail("one offset in data_offsets, two expected");
    entry.end = json_.unsigned_integer();
    if (json_.item()) json_.fail("more than two offsets in data_offsets");
  }

  void check_names() {
    std::vector<const SafetensorsEntry*> sorted;
    sorted.reserve(header_.tensors.size());
    for (const SafetensorsEntry& entry : header_.tensors) {
      sorted.push_back(&entry);
    }
    std::ranges::sort(sorted, [](const SafetensorsEntry* a, const SafetensorsEntry* b) {
      return std::tie(a->name, a->key) < std::tie(b->name, b->key);
    });
    for (std::size_t i = 1; i < sorted.size(); ++i) {
      if (sorted[i]->name != sorted[i - 1]->name) continue;
      json_.fail_at(sorted[i]->key - kSafetensorsPrefix, Error::Kind::Malformed,
                    fmt::format("the tensor {} stands twice, first at 0x{:x}",
                                quote(sorted[i]->name), sorted[i - 1]->key));
    }
  }

  JsonReader json_;
  const Limits& limits_;
  SafetensorsHeader header_;
  bool has_metadata_ = false;
};

[[noreturn]] void fail_entry(const ByteSource& source, const SafetensorsEntry& entry,
                             std::string message) {
  source.fail_at(entry.key, Error::Kind::Malformed, quote(entry.name) + ": " + std::move(message));
}

std::uint64_t bytes_of(const ByteSource& source, const SafetensorsEntry& entry) {
  const std::optional<std::uint64_t> count = safetensors_elements(entry.shape);
  if (!count) fail_entry(source, entry, "a shape of more than 2^64 elements");
  const auto bits = checked_mul(*count, std::uint64_t{entry.type->bits});
  if (!bits) fail_entry(source, entry, "a shape of more than 2^64 bits");
  if (*bits % 8 != 0) {
    fail_entry(source, entry,
               fmt::format("{} bits of {}, which are no whole bytes", *bits, entry.type->name));
  }
  return *bits / 8;
}

void check_size(const ByteSource& source, const SafetensorsEntry& entry) {
  if (entry.end < entry.begin) {
    fail_entry(source, entry,
               fmt::format("data_offsets that run backwards: {} to {}", entry.begin, entry.end));
  }
  const std::uint64_t needed = bytes_of(source, entry);
  if (entry.end - entry.begin != needed) {
    fail_entry(source, entry,
               fmt::format("{} bytes of data, its shape and dtype need {}", entry.end - entry.begin,
                           needed));
  }
}

// Whether this one begins where the one before it ends.
void check_neighbours(const ByteSource& source, const SafetensorsEntry* before,
                      const SafetensorsEntry& entry) {
  const std::uint64_t end = before == nullptr ? 0 : before->end;
  if (entry.begin == end) return;
  if (before == nullptr) {
    fail_entry(source, entry,
               fmt::format("begins at {} of the data, and nothing lies before it", entry.begin));
  }
  if (entry.begin < end) {
    fail_entry(source, entry,
               fmt::format("begins at {} of the data, inside of {}, which ends at {}", entry.begin,
                           quote(before->name), end));
  }
  fail_entry(source, entry,
             fmt::format("begins at {} of the data, {} bytes behind the end of {}", entry.begin,
                         entry.begin - end, quote(before->name)));
}

void check_end(const ByteSource& source, const SafetensorsEntry* last, std::uint64_t size) {
  const std::uint64_t end = last == nullptr ? 0 : last->end;
  if (end > size) {
    fail_entry(source, *last,
               fmt::format("ends at {} of the data, of which there are {} bytes", end, size));
  }
  if (end < size) {
    source.fail_at(source.size() - (size - end), Error::Kind::Malformed,
                   fmt::format("{} bytes that belong to no tensor at the end of the file{}",
                               size - end, last == nullptr ? "" : ", behind " + quote(last->name)));
  }
}

void check_layout(const ByteSource& source, std::vector<SafetensorsEntry>& entries,
                  std::uint64_t data_size) {
  for (const SafetensorsEntry& entry : entries) {
    check_size(source, entry);
  }
  std::ranges::stable_sort(entries, [](const SafetensorsEntry& a, const SafetensorsEntry& b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  const SafetensorsEntry* before = nullptr;
  for (const SafetensorsEntry& entry : entries) {
    check_neighbours(source, before, entry);
    before = &entry;
  }
  check_end(source, before, data_size);
}

}  // namespace

SafetensorsHeader read_safetensors_header(const ByteSource& source, const Limits& limits) {
  const std::vector<std::byte> text = read_text(source);
  const Where origin = {.file = source.name(), .offset = kSafetensorsPrefix};
  SafetensorsHeader header = Parser(as_text(text), origin, limits).parse();
  const std::uint64_t data = kSafetensorsPrefix + text.size();
  check_layout(source, header.tensors, source.size() - data);
  for (SafetensorsEntry& entry : header.tensors) {
    entry.begin += data;
    entry.end += data;
  }
  for (Warning& warning : header.warnings) {
    warning.where.file = source.name();
  }
  return header;
}

}  // namespace ptsd::format
