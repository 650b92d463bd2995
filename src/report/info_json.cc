// SPDX-License-Identifier: Apache-2.0
#include "report/info.h"
#include "report/value_json.h"

namespace ptsd::report {
namespace {

Json file_json(const InfoReport& report) {
  const format::FileFacts& facts = report.loaded.facts();
  Json json;
  set_text(json, "path", report.path);
  json["format"] = facts.format;
  json["bytes"] = facts.bytes;
  set_text(json, "root", facts.root);
  json["writer"] = facts.writer;
  json["protocol"] = facts.has_pickle ? Json(facts.protocol) : Json();
  json["byteorder"] = facts.byteorder;
  json["alignment"] = facts.alignment ? Json(*facts.alignment) : Json();
  json["checksums"] = facts.has_checksums;
  if (!report.subtree.empty()) set_text(json, "subtree", report.subtree);
  return json;
}

Json sections_json(const InfoReport& report) {
  const checkpoint::Names& names = report.checkpoint().names();
  Json list = Json::array();
  for (const operation::Section& section : report.sections) {
    Json json;
    set_text(json, "path", section.path);
    json["type"] = checkpoint::type_of(names, section.node);
    if (section.is_container || section.tensors > 0) {
      json["tensors"] = section.tensors;
      json["bytes"] = section.bytes;
    } else {
      json["value"] = to_json(checkpoint::value_of(names, section.node));
    }
    list.push_back(std::move(json));
  }
  return list;
}

Json totals_json(const InfoReport& report) {
  const operation::Totals& totals = report.totals;
  Json json = {
      {"tensors",       totals.all.tensors   },
      {"parameters",    totals.all.parameters},
      {"bytes",         totals.all.bytes     },
      {"storage_bytes", totals.storage_bytes },
      {"unused_bytes",  totals.unused_bytes  },
  };
  Json tied = Json::array();
  for (const std::vector<std::uint32_t>& group : report.tied) {
    Json names = Json::array();
    for (const std::uint32_t number : group) {
      names.push_back(safe(report.listing.tensors()[number].path));
    }
    tied.push_back(std::move(names));
  }
  json["tied"] = std::move(tied);
  return json;
}

Json globals_json(const InfoReport& report) {
  Json list = Json::array();
  if (!report.loaded.facts().has_pickle) return list;
  for (const GlobalUse& use : globals_of(report.checkpoint())) {
    Json json;
    set_text(json, "name", use.name);
    json["count"] = use.count;
    json["weights_only"] = use.weights_only;
    list.push_back(std::move(json));
  }
  return list;
}

// Null where there is nothing that torch.load would load.
Json weights_only_json(const InfoReport& report) {
  if (!report.loaded.facts().has_pickle) return {};
  const operation::WeightsOnly& verdict = report.weights_only;
  Json refused = Json::array();
  for (const operation::Refusal& refusal : verdict.refused) {
    refused.push_back({
        {"what",   refusal.what  },
        {"offset", refusal.offset},
    });
  }
  return {
      {"loads",   verdict.loads()   },
      {"refused", std::move(refused)},
  };
}

}  // namespace

void write_info_json(Output& output, const InfoReport& report) {
  const Json json = {
      {"schema",       "ptsd.info/1"            },
      {"file",         file_json(report)        },
      {"sections",     sections_json(report)    },
      {"totals",       totals_json(report)      },
      {"globals",      globals_json(report)     },
      {"weights_only", weights_only_json(report)},
      {"warnings",     to_json(report.warnings) },
  };
  output.write(dump(json) + "\n");
}

}  // namespace ptsd::report
