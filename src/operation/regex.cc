// SPDX-License-Identifier: Apache-2.0
#include "operation/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <array>
#include <utility>

#include <fmt/format.h>
#include <pcre2.h>

#include "base/error.h"
#include "base/quote.h"

namespace ptsd::operation {

struct Regex::Compiled {
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

// Python's spelling of a replacement in PCRE2's: "${1}" for "\1", "$$" for "$".
std::string translate(std::string_view replacement) {
  std::string out;
  while (!replacement.empty()) {
    const char c = replacement.front();
    replacement.remove_prefix(1);
    if (c == '$') {
      out += "$$";
    } else if (c != '\\' || replacement.empty()) {
      out += c;
    } else if (replacement.starts_with("g<")) {
      const std::size_t end = replacement.find('>');
      out += fmt::format("${{{}}}", replacement.substr(2, end - 2));
      replacement.remove_prefix(end == std::string_view::npos ? replacement.size() : end + 1);
    } else if (replacement.front() >= '0' && replacement.front() <= '9') {
      out += fmt::format("${{{}}}", replacement.front());
      replacement.remove_prefix(1);
    } else {
      out += replacement.front();
      replacement.remove_prefix(1);
    }
  }
  return out;
}

}  // namespace

Regex::Regex(std::string source)
    : source_(std::move(source)), compiled_(std::make_unique<Compiled>()) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  compiled_->code.reset(pcre2_compile(units(source_), source_.size(),
                                      PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF, &error,
                                      &offset, nullptr));
  if (!compiled_->code) {
    fail(Error::Kind::Usage, fmt::format("regular expression {}: {} at character {}",
                                         quote(source_), message_of(error), offset));
  }
  compiled_->data.reset(pcre2_match_data_create_from_pattern(compiled_->code.get(), nullptr));
}

Regex::~Regex() = default;
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;

bool Regex::matches(std::string_view text) const {
  const int found = pcre2_match(compiled_->code.get(), units(text), text.size(), 0, 0,
                                compiled_->data.get(), nullptr);
  if (found == PCRE2_ERROR_NOMATCH) return false;
  if (found < 0) {
    fail(Error::Kind::Limit, fmt::format("regular expression {} on {}: {}", quote(source_),
                                         quote(text), message_of(found)));
  }
  return true;
}

std::optional<std::string> Regex::replace(std::string_view text,
                                          std::string_view replacement) const {
  const std::string translated = translate(replacement);
  std::string out(text.size() + translated.size() + 256, '\0');
  const auto substitute = [&](PCRE2_SIZE& size) {
    return pcre2_substitute(compiled_->code.get(), units(text), text.size(), 0,
                            PCRE2_SUBSTITUTE_GLOBAL | PCRE2_SUBSTITUTE_OVERFLOW_LENGTH,
                            compiled_->data.get(), nullptr, units(translated), translated.size(),
                            reinterpret_cast<PCRE2_UCHAR*>(out.data()), &size);
  };
  PCRE2_SIZE size = out.size();
  int found = substitute(size);
  if (found == PCRE2_ERROR_NOMEMORY) {
    out.resize(size);  // what it says it needs
    found = substitute(size);
  }
  if (found == 0) return std::nullopt;
  if (found < 0) {
    const bool pattern_is_wrong =
        found == PCRE2_ERROR_NOSUBSTRING || found == PCRE2_ERROR_BADREPLACEMENT ||
        found == PCRE2_ERROR_BADREPESCAPE || found == PCRE2_ERROR_REPMISSINGBRACE ||
        found == PCRE2_ERROR_UNSET;
    fail(pattern_is_wrong ? Error::Kind::Usage : Error::Kind::Limit,
         fmt::format("regular expression {} with replacement {} on {}: {}", quote(source_),
                     quote(replacement), quote(text), message_of(found)));
  }
  out.resize(size);
  return out;
}

}  // namespace ptsd::operation
