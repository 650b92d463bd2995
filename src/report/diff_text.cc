// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cmath>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/quote.h"
#include "checkpoint/children.h"
#include "checkpoint/value.h"
#include "report/diff.h"
#include "report/numbers.h"
#include "report/table.h"
#include "report/tensor_text.h"
#include "report/value_text.h"

namespace ptsd::report {

using checkpoint::Checkpoint;
using checkpoint::Tensor;
using operation::Aspect;
using operation::DiffEntry;
using operation::TensorChange;

namespace {

// One side of the report.
struct Side {
  const Checkpoint& checkpoint;
  const operation::DiffEntries& entries;

  const Tensor& tensor(std::uint32_t number) const {
    return checkpoint.tensors()[*entries[number].tensor];
  }

  // "float32 [64, 10]"; of other values the type.
  std::string form(std::uint32_t number) const {
    const DiffEntry& entry = entries[number];
    if (!entry.tensor) {
      return escape(abbreviate(checkpoint::type_of(checkpoint.names(), entry.node), 80));
    }
    std::string text;
    TensorText(checkpoint.tensors(), true).append_type(text, tensor(number));
    return text + " " + shape_text(checkpoint.tensors().shape(tensor(number)));
  }

  // "sparse_csr", "strided".
  std::string_view layout(const Tensor& of) const {
    const checkpoint::TensorExtra* const extra = checkpoint.tensors().extra(of);
    std::string_view layout = extra == nullptr ? "" : std::string_view(extra->layout);
    if (layout.starts_with("torch.")) layout.remove_prefix(6);
    return layout.empty() ? "strided" : layout;
  }

  std::optional<checkpoint::Setting> setting(std::uint32_t number) const {
    return setting_of(checkpoint.names(), entries[number].node);
  }

  // "50"; nothing where there is no short value.
  std::string short_value(std::uint32_t number) const {
    if (entries[number].kind != DiffEntry::Kind::Value) return "";
    return value_text(checkpoint.names(), entries[number].node);
  }

  // "50"; the type where the value is not short.
  std::string value(std::uint32_t number) const {
    const std::string text = short_value(number);
    return text.empty() ? form(number) : text;
  }
};

std::string arrow(std::string_view a, std::string_view b) {
  return fmt::format("{} → {}", a, b);
}

std::string extreme_text(const tensor::Extreme& extreme) {
  if (extreme.magnitude > 0) return fmt::format("{}", extreme.magnitude);
  return fmt::format("{:.1e}", extreme.value);
}

class Lines {
 public:
  explicit Lines(const DiffReport& report)
      : diff_(report.diff),
        a_{report.a, report.diff.entries_a},
        b_{report.b, report.diff.entries_b} {}

  void append_name(std::string& out, std::size_t row) const {
    const auto [sign, path] = name_of(row);
    out += sign;
    report::append_name(out, path);
  }

  Role role(std::size_t row) const {
    if (row < diff_.only_a.size()) return Role::Removed;
    return row - diff_.only_a.size() < diff_.only_b.size() ? Role::Added : Role::Changed;
  }

  std::string form(std::size_t row) const {
    if (row < diff_.only_a.size()) return a_.form(diff_.only_a[row]);
    row -= diff_.only_a.size();
    if (row < diff_.only_b.size()) return b_.form(diff_.only_b[row]);
    row -= diff_.only_b.size();
    if (row < diff_.changed.size()) return form(diff_.changed[row]);
    const operation::ValueChange& change = diff_.other_changed[row - diff_.changed.size()];
    const std::string left = a_.value(change.a);
    const std::string right = b_.value(change.b);
    // Two values that look the same.
    if (left != right) return arrow(left, right);
    const std::string form = a_.form(change.a);
    if (form != b_.form(change.b)) return arrow(form, b_.form(change.b));
    const bool container = a_.entries[change.a].kind == DiffEntry::Kind::Container;
    if (!container) return form + " differs";
    const auto [name, was, is] = settings(change);
    return was == is ? form + " with other keys"
                     : fmt::format("{} {} {}", form, name, arrow(was, is));
  }

