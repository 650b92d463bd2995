// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "checkpoint/children.h"
#include "report/diff.h"
#include "report/value_json.h"

namespace ptsd::report {

using checkpoint::Checkpoint;
using checkpoint::Tensor;
using operation::DiffEntries;
using operation::DiffEntry;
using operation::TensorChange;

namespace {

Json tensor_json(const Checkpoint& checkpoint, const DiffEntry& entry) {
  const Tensor& tensor = checkpoint.tensors()[*entry.tensor];
  return {
      {"dtype", tensor::name(tensor.dtype)        },
      {"shape", checkpoint.tensors().shape(tensor)},
  };
}

// Sets `key` to a tensor's form, to the value, or to the type of what has no short value.
void set_side(Json& json, const std::string& key, const Checkpoint& checkpoint,
              const DiffEntry& entry) {
  if (entry.tensor) {
    json[key] = tensor_json(checkpoint, entry);
    return;
  }
  const checkpoint::Names& names = checkpoint.names();
  set_value(json, key, checkpoint::value_of(names, entry.node));
  if (!json[key].is_null()) return;
  const std::string type = checkpoint::type_of(names, entry.node);
  if (type == "NoneType") return;
  set_text(json[key], "type", type);
  if (const auto setting = setting_of(names, entry.node)) {
    set_value(json[key], std::string(setting->name), checkpoint::value_of(names, setting->value));
  }
}

Json missing_json(const Checkpoint& checkpoint, const DiffEntries& entries,
                  const std::vector<std::uint32_t>& numbers, std::uint64_t& left) {
  Json list = Json::array();
  for (const std::uint32_t number : numbers) {
    if (left == 0) break;
    --left;
    Json json;
    set_text(json, "path", entries[number].path);
    if (entries[number].tensor) {
      json.update(tensor_json(checkpoint, entries[number]));
    } else {
      json["type"] = safe(checkpoint::type_of(checkpoint.names(), entries[number].node));
      set_value(json, "value", checkpoint::value_of(checkpoint.names(), entries[number].node));
    }
    list.push_back(std::move(json));
  }
  return list;
}

Json extreme_json(const std::optional<tensor::Extreme>& extreme, const TensorChange& change,
                  tensor::Dims shape) {
  if (!extreme) return nullptr;
  Json json;
  json["value"] = extreme->magnitude > 0 ? Json(extreme->magnitude) : number(extreme->value);
  json["index"] = change.has_index ? Json(index_of(extreme->index, shape)) : Json();
  return json;
}

Json changed_json(const DiffReport& report, const TensorChange& change) {
  const DiffEntry& a = report.diff.entries_a[change.a];
  Json json;
  set_text(json, "path", a.path);
  Json what = Json::array();
  for (const operation::Aspect aspect : change.aspects) {
    what.push_back(to_string(aspect));
  }
  json["what"] = std::move(what);
  json["a"] = tensor_json(report.a, a);
  json["b"] = tensor_json(report.b, report.diff.entries_b[change.b]);
  const tensor::Dims shape = report.a.tensors().shape(report.a.tensors()[*a.tensor]);
  const tensor::Differences& found = change.differences;
  const bool counted = found.mismatched > 0;
  json["mismatched"] = counted ? Json(found.mismatched) : Json();
  json["numel"] = counted ? Json(change.compared) : Json();
  json["max_abs"] = extreme_json(found.max_abs, change, shape);
  json["max_rel"] = extreme_json(found.max_rel, change, shape);
  return json;
}

Json mode_json(const operation::DiffOptions& options) {
  const tensor::CompareRules& rules = options.rules;
  const bool tolerant = rules.tolerance.rtol != 0 || rules.tolerance.atol != 0;
  Json json;
  json["compare"] = options.keys_only ? "keys"
                    : rules.bits      ? "bits"
                    : options.close   ? "close"
                    : tolerant        ? "tolerance"
                                      : "exact";
  json["rtol"] = tolerant ? Json(rules.tolerance.rtol) : Json();
  json["atol"] = tolerant ? Json(rules.tolerance.atol) : Json();
  json["equal_nan"] = rules.equal_nan;
  return json;
}

}  // namespace

void write_diff_json(Output& output, const DiffReport& report) {
  const operation::Diff& diff = report.diff;
  std::uint64_t left = report.shown();
  Json json;
  json["schema"] = "ptsd.diff/1";
  json["equal"] = diff.equal();
  json["mode"] = mode_json(report.options);
  json["only_a"] = missing_json(report.a, diff.entries_a, diff.only_a, left);
  json["only_b"] = missing_json(report.b, diff.entries_b, diff.only_b, left);
  Json changed = Json::array();
  for (const TensorChange& change : diff.changed) {
    if (left == 0) break;
    --left;
    changed.push_back(changed_json(report, change));
  }
  json["changed"] = std::move(changed);
  Json other = Json::array();
  for (const operation::ValueChange& change : diff.other_changed) {
    if (left == 0) break;
    --left;
    Json item;
    set_text(item, "path", diff.entries_a[change.a].path);
    set_side(item, "a", report.a, diff.entries_a[change.a]);
    set_side(item, "b", report.b, diff.entries_b[change.b]);
    other.push_back(std::move(item));
  }
  json["other_changed"] = std::move(other);
  json["same"] = diff.same;
  json["summary"] = {
      {"same",    diff.same                                      },
      {"changed", diff.changed.size() + diff.other_changed.size()},
      {"only_a",  diff.only_a.size()                             },
      {"only_b",  diff.only_b.size()                             },
  };
  json["truncated"] = report.shown() < report.count();
  json["warnings"] = to_json(report.warnings);
  output.write(dump(json) + "\n");
}

}  // namespace ptsd::report
