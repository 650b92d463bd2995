// SPDX-License-Identifier: Apache-2.0
#include "operation/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <pcre2.h>

#include "base/error.h"
#include "base/quote.h"

namespace ptsd::operation {

struct Pattern::Regex {
  struct FreeCode {
    void operator()(pcre2_code* compiled) const { pcre2_code_free(compiled); }
  };
  struct FreeData {
    void operator()(pcre2_match_data* matched) const { pcre2_match_data_free(matched); }
  };

  std::unique_ptr<pcre2_code, FreeCode> code;
  std::unique_ptr<pcre2_match_data, FreeData> data;
};

namespace {

constexpr std::string_view kRegexPrefix = "re:";

[[noreturn]] void fail(Error::Kind kind, std::string message) {
  throw Error(kind, {}, std::move(message));
}

std::string message_of(int code) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(code, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

PCRE2_SPTR units(std::string_view text) {
  return reinterpret_cast<PCRE2_SPTR>(text.data());
}

// Where the set that begins at `glob[at]` ends, or nothing for a "[" that is no set.
std::optional<std::size_t> set_end(std::string_view glob, std::size_t at) {
  std::size_t from = at + 1;
  if (from < glob.size() && (glob[from] == '!' || glob[from] == '^')) ++from;
  // A "]" that comes first is a member.
  const std::size_t end = glob.find(']', from + 1);
  if (end == std::string_view::npos) return std::nullopt;
  return end;
}

bool set_has(std::string_view set, char c) {
  const bool negated = set.starts_with('!') || set.starts_with('^');
  if (negated) set.remove_prefix(1);
  bool found = false;
  while (!set.empty()) {
    const bool range = set.size() >= 3 && set[1] == '-';
    found = found || (range ? c >= set[0] && c <= set[2] : c == set[0]);
    set.remove_prefix(range ? 3 : 1);
  }
  return found != negated;
}

// Matches one glob element that is no "*" against `c`, and moves past it.
bool match_one(std::string_view glob, std::size_t& at, char c) {
  if (glob[at] == '[') {
    if (const std::optional<std::size_t> end = set_end(glob, at)) {
      const bool found = set_has(glob.substr(at + 1, *end - at - 1), c);
      at = *end + 1;
      return found;
    }
  }
  const bool found = glob[at] == '?' || glob[at] == c;
  ++at;
  return found;
}

// Backs up to the last "*" only: linear in practice, quadratic at worst.
bool glob_matches(std::string_view glob, std::string_view name) {
  std::size_t at = 0;
  std::size_t position = 0;
  std::optional<std::size_t> star;  // the element behind the last "*"
  std::size_t star_position = 0;
  while (position < name.size()) {
    if (at < glob.size() && glob[at] == '*') {
      star = ++at;
      star_position = position;
    } else if (at < glob.size() && match_one(glob, at, name[position])) {
      ++position;
    } else if (star) {
      at = *star;
      position = ++star_position;
    } else {
      return false;
    }
  }
  while (at < glob.size() && glob[at] == '*') {
    ++at;
  }
  return at == glob.size();
}

}  // namespace

Pattern::Pattern(std::string text) : text_(std::move(text)) {
  if (!text_.starts_with(kRegexPrefix)) return;
  const std::string_view source = std::string_view(text_).substr(kRegexPrefix.size());
  int error = 0;
  PCRE2_SIZE offset = 0;
  regex_ = std::make_unique<Regex>();
  regex_->code.reset(pcre2_compile(units(source), source.size(),
                                   PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF, &error, &offset,
                                   nullptr));
  if (!regex_->code) {
    fail(Error::Kind::Usage, fmt::format("regular expression {}: {} at character {}", quote(source),
                                         message_of(error), offset));
  }
  regex_->data.reset(pcre2_match_data_create_from_pattern(regex_->code.get(), nullptr));
}

Pattern::~Pattern() = default;
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;

bool Pattern::matches(std::string_view name) const {
  if (!regex_) return glob_matches(text_, name);
  const int found =
      pcre2_match(regex_->code.get(), units(name), name.size(), 0, 0, regex_->data.get(), nullptr);
  if (found == PCRE2_ERROR_NOMATCH) return false;
  if (found < 0) {
    fail(Error::Kind::Limit, fmt::format("regular expression {} on {}: {}", quote(text_),
                                         quote(name), message_of(found)));
  }
  return true;
}

}  // namespace ptsd::operation