  std::string details(std::size_t row) const {
    if (row < diff_.only_a.size()) return a_.short_value(diff_.only_a[row]);
    row -= diff_.only_a.size();
    if (row < diff_.only_b.size()) return b_.short_value(diff_.only_b[row]);
    row -= diff_.only_b.size();
    if (row >= diff_.changed.size()) return "";
    const TensorChange& change = diff_.changed[row];
    std::vector<std::string> parts;
    for (const Aspect aspect : change.aspects) {
      if (aspect == Aspect::Values) {
        append_values(parts, change);
      } else if (!is_form(aspect)) {
        parts.push_back(layout_text(aspect, change));
      }
    }
    return fmt::format("{}", fmt::join(parts, " · "));
  }

 private:
  std::pair<std::string_view, std::string_view> name_of(std::size_t row) const {
    if (row < diff_.only_a.size()) return {"- ", a_.entries[diff_.only_a[row]].path};
    row -= diff_.only_a.size();
    if (row < diff_.only_b.size()) return {"+ ", b_.entries[diff_.only_b[row]].path};
    row -= diff_.only_b.size();
    if (row < diff_.changed.size()) return {"~ ", a_.entries[diff_.changed[row].a].path};
    return {"~ ", a_.entries[diff_.other_changed[row - diff_.changed.size()].a].path};
  }

  // The maxlen of two deques, or the default_factory of two defaultdicts.
  std::tuple<std::string_view, std::string, std::string> settings(
      const operation::ValueChange& change) const {
    const auto a = a_.setting(change.a);
    const auto b = b_.setting(change.b);
    const auto text = [](const Side& side, const std::optional<checkpoint::Setting>& setting) {
      return setting ? value_text(side.checkpoint.names(), setting->value) : "None";
    };
    return {a ? a->name : b ? b->name : "", text(a_, a), text(b_, b)};
  }

  static bool is_form(Aspect aspect) {
    return aspect == Aspect::Kind || aspect == Aspect::Layout || aspect == Aspect::DType ||
           aspect == Aspect::Shape;
  }

  // What changed of kind, layout, dtype and shape; all of them if nothing that counts did.
  std::string form(const TensorChange& change) const {
    const Tensor& a = a_.tensor(change.a);
    const Tensor& b = b_.tensor(change.b);
    std::vector<std::string> parts;
    for (const Aspect aspect : change.aspects) {
      if (aspect == Aspect::Kind) {
        parts.push_back(arrow(checkpoint::to_string(a.kind), checkpoint::to_string(b.kind)));
      } else if (aspect == Aspect::Layout) {
        parts.push_back(arrow(a_.layout(a), b_.layout(b)));
      } else if (aspect == Aspect::DType) {
        parts.push_back("dtype " + arrow(tensor::name(a.dtype), tensor::name(b.dtype)));
      } else if (aspect == Aspect::Shape) {
        parts.push_back("shape " + arrow(shape_text(a_.checkpoint.tensors().shape(a)),
                                         shape_text(b_.checkpoint.tensors().shape(b))));
      }
    }
    if (!parts.empty()) return fmt::format("{}", fmt::join(parts, " · "));
    const std::string left = a_.form(change.a);
    const std::string right = b_.form(change.b);
    return left == right ? left : arrow(left, right);
  }

  void append_values(std::vector<std::string>& parts, const TensorChange& change) const {
    const tensor::Differences& found = change.differences;
    if (found.mismatched == 0) {
      parts.emplace_back("values differ");
      return;
    }
    parts.push_back(
        fmt::format("{} of {} differ", grouped(found.mismatched), grouped(change.compared)));
    if (!found.max_abs) return;
    std::string place;
    const tensor::Dims shape = a_.checkpoint.tensors().shape(a_.tensor(change.a));
    if (change.has_index && !shape.empty()) {
      place = fmt::format(" at [{}]", fmt::join(index_of(found.max_abs->index, shape), ", "));
    }
    parts.push_back(fmt::format("max |Δ| {}{}", extreme_text(*found.max_abs), place));
    parts.push_back(fmt::format("max rel {}", extreme_text(*found.max_rel)));
  }

