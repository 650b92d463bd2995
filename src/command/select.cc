// SPDX-License-Identifier: Apache-2.0
#include "command/select.h"

#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/nearest.h"
#include "base/quote.h"
#include "file/list_input.h"
#include "tensor/dtype.h"

namespace ptsd::command {
namespace {

void read_names(const std::string& path, std::vector<std::string>& names) {
  const std::unique_ptr<ByteSource> file = file::open_list(path);
  const std::vector<std::byte> bytes = file->read(0, file->size());
  std::string_view rest = as_text(bytes);
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) names.emplace_back(line);
  }
}

}  // namespace

std::vector<operation::Pattern> patterns(const std::vector<std::string>& texts) {
  std::vector<operation::Pattern> compiled;
  for (const std::string& text : texts) {
    compiled.emplace_back(text);
  }
  return compiled;
}

tensor::DType parse_dtype(std::string_view option, std::string_view text) {
  std::string_view name = text;
  if (name.starts_with("torch.")) name.remove_prefix(6);
  if (const auto dtype = tensor::find_dtype(name)) return *dtype;
  std::vector<std::string> known;
  for (const tensor::DTypeInfo& row : tensor::kDTypes) {
    known.emplace_back(row.name);
  }
  fail_usage(
      fmt::format("{}: no dtype is called {}{}", option, quote(text), did_you_mean(name, known)));
}

operation::SelectionRules selection_rules(const SelectionOptions& options) {
  operation::SelectionRules rules = {
      .include = patterns(options.include),
      .exclude = patterns(options.exclude),
      .allow_unmatched = options.allow_unmatched,
  };
  for (const std::string& path : options.names_from) {
    read_names(path, rules.names);
  }
  for (const std::string& text : options.dtypes) {
    rules.dtypes.push_back(parse_dtype("--dtype", text));
  }
  if (options.shape) rules.shape = operation::parse_shape(*options.shape);
  return rules;
}

}  // namespace ptsd::command
