// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "report/ls.h"
#include "report/tensor_text.h"
#include "report/value_json.h"

namespace ptsd::report {

using checkpoint::Component;
using checkpoint::Entry;
using checkpoint::Storage;
using checkpoint::StorageId;
using checkpoint::Tensor;
using checkpoint::TensorExtra;

namespace {

// Whole lists of 100,000 views of one storage would be 10^10 names.
constexpr std::size_t kMostShared = 100;

class Writer {
 public:
  explicit Writer(const LsReport& report)
      : report_(report),
        checkpoint_(report.checkpoint()),
        tensors_(checkpoint_.tensors()),
        sharing_(checkpoint_, report.listing) {}

  Json tensor(const Entry& entry, std::uint32_t number) const {
    const Tensor& tensor = tensors_[*entry.tensor];
    Json json;
    set_text(json, "path", entry.path);
    set_text(json, "name", entry.path);
    describe(json, tensor);
    json["storage"] = tensor.storage ? storage(*tensor.storage, number) : Json();
    const TensorExtra* const extra = tensors_.extra(tensor);
    if (extra != nullptr && !extra->components.empty()) {
      json["components"] = components(extra->components, number);
    }
    return json;
  }

  Json other(std::uint32_t number) const {
    const Entry& entry = report_.listing.others()[number];
    Json json;
    set_text(json, "path", entry.path);
    json["type"] = checkpoint::type_of(checkpoint_.names(), entry.node);
    json["value"] = report_.listing.is_cycle(number)
                        ? Json("(cycle)")
                        : to_json(checkpoint::value_of(checkpoint_.names(), entry.node));
    return json;
  }

 private:
  void describe(Json& json, const Tensor& tensor) const {
    json["dtype"] = tensor::name(tensor.dtype);
    json["shape"] = tensors_.shape(tensor);
    json["stride"] = tensors_.stride(tensor);
    json["offset"] = tensor.offset;
    json["numel"] = tensors_.element_count(tensor);
    json["nbytes"] = tensors_.byte_count(tensor);
    json["contiguous"] = tensors_.is_contiguous(tensor);
    json["requires_grad"] = tensor.requires_grad;
    json["kind"] = checkpoint::to_string(tensor.kind);
    json["device"] = device_of(tensors_, checkpoint_.graph(), tensor);
    if (tensor.conj) json["conj"] = true;
    if (tensor.neg) json["neg"] = true;
    const TensorExtra* const extra = tensors_.extra(tensor);
    if (extra == nullptr) return;
    if (!extra->layout.empty()) json["layout"] = extra->layout;
    if (!extra->type.name.empty()) {
      json["type"] = std::string(extra->type.module) + "." + std::string(extra->type.name);
    }
  }

  Json storage(StorageId id, std::uint32_t user) const {
    const Storage& storage = tensors_[id];
    Json json;
    set_text(json, "key", checkpoint_.key(storage));
    json["nbytes"] = storage.count * storage.item_size();
    const std::optional<std::uint64_t> offset = report_.loaded.file_offset(id);
    json["file_offset"] = offset ? Json(*offset) : Json();
    if (const auto file = report_.loaded.other_file(id)) set_text(json, "file", *file);
    Json shared = Json::array();
    for (const std::uint32_t other : sharing_.users(id)) {
      if (other == user || shared.size() == kMostShared) continue;
      shared.push_back(safe(report_.listing.tensors()[other].path));
    }
    json["shared_with"] = std::move(shared);
    return json;
  }

  Json components(const std::vector<Component>& parts, std::uint32_t user) const {
    Json list = Json::array();
    for (const Component& part : parts) {
      const Tensor& tensor = tensors_[part.tensor];
      Json json = {
          {"role", part.role}
      };
      describe(json, tensor);
      json["storage"] = tensor.storage ? storage(*tensor.storage, user) : Json();
      list.push_back(std::move(json));
    }
    return list;
  }

  const LsReport& report_;
  const checkpoint::Checkpoint& checkpoint_;
  const checkpoint::Tensors& tensors_;
  operation::Sharing sharing_;
};

Json file_json(const LsReport& report) {
  const format::FileFacts& facts = report.loaded.facts();
  Json json;
  set_text(json, "path", report.path);
  json["format"] = facts.format;
  json["bytes"] = facts.bytes;
  json["byteorder"] = facts.byteorder;
  json["protocol"] = facts.has_pickle ? Json(facts.protocol) : Json();
  if (!report.subtree.empty()) set_text(json, "subtree", report.subtree);
  return json;
}

Json totals_json(const operation::DTypeTotals& totals) {
  return {
      {"tensors",    totals.tensors   },
      {"parameters", totals.parameters},
      {"bytes",      totals.bytes     },
  };
}

Json summary_json(const operation::Totals& totals) {
  Json json = totals_json(totals.all);
  json["storage_bytes"] = totals.storage_bytes;
  json["unused_bytes"] = totals.unused_bytes;
  Json by_dtype = Json::object();
  for (const tensor::DTypeInfo& row : tensor::kDTypes) {
    const auto& of_type = totals.by_dtype[static_cast<std::size_t>(row.dtype)];
    if (of_type.tensors > 0) by_dtype[std::string(row.name)] = totals_json(of_type);
  }
  json["by_dtype"] = std::move(by_dtype);
  return json;
}

// Written item by item: the tree of a million tensors would take gigabytes.
template <class Item>
void write_array(Output& output, std::string_view key, std::size_t count, Item item) {
  output.write(",\"" + std::string(key) + "\":[");
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) output.write(",");
    output.write(dump(item(i)));
  }
  output.write("]");
}

}  // namespace

void write_ls_json(Output& output, const LsReport& report, bool with_others) {
  const Writer writer(report);
  output.write("{\"schema\":\"ptsd.ls/1\",\"file\":" + dump(file_json(report)));
  write_array(output, "tensors", report.shown.size(),
              [&](std::size_t i) { return writer.tensor(report.entry(i), report.shown[i]); });
  if (with_others) {
    write_array(output, "other", report.others.size(),
                [&](std::size_t i) { return writer.other(report.others[i]); });
  }
  output.write(",\"summary\":" + dump(summary_json(report.totals)));
  output.write(report.truncated() ? ",\"truncated\":true" : ",\"truncated\":false");
  output.write(",\"warnings\":" + dump(to_json(report.warnings)) + "}\n");
}

}  // namespace ptsd::report
