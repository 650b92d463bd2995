// SPDX-License-Identifier: Apache-2.0
#include "format/script_code.h"

#include <algorithm>

namespace ptsd::format {
namespace {

constexpr std::uint64_t kLargest = std::uint64_t{64} << 20;  // bytes of one file

// The strings in `["a", "b", ]`.
std::set<std::string, std::less<>> strings_in(std::string_view list) {
  std::set<std::string, std::less<>> all;
  while (true) {
    const std::size_t begin = list.find('"');
    if (begin == std::string_view::npos) return all;
    list.remove_prefix(begin + 1);
    const std::size_t end = list.find('"');
    if (end == std::string_view::npos) return all;
    all.emplace(list.substr(0, end));
    list.remove_prefix(end + 1);
  }
}

void read_line(std::string_view line, std::map<std::string, ScriptClass, std::less<>>& classes,
               ScriptClass*& current) {
  constexpr std::string_view kClass = "class ";
  constexpr std::string_view kParameters = "  __parameters__ = [";
  constexpr std::string_view kBuffers = "  __buffers__ = [";
  if (line.starts_with(kClass)) {
    const std::string_view rest = line.substr(kClass.size());
    const std::size_t end = rest.find_first_of("(:");
    if (end == std::string_view::npos) return;
    current = &classes[std::string(rest.substr(0, end))];
    current->is_module = rest.substr(end) == "(Module):";
  } else if (current != nullptr && line.starts_with(kParameters)) {
    current->parameters = strings_in(line.substr(kParameters.size()));
  } else if (current != nullptr && line.starts_with(kBuffers)) {
    current->buffers = strings_in(line.substr(kBuffers.size()));
  }
}

}  // namespace

const ScriptCode::Classes& ScriptCode::classes_in(const std::string& record) {
  const auto [file, added] = files_.try_emplace(record);
  const container::Member* const member = archive_.records().record(record);
  if (!added || member == nullptr || member->size > kLargest) return file->second;
  const std::vector<std::byte> bytes = archive_.read(record, kLargest, assembly_);
  std::string_view code = as_text(bytes);
  ScriptClass* current = nullptr;
  while (!code.empty()) {
    const std::size_t end = std::min(code.find('\n'), code.size());
    read_line(code.substr(0, end), file->second, current);
    code.remove_prefix(std::min(end + 1, code.size()));
  }
  return file->second;
}

const ScriptClass* ScriptCode::find(pickle::GlobalName name) {
  std::string record = "code/" + std::string(name.module);
  std::ranges::replace(record, '.', '/');
  const Classes& classes = classes_in(record + ".py");
  const auto found = classes.find(name.name);
  return found == classes.end() ? nullptr : &found->second;
}

}  // namespace ptsd::format
