// SPDX-License-Identifier: Apache-2.0
#include "report/fit.h"
#include "report/value_json.h"

namespace ptsd::report {

using operation::LoadError;

namespace {

Json side_json(const std::string& path, const std::string& state_dict) {
  Json json;
  set_text(json, "path", path);
  set_text(json, "state_dict", state_dict);
  return json;
}

Json shape_json(tensor::Dims shape) {
  Json json = Json::array();
  for (const std::int64_t size : shape) {
    json.push_back(size);
  }
  return json;
}

// The errors of one kind, as an array.
template <class Fill>
Json errors_json(const FitReport& report, LoadError::Kind kind, const Fill& fill) {
  Json json = Json::array();
  for (const LoadError& error : report.fit.errors) {
    if (error.kind != kind) continue;
    Json item;
    set_text(item, "path", error.name);
    fill(item, error);
    json.push_back(std::move(item));
  }
  return json;
}

Json suggestions_json(const FitReport& report) {
  Json json = Json::array();
  for (const operation::Suggestion& suggestion : report.suggestions) {
    Json item;
    set_text(item, "rule", rule_text(suggestion));
    item["fixes"] = suggestion.fixes;
    json.push_back(std::move(item));
  }
  return json;
}

Json rivals_json(const FitReport& report) {
  Json json = Json::array();
  for (const operation::Rivals& rivals : report.rivals) {
    Json item;
    item["rules"] = Json::array();
    for (const operation::Suggestion& rival : rivals) {
      Json rule;
      set_text(rule, "rule", rule_text(rival));
      item["rules"].push_back(std::move(rule));
    }
    item["fixes"] = rivals.front().fixes;
    json.push_back(std::move(item));
  }
  return json;
}

}  // namespace

void write_fit_json(Output& output, const FitReport& report) {
  const operation::Fit& fit = report.fit;
  Json json = {
      {"schema", "ptsd.fit/1"}
  };
  json["checkpoint"] = side_json(report.checkpoint, report.checkpoint_state_dict);
  json["reference"] = side_json(report.reference, report.reference_state_dict);
  json["loads"] = report.loads();
  json["strict"] = report.strict;
  set_texts(json, "missing", fit.missing);
  set_texts(json, "unexpected", fit.unexpected);
  json["size_mismatch"] =
      errors_json(report, LoadError::Kind::Size, [](Json& item, const LoadError& error) {
        item["checkpoint"] = shape_json(error.checkpoint);
        item["reference"] = shape_json(error.reference);
      });
  json["not_tensors"] =
      errors_json(report, LoadError::Kind::NoTensor,
                  [](Json& item, const LoadError& error) { set_text(item, "type", error.what); });
  json["not_copied"] =
      errors_json(report, LoadError::Kind::Copy,
                  [](Json& item, const LoadError& error) { set_text(item, "reason", error.what); });
  set_texts(json, "other_dtypes", fit.other_dtypes);
  set_text(json, "message", torch_text(report));
  json["suggestions"] = suggestions_json(report);
  json["ambiguous"] = rivals_json(report);
  json["warnings"] = to_json(report.warnings);
  output.write(dump(json) + "\n");
}

}  // namespace ptsd::report
