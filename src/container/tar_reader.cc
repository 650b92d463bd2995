// SPDX-License-Identifier: Apache-2.0
#include "container/tar_reader.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/quote.h"

namespace ptsd::container {
namespace {

constexpr std::uint64_t kBlock = 512;
constexpr std::uint64_t kLargestExtension = std::uint64_t{1} << 20;  // bytes of pax records, a name

struct TarField {
  std::size_t offset;
  std::size_t size;
};
constexpr TarField kName = {0, 100};
constexpr TarField kSize = {124, 12};
constexpr TarField kChecksum = {148, 8};
constexpr TarField kType = {156, 1};
constexpr TarField kMagic = {257, 5};
constexpr TarField kPrefix = {345, 155};

std::string_view field(std::string_view header, TarField field) {
  return header.substr(field.offset, field.size);
}

std::string_view up_to_zero(std::string_view text) {
  return text.substr(0, text.find('\0'));
}

// Behind 0x80; 0xff begins a negative number.
std::optional<std::uint64_t> base256(std::string_view digits) {
  if (!digits.starts_with('\x80')) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : digits.substr(1)) {
    if (value >> 56 != 0) return std::nullopt;
    value = value << 8 | static_cast<unsigned char>(c);
  }
  return value;
}

std::optional<std::uint64_t> parse(std::string_view digits, int base) {
  std::uint64_t value = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> octal(std::string_view digits) {
  digits = up_to_zero(digits);
  while (digits.starts_with(' ')) {
    digits.remove_prefix(1);
  }
  while (digits.ends_with(' ')) {
    digits.remove_suffix(1);
  }
  return parse(digits, 8);
}

bool is_file(char type) {
  return type == '0' || type == '\0';
}

// About the member that follows.
bool is_extension(char type) {
  return type == 'x' || type == 'L';
}

class Reader {
 public:
  explicit Reader(const ByteSource& source) : source_(source) {}

  std::vector<TarMember> read() {
    while (source_.size() - position_ >= kBlock) {
      const auto block = source_.read(position_, kBlock);
      if (std::ranges::all_of(block, [](std::byte b) { return b == std::byte{0}; })) break;
      read_header(as_text(block));
    }
    return std::move(members_);
  }

 private:
  [[noreturn]] void fail(std::string message) const {
    source_.fail_at(position_, Error::Kind::Malformed, std::move(message));
  }

  void read_header(std::string_view header) {
    check(header);
    const std::uint64_t size = size_of(header);
    const char type = field(header, kType)[0];
    check_type(type, size);
    const std::uint64_t data = position_ + kBlock;
    if (data > source_.size() || size > source_.size() - data) {
      fail(fmt::format("a member of {} bytes, the archive has {} more", size,
                       source_.size() - std::min(data, source_.size())));
    }
    if (is_extension(type)) {
      extend(type, data, size);
    } else {
      if (is_file(type)) add(header, data, size);
      next_ = {};
    }
    const std::uint64_t padding = (kBlock - size % kBlock) % kBlock;
    position_ = data + size + std::min(padding, source_.size() - data - size);
  }

  // What follows of an archive depends on these two. Readers disagree about whether links and
  // directories have data, and about what 'g', 'X', 'K', 'S' and 7 mean.
  void check_type(char type, std::uint64_t size) const {
    if (!is_file(type) && !is_extension(type) && type != '5') {
      fail(
          fmt::format("a member of type {}, which readers read differently: expected a file ('0'), "
                      "a directory ('5'), or 'x' or 'L' about one",
                      quote({&type, 1})));
    }
    if (type == '5' && size > 0) {
      fail(fmt::format("a directory of {} bytes, which some readers skip: expected 0", size));
    }
    if (is_extension(type) && next_.is_described) {
      fail("a second header about one member, of which readers believe one or the other");
    }
  }

  void add(std::string_view header, std::uint64_t data, std::uint64_t size) {
    const std::string_view prefix = up_to_zero(field(header, kPrefix));
    const std::string_view own = up_to_zero(field(header, kName));
    std::string name =
        next_.name.value_or(fmt::format("{}{}{}", prefix, prefix.empty() ? "" : "/", own));
    if (own.ends_with('/') || name.ends_with('/')) {
      fail(fmt::format("a file {}, which some readers take for a directory", quote(name)));
    }
    members_.push_back({.name = std::move(name), .offset = data, .size = size});
  }

  // The sum of the bytes, with blanks for itself.
  void check(std::string_view header) const {
    std::uint64_t sum = kChecksum.size * ' ';
    for (std::size_t i = 0; i < header.size(); ++i) {
      const bool own = i >= kChecksum.offset && i < kChecksum.offset + kChecksum.size;
      if (!own) sum += static_cast<unsigned char>(header[i]);
    }
    if (field(header, kMagic) != "ustar") fail("a tar header without 'ustar'");
    if (octal(field(header, kChecksum)) != sum) fail("a tar header with a wrong checksum");
  }

  std::uint64_t size_of(std::string_view header) const {
    const std::string_view digits = field(header, kSize);
    const bool binary = (static_cast<unsigned char>(digits[0]) & 0x80u) != 0;
    const std::optional<std::uint64_t> own = binary ? base256(digits) : octal(digits);
    if (!own) fail("a tar header whose size is no number");
    return next_.size.value_or(*own);
  }

  void extend(char type, std::uint64_t data, std::uint64_t size) {
    if (size > kLargestExtension) {
      fail(fmt::format("{} bytes about one member, expected at most {}", size, kLargestExtension));
    }
    const auto bytes = source_.read(data, size);
    next_.is_described = true;
    if (type == 'L') {
      next_.name = up_to_zero(as_text(bytes));
    } else {
      read_records(as_text(bytes));
    }
  }

  // Each is its own length in decimal digits, a blank, KEY=VALUE and a newline.
  void read_records(std::string_view text) {
    while (!text.empty()) {
      const std::size_t blank = std::min(text.find(' '), text.size());
      const auto length = parse(text.substr(0, blank), 10);
      if (!length || *length > text.size() || *length < blank + 2 || text[*length - 1] != '\n') {
        fail("a broken pax record");
      }
      const std::string_view record = text.substr(blank + 1, *length - blank - 2);
      const std::size_t equals = std::min(record.find('='), record.size());
      read_record(record.substr(0, equals), record.substr(std::min(equals + 1, record.size())));
      text.remove_prefix(*length);
    }
  }

  void read_record(std::string_view key, std::string_view value) {
    if (key.starts_with("GNU.sparse")) {
      fail("a sparse file in pax records, of which readers make different files");
    }
    if (key == "path") next_.name = value;
    if (key == "size") {
      next_.size = parse(value, 10);
      if (!next_.size) fail("a pax record whose size is no number");
    }
  }

  // What extensions say about the next member.
  struct Next {
    bool is_described = false;
    std::optional<std::string> name = {};
    std::optional<std::uint64_t> size = {};
  };

  const ByteSource& source_;
  std::uint64_t position_ = 0;
  std::vector<TarMember> members_;
  Next next_;
};

}  // namespace

std::vector<TarMember> read_tar(const ByteSource& source) {
  return Reader(source).read();
}

}  // namespace ptsd::container
