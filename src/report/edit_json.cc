// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "report/edit.h"
#include "report/value_json.h"

namespace ptsd::report {

void write_edit_json(Output& output, const EditReport& report) {
  Json json = {
      {"schema", fmt::format("ptsd.{}/1", report.command)},
      {"inputs",        Json::array()                       }
  };
  for (const std::string& input : report.inputs) {
    json["inputs"].push_back(safe(input));
  }
  if (report.output) {
    set_text(json, "output", *report.output);
  } else {
    json["output"] = nullptr;
  }
  json["dry_run"] = report.dry_run;
  json["changed"] = report.changed;
  json["written"] = report.written;
  json["bytes"] = report.bytes;
  json["format"] = report.format;
  for (const auto& [key, count] : report.counts) {
    json[std::string(key)] = count;
  }
  json["state_dicts"] = Json::array();
  for (const std::string& path : report.state_dicts) {
    json["state_dicts"].push_back(safe(path));
  }
  json["changes"] = Json::array();
  for (const Change& change : report.changes) {
    Json item;
    set_text(item, "from", change.from);
    if (change.to) {
      set_text(item, "to", *change.to);
    } else {
      item["to"] = nullptr;
    }
    json["changes"].push_back(std::move(item));
  }
  json["warnings"] = to_json(report.warnings);
  output.write(dump(json) + "\n");
}

}  // namespace ptsd::report
