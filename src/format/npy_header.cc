// SPDX-License-Identifier: Apache-2.0
#include "format/npy_header.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/quote.h"
#include "format/npy.h"

namespace ptsd::format {
namespace {

constexpr std::uint64_t kLargestHeader = 10'000;  // bytes of the dict, as for numpy.load
constexpr std::size_t kMostDimensions = 64;       // numpy 2

[[noreturn]] void fail(const Where& where, std::string message,
                       Error::Kind kind = Error::Kind::Malformed) {
  throw Error(kind, where, std::move(message));
}

// {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
class Parser {
 public:
  Parser(std::string_view text, const Where& where) : whole_(text), text_(text), where_(where) {}

  void parse() {
    expect('{');
    while (!accept('}')) {
      const std::string_view key = string();
      expect(':');
      value(key);
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (!text_.empty() || !descr || !fortran || !shape) fail_here();
  }

  std::optional<std::string_view> descr;  // empty: a list of fields
  std::optional<bool> fortran;
  std::optional<std::vector<std::int64_t>> shape;

 private:
  Where here() const {
    Where where = where_;
    where.offset = where_.offset.value_or(0) + (whole_.size() - text_.size());
    return where;
  }

  [[noreturn]] void fail_here() const {
    fail(here(),
         fmt::format("the header is no dict of descr, fortran_order and shape: {}", quote(whole_)));
  }

  void skip_space() {
    text_.remove_prefix(std::min(text_.find_first_not_of(" \t\r\n"), text_.size()));
  }

  bool accept(char c) {
    skip_space();
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }

  void expect(char c) {
    if (!accept(c)) fail_here();
  }

  bool accept_word(std::string_view word) {
    skip_space();
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }

  std::string_view string() {
    const char mark = accept('\'') ? '\'' : '"';
    if (mark == '"') expect('"');
    const std::size_t end = text_.find(mark);
    if (end == std::string_view::npos || text_.substr(0, end).find('\\') < end) fail_here();
    const std::string_view found = text_.substr(0, end);
    text_.remove_prefix(end + 1);
    return found;
  }

  void value(std::string_view key) {
    if (key == "descr" && !descr) return read_descr();
    if (key == "fortran_order" && !fortran) return read_fortran();
    if (key == "shape" && !shape) return read_shape();
    fail_here();
  }

  void read_descr() {
    skip_space();
    if (text_.starts_with('[') || text_.starts_with('(')) {
      fail(here(), "a structured array, torch has none", Error::Kind::Unsupported);
    }
    descr = string();
  }

  void read_fortran() {
    if (accept_word("True")) {
      fortran = true;
    } else if (accept_word("False")) {
      fortran = false;
    } else {
      fail_here();
    }
  }

  void read_shape() {
    expect('(');
    shape.emplace();
    while (!accept(')')) {
      shape->push_back(integer());
      if (shape->size() > kMostDimensions) fail_here();
      const bool more = accept(',');
      // (3) is a number and no tuple.
      if (!more && shape->size() == 1) fail_here();
      if (!more) {
        expect(')');
        break;
      }
    }
  }

  std::int64_t integer() {
    skip_space();
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), number);
    if (error != std::errc() || number < 0) fail_here();
    text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
    accept('L');  // Python 2
    return number;
  }

  std::string_view whole_;
  std::string_view text_;
  const Where& where_;
};

// Arrays of objects and those of dtypes that torch lacks have none.
void set_dtype(NpyHeader& header, std::string_view descr) {
  std::string_view code = descr;
  const char order = code.empty() ? ' ' : code.front();
  if (std::string_view("<>|=").find(order) != std::string_view::npos) code.remove_prefix(1);
  const auto dtype = find_npy_dtype(code);
  if (code.starts_with('O')) {
    header.lacking = "an array of Python objects, which are a pickle";
  } else if (!dtype) {
    header.lacking = fmt::format("an array of numpy's {}, which torch lacks", quote(descr));
  } else {
    header.layout.dtype = *dtype;
    header.layout.big_endian = order == '>';
  }
}

}  // namespace

NpyHeader read_npy_header(const ByteSource& file, const Where& input) {
  Where where = input;
  where.offset = 0;
  constexpr std::uint64_t kLongestStart = 12;
  const auto start = file.read(0, std::min(file.size(), kLongestStart));
  if (!as_text(start).starts_with(kNpyMagic) || start.size() < 10) {
    fail(where, "begins with no header of numpy");
  }
  const unsigned version = std::to_integer<unsigned>(start[6]);
  const unsigned minor = std::to_integer<unsigned>(start[7]);
  if (version < 1 || version > 3 || minor != 0) {
    fail(
        where,
        fmt::format("version {}.{} of the .npy format, known are 1.0, 2.0 and 3.0", version, minor),
        Error::Kind::Unsupported);
  }
  const std::size_t size_bytes = version == 1 ? 2 : 4;
  const std::size_t begin = 8 + size_bytes;
  if (start.size() < begin) fail(where, "the file ends inside the header");
  std::uint64_t length = 0;
  for (std::size_t i = size_bytes; i-- > 0;) {
    length = length << 8 | std::to_integer<std::uint64_t>(start[8 + i]);
  }
  if (length > kLargestHeader) {
    fail(where, fmt::format("a header of {} bytes, numpy.load takes {}", length, kLargestHeader),
         Error::Kind::Limit);
  }
  if (length > file.size() - begin) fail(where, "the file ends inside the header");
  const auto text = file.read(begin, length);
  where.offset = begin;
  Parser parser(as_text(text), where);
  parser.parse();
  NpyHeader header = {.layout = {}, .size = begin + length};
  set_dtype(header, *parser.descr);
  header.layout.fortran = *parser.fortran;
  header.layout.shape = std::move(*parser.shape);
  return header;
}

}  // namespace ptsd::format