  std::string layout_text(Aspect aspect, const TensorChange& change) const {
    const Tensor& a = a_.tensor(change.a);
    const Tensor& b = b_.tensor(change.b);
    if (aspect == Aspect::Device) {
      return "device " +
             arrow(escape(device_of(a_.checkpoint.tensors(), a_.checkpoint.graph(), a)),
                   escape(device_of(b_.checkpoint.tensors(), b_.checkpoint.graph(), b)));
    }
    if (aspect == Aspect::Coalesced) {
      const bool before = a_.checkpoint.tensors().extra(a)->coalesced.value_or(false);
      return fmt::format("is_coalesced {}",
                         arrow(before ? "true" : "false", before ? "false" : "true"));
    }
    if (aspect == Aspect::RequiresGrad) {
      return "requires_grad " +
             arrow(a.requires_grad ? "true" : "false", b.requires_grad ? "true" : "false");
    }
    if (aspect == Aspect::Stride) {
      return "stride " + arrow(shape_text(a_.checkpoint.tensors().stride(a)),
                               shape_text(b_.checkpoint.tensors().stride(b)));
    }
    return "shares storage with others";
  }

  const operation::Diff& diff_;
  Side a_;
  Side b_;
};

}  // namespace

std::vector<std::uint64_t> index_of(std::uint64_t number, tensor::Dims shape) {
  std::vector<std::uint64_t> index(shape.size());
  for (std::size_t i = shape.size(); i-- > 0;) {
    index[i] = number % static_cast<std::uint64_t>(shape[i]);
    number /= static_cast<std::uint64_t>(shape[i]);
  }
  return index;
}

std::string_view to_string(Aspect aspect) {
  switch (aspect) {
    case Aspect::Kind: return "kind";
    case Aspect::Layout: return "layout";
    case Aspect::DType: return "dtype";
    case Aspect::Shape: return "shape";
    case Aspect::Coalesced: return "is_coalesced";
    case Aspect::Values: return "values";
    case Aspect::Device: return "device";
    case Aspect::RequiresGrad: return "requires_grad";
    case Aspect::Stride: return "stride";
    case Aspect::Sharing: return "sharing";
  }
  return "";
}

void write_diff_text(Output& output, const DiffReport& report) {
  const Lines lines(report);
  write_table(
      output, report.shown(),
      {
          {Align::Left, [&](std::size_t row, std::string& out) { lines.append_name(out, row); },
           [&](std::size_t row) { return lines.role(row); }},
          {Align::Left,           [&](std::size_t row,                    std::string& out) { out += lines.form(row); }                                        },
          {Align::Left,           [&](std::size_t row,                    std::string& out) { out += lines.details(row); }},
  });
  write_diff_brief(output, report);
}

void write_diff_brief(Output& output, const DiffReport& report) {
  const operation::Diff& diff = report.diff;
  std::string line = fmt::format("{} same", grouped(diff.same));
  if (const std::uint64_t changed = diff.changed.size() + diff.other_changed.size(); changed > 0) {
    line += fmt::format(" · {} changed", grouped(changed));
  }
  if (!diff.only_a.empty()) {
    line += fmt::format(" · {} only in {}", grouped(diff.only_a.size()), escape(report.name_a));
  }
  if (!diff.only_b.empty()) {
    line += fmt::format(" · {} only in {}", grouped(diff.only_b.size()), escape(report.name_b));
  }
  if (report.limit && report.shown() < report.count()) {
    line += fmt::format(" · {} shown", grouped(report.shown()));
  }
  output.write(line + "\n");
}

}  // namespace ptsd::report
