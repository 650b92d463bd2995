// SPDX-License-Identifier: Apache-2.0
#include "format/name_map.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/quote.h"

namespace ptsd::format {
namespace {

constexpr std::uint64_t kLargestMap = std::uint64_t{1} << 30;  // bytes
constexpr std::string_view kBlanks = " \t\r";

// Collects the pairs of one flat object, and refuses anything else where it stands.
class MapReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  MapReader(const ByteSource& source, NameMap& names) : source_(source), names_(names) {}

  bool start_object(std::size_t) override { return depth_++ == 0; }
  bool end_object() override { return true; }
  bool key(string_t& name) override {
    key_ = name;
    if (names_.contains(name)) fail(0, quote(name) + " stands twice");
    return true;
  }
  bool string(string_t& text) override {
    if (depth_ == 0) return false;
    names_.emplace(key_, text);
    return true;
  }
  bool null() override { return false; }
  bool boolean(bool) override { return false; }
  bool number_integer(number_integer_t) override { return false; }
  bool number_unsigned(number_unsigned_t) override { return false; }
  bool number_float(number_float_t, const string_t&) override { return false; }
  bool binary(binary_t&) override { return false; }
  bool start_array(std::size_t) override { return false; }
  bool end_array() override { return false; }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    fail(position, "no JSON");
  }

  [[noreturn]] void fail(std::size_t position, std::string_view what) const {
    source_.fail_at(position, Error::Kind::Malformed,
                    fmt::format("{}, expected a JSON object of names to names", what));
  }

 private:
  const ByteSource& source_;
  NameMap& names_;
  std::string key_;
  int depth_ = 0;
};

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::optional<std::pair<std::string, std::string>> columns(std::string_view line) {
  for (const std::string_view separator : {"=>", "\t"}) {
    const std::size_t at = line.find(separator);
    if (at == std::string_view::npos) continue;
    return std::pair(std::string(trim(line.substr(0, at))),
                     std::string(trim(line.substr(at + separator.size()))));
  }
  return std::nullopt;
}

NameMap read_lines(const ByteSource& source, std::string_view text) {
  NameMap names;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = std::min(text.find('\n', at), text.size()) - at;
    const std::string_view line = trim(text.substr(at, size));
    if (!line.empty() && line.front() != '#') {
      const auto pair = columns(line);
      if (!pair) {
        source.fail_at(
            at, Error::Kind::Malformed,
            fmt::format("{}, expected OLD => NEW, or two columns with a tab between", quote(line)));
      }
      if (!names.insert(*pair).second) {
        source.fail_at(at, Error::Kind::Malformed, quote(pair->first) + " stands twice");
      }
    }
    at += size + 1;
  }
  return names;
}

// Whether a name stands in a column as it is.
bool fits_a_line(std::string_view name) {
  constexpr std::string_view kNotInNames = "\t\r\n";
  return !name.empty() && trim(name) == name && name.find("=>") == std::string_view::npos &&
         name.find_first_of(kNotInNames) == std::string_view::npos && name.front() != '#' &&
         name.front() != '{';
}

[[noreturn]] void fail_names(std::string_view from, std::string_view to) {
  throw Error(Error::Kind::Unsupported, {},
              fmt::format("{} => {} is not UTF-8, and no line can hold all names of this map",
                          quote(from), quote(to)));
}

}  // namespace

NameMap read_name_map(const ByteSource& source) {
  if (source.size() > kLargestMap) source.fail(Error::Kind::Limit, "over 1 GiB of names");
  const std::vector<std::byte> bytes = source.read(0, source.size());
  const std::string_view text = as_text(bytes);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || text[first] != '{') return read_lines(source, text);
  NameMap names;
  MapReader reader(source, names);
  if (!nlohmann::json::sax_parse(text, &reader)) reader.fail(0, "something else");
  return names;
}

std::string write_name_map(const std::vector<std::pair<std::string, std::string>>& names) {
  const bool as_lines = std::ranges::all_of(
      names, [](const auto& pair) { return fits_a_line(pair.first) && fits_a_line(pair.second); });
  if (as_lines) {
    std::string text;
    for (const auto& [from, to] : names) {
      text.append(from).append("\t").append(to).append("\n");
    }
    return text;
  }
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto& [from, to] : names) {
    if (!is_utf8(from) || !is_utf8(to)) fail_names(from, to);
    json.push_back({from, to});
  }
  return json.dump(1) + "\n";
}

}  // namespace ptsd::format
