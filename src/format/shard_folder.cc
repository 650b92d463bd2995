// SPDX-License-Identifier: Apache-2.0
#include "format/shard_folder.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <map>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace ptsd::format {

namespace {

constexpr std::string_view kExtensions[] = {".safetensors", ".bin", ".pt", ".pth", ".ckpt"};

// What transformers and huggingface_hub look for, in their order.
constexpr std::string_view kSingles[] = {"model.safetensors", "pytorch_model.bin"};

constexpr std::string_view kIndex = ".index.";
constexpr std::string_view kJson = ".json";

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// That of a checkpoint; empty: none.
std::string_view extension_of(std::string_view file) {
  const auto* const found = std::ranges::find_if(
      kExtensions, [&](std::string_view each) { return file.ends_with(each); });
  return found == std::end(kExtensions) ? std::string_view() : *found;
}

// "model.safetensors.index.json", also with a variant before ".json".
bool is_index_name(std::string_view name) {
  const std::size_t at = name.find(kIndex);
  if (at == std::string_view::npos || !name.ends_with(kJson)) return false;
  if (extension_of(name.substr(0, at)).empty()) return false;
  const std::string_view variant = name.substr(at + kIndex.size() - 1);
  return variant.find('.', 1) == variant.rfind('.') || variant == kJson;
}

// The number that `text` says, which has few digits.
std::uint64_t number_of(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

constexpr std::string_view kAnyNumber = "*";

// Whatever stands where the numbers do.
std::optional<PartName> split_name(std::string_view file) {
  constexpr std::string_view kOf = "-of-";
  const std::string_view extension = extension_of(file);
  if (extension.empty()) return std::nullopt;
  const std::string_view rest = file.substr(0, file.size() - extension.size());
  const std::size_t of = rest.rfind(kOf);
  if (of == std::string_view::npos || of == 0) return std::nullopt;
  const std::size_t dash = rest.rfind('-', of - 1);
  if (dash == std::string_view::npos) return std::nullopt;
  return PartName{.stem = rest.substr(0, dash),
                  .number = rest.substr(dash + 1, of - dash - 1),
                  .count = rest.substr(of + kOf.size()),
                  .extension = extension};
}

bool is_count(std::string_view text) {
  constexpr std::size_t kMostDigits = 9;
  return is_digits(text) && text.size() <= kMostDigits && number_of(text) > 0;
}

// `name` is that of a part or of the set.
FolderContents::Set set_of(const std::map<std::uint64_t, std::string>& files,
                           const PartName& name) {
  FolderContents::Set set;
  const std::uint64_t count = number_of(name.count);
  std::uint64_t next = 1;
  for (const auto& [number, file] : files) {
    if (number == next) ++next;
    set.files.push_back(file);
  }
  if (next <= count) {
    set.missing = fmt::format("{}-{:0{}}-of-{}{}", name.stem, next, name.count.size(), name.count,
                              name.extension);
  }
  return set;
}

}  // namespace

std::optional<PartName> split_part_name(std::string_view file) {
  const std::optional<PartName> name = split_name(file);
  if (!name || !is_count(name->number) || !is_count(name->count)) return std::nullopt;
  if (name->number.size() != name->count.size()) return std::nullopt;
  if (number_of(name->number) > number_of(name->count)) return std::nullopt;
  return name;
}

std::string PartName::set_name() const {
  return fmt::format("{}-{}-of-{}{}", stem, kAnyNumber, count, extension);
}

bool is_set_name(std::string_view file) {
  const std::optional<PartName> name = split_name(file);
  return name && name->number == kAnyNumber && is_count(name->count);
}

std::string index_of_set(std::string_view set_name) {
  const PartName name = split_name(set_name).value();
  return fmt::format("{}{}{}json", name.stem, name.extension, kIndex);
}

FolderContents::Set find_set(std::span<const std::string> names, std::string_view set_name) {
  std::map<std::uint64_t, std::string> files;
  for (const std::string& name : names) {
    const std::optional<PartName> part = split_part_name(name);
    if (part && part->set_name() == set_name) files.emplace(number_of(part->number), name);
  }
  return set_of(files, split_name(set_name).value());
}

FolderContents find_shards(std::span<const std::string> names) {
  using SetKey = std::tuple<std::string_view, std::string_view, std::string_view>;
  FolderContents found;
  std::map<SetKey, std::map<std::uint64_t, std::string>> sets;
  for (const std::string& name : names) {
    if (is_index_name(name)) found.indexes.push_back(name);
    if (const std::optional<PartName> part = split_part_name(name)) {
      sets[{part->stem, part->count, part->extension}].emplace(number_of(part->number), name);
    }
  }
  for (const auto& [key, files] : sets) {
    found.sets.push_back(set_of(files, *split_part_name(files.begin()->second)));
  }
  for (const std::string_view single : kSingles) {
    if (std::ranges::find(names, single) != names.end()) found.singles.emplace_back(single);
  }
  std::ranges::stable_sort(found.indexes, {}, [](const std::string& name) {
    return std::ranges::find_if(kSingles,
                                [&](std::string_view single) {
                                  return name == fmt::format("{}{}", single, ".index.json");
                                }) -
           std::begin(kSingles);
  });
  return found;
}

}  // namespace ptsd::format
