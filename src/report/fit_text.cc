// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/quote.h"
#include "checkpoint/python_repr.h"
#include "report/fit.h"
#include "report/numbers.h"
#include "report/width.h"

namespace ptsd::report {

using operation::LoadError;
using operation::Rivals;
using operation::Suggestion;

namespace {

using Names = std::vector<std::string_view>;

constexpr std::size_t kMostSuggestions = 20;  // in text; --emit-map and --json have all

std::string size_text(tensor::Dims shape) {
  return fmt::format("torch.Size([{}])", fmt::join(shape, ", "));
}

std::string error_text(const LoadError& error) {
  const std::string name = escape(error.name);
  switch (error.kind) {
    case LoadError::Kind::Size:
      return fmt::format(
          "size mismatch for {}: copying a param with shape {} from checkpoint, the shape in "
          "current model is {}.",
          name, size_text(error.checkpoint), size_text(error.reference));
    case LoadError::Kind::NoTensor:
      return fmt::format(
          "While copying the parameter named \"{}\", expected torch.Tensor or Tensor-like object "
          "from checkpoint but received <class '{}'>",
          name, escape(error.what));
    case LoadError::Kind::Copy:
      return fmt::format(
          "While copying the parameter named \"{}\", whose dimensions in the model are {} and "
          "whose dimensions in the checkpoint are {}, an exception occurred : ({},).",
          name, size_text(error.reference), size_text(error.checkpoint),
          escape_repr(checkpoint::repr_str(error.what)));
  }
  return name;
}

std::string keys_text(std::string_view what, const Names& names) {
  std::string text = fmt::format("{} key(s) in state_dict: ", what);
  for (std::size_t i = 0; i < names.size(); ++i) {
    text += i == 0 ? "\"" : ", \"";
    append_escaped(text, names[i]);
    text += '"';
  }
  return text + ". ";
}

std::string list_text(const Names& names) {
  std::string text = "[";
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += ", ";
    text += escape_repr(checkpoint::repr_str(names[i]));
  }
  return text + "]";
}

std::string exception_text(const FitReport& report) {
  std::string text =
      fmt::format("Error(s) in loading state_dict for {}:", escape(report.reference));
  const operation::Fit& fit = report.fit;
  const auto add = [&](const std::string& line) { text.append("\n\t").append(line); };
  if (report.strict && !fit.missing.empty()) add(keys_text("Missing", fit.missing));
  if (report.strict && !fit.unexpected.empty()) add(keys_text("Unexpected", fit.unexpected));
  for (const LoadError& error : fit.errors) {
    add(error_text(error));
  }
  return text;
}

void write_suggestions(Output& output, const std::vector<Suggestion>& suggestions) {
  if (suggestions.empty()) return;
  output.write("\n" + output.style().paint(Role::Heading, "rename with:") + "\n");
  const std::size_t shown = std::min(suggestions.size(), kMostSuggestions);
  std::size_t width = 0;
  std::vector<std::string> rules;
  for (std::size_t i = 0; i < shown; ++i) {
    rules.push_back(rule_text(suggestions[i]));
    width = std::max(width, display_width(rules.back()));
  }
  for (std::size_t i = 0; i < shown; ++i) {
    std::string line = "  ";
    append_padded(line, rules[i], display_width(rules[i]), width, Align::Left);
    output.write(fmt::format("{}  fixes {}\n", line, counted(suggestions[i].fixes, "name")));
  }
  if (suggestions.size() > shown) {
    output.write(fmt::format("  and {} more, which --emit-map writes to a file\n",
                             grouped(suggestions.size() - shown)));
  }
}

void write_rivals(Output& output, const std::vector<Rivals>& groups) {
  for (const Rivals& rivals : groups) {
    output.write(fmt::format("\neach of these fixes {}, and nothing tells which is meant:\n",
                             counted(rivals.front().fixes, "name")));
    for (const Suggestion& rival : rivals) {
      output.write(fmt::format("  {}\n", rule_text(rival)));
    }
  }
}

}  // namespace

std::string torch_text(const FitReport& report) {
  if (!report.loads()) return exception_text(report);
  const operation::Fit& fit = report.fit;
  if (fit.missing.empty() && fit.unexpected.empty()) return "<All keys matched successfully>";
  return fmt::format("_IncompatibleKeys(missing_keys={}, unexpected_keys={})",
                     list_text(fit.missing), list_text(fit.unexpected));
}

std::string rule_text(const Suggestion& rule) {
  switch (rule.kind) {
    case Suggestion::Kind::Unwrap: return "--preset unwrap";
    case Suggestion::Kind::Whole: return "--map " + shell_word(rule.from + "=>" + rule.to);
    case Suggestion::Kind::Prefix: break;
  }
  if (rule.to.empty()) return "--strip-prefix " + shell_word(rule.from);
  if (rule.from.empty()) return "--add-prefix " + shell_word(rule.to);
  return fmt::format("--from {} --to {}", shell_word(rule.from), shell_word(rule.to));
}

void write_fit_text(Output& output, const FitReport& report) {
  output.write(torch_text(report) + "\n");
  write_suggestions(output, report.suggestions);
  write_rivals(output, report.rivals);
}

}  // namespace ptsd::report
