// SPDX-License-Identifier: Apache-2.0
#include "command/flags.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/nearest.h"
#include "base/quote.h"

namespace ptsd::command {
namespace {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

Accept store(std::optional<std::string>& target) {
  return [&target](std::string_view value) { target = std::string(value); };
}

Accept append(std::vector<std::string>& target) {
  return [&target](std::string_view value) { target.emplace_back(value); };
}

}  // namespace

std::uint64_t parse_number(std::string_view option, std::string_view text) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc::result_out_of_range) {
    fail_usage(fmt::format("{}: {} does not fit 64 bits", option, quote(text)));
  }
  if (error != std::errc() || rest != end) {
    fail_usage(fmt::format("{}: {} is not a whole number", option, quote(text)));
  }
  return number;
}

void Flags::file(std::string name, std::string& target, std::string help) {
  positionals_.push_back({.name = std::move(name),
                          .least = 1,
                          .most = 1,
                          .accept = [&target](std::string_view value) { target = value; },
                          .help = std::move(help)});
}

void Flags::files(std::string name, std::vector<std::string>& target, std::string help,
                  std::size_t least) {
  positionals_.push_back({.name = std::move(name),
                          .least = least,
                          .most = std::nullopt,
                          .accept = append(target),
                          .help = std::move(help)});
}

void Flags::flag(std::string_view names, bool& target, std::string help, bool value) {
  add(
      names, Option::Value::None, "", [&target, value](std::string_view) { target = value; },
      std::move(help));
}

void Flags::text(std::string_view names, std::optional<std::string>& target, std::string value_name,
                 std::string help) {
  add(names, Option::Value::Required, std::move(value_name), store(target), std::move(help)).once =
      true;
}

void Flags::texts(std::string_view names, std::vector<std::string>& target, std::string value_name,
                  std::string help) {
  add(names, Option::Value::Required, std::move(value_name), append(target), std::move(help));
}

void Flags::list(std::string_view names, std::vector<std::string>& target, std::string value_name,
                 std::string help) {
  auto accept = [&target](std::string_view value) {
    std::ranges::move(split(value, ','), std::back_inserter(target));
  };
  add(names, Option::Value::Required, std::move(value_name), accept, std::move(help));
}

void Flags::number(std::string_view names, std::optional<std::uint64_t>& target,
                   std::string value_name, std::string help) {
  auto accept = [name = split(names, ',').back(), &target](std::string_view value) {
    target = parse_number(name, value);
  };
  add(names, Option::Value::Required, std::move(value_name), accept, std::move(help)).once = true;
}

void Flags::optional_text(std::string_view names, std::optional<std::string>& target,
                          std::string value_name, std::string help) {
  add(names, Option::Value::Optional, std::move(value_name), store(target), std::move(help)).once =
      true;
}

void Flags::each(std::string_view names, std::string value_name, Accept accept, std::string help) {
  add(names, Option::Value::Required, std::move(value_name), std::move(accept), std::move(help));
}

void Flags::choice_index(std::string_view names, const std::vector<std::string>& words,
                         std::function<void(std::size_t)> choose, std::string help) {
  auto accept = [name = split(names, ',').back(), words,
                 choose = std::move(choose)](std::string_view value) {
    const auto found = std::ranges::find(words, value);
    if (found == words.end()) {
      fail_usage(fmt::format("{}: {} is none of {}{}", name, quote(value), fmt::join(words, ", "),
                             did_you_mean(value, words)));
    }
    choose(static_cast<std::size_t>(found - words.begin()));
  };
  add(names, Option::Value::Required, fmt::format("{}", fmt::join(words, "|")), accept,
      std::move(help))
      .once = true;
}

Option& Flags::add(std::string_view names, Option::Value value, std::string value_name,
                   Accept accept, std::string help) {
  options_.push_back({.names = split(names, ','),
                      .value = value,
                      .value_name = std::move(value_name),
                      .accept = std::move(accept),
                      .help = std::move(help),
                      .group = group_});
  return options_.back();
}

}  // namespace ptsd::command
