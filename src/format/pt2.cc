// SPDX-License-Identifier: Apache-2.0
#include "format/pt2.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/quote.h"
#include "format/assembly.h"
#include "format/pt2_config.h"
#include "format/torch_zip.h"

namespace ptsd::format {

using container::Member;
using pickle::Change;
using pickle::NodeId;

namespace {

constexpr std::string_view kModels = "models/";
constexpr std::string_view kJson = ".json";
constexpr std::uint64_t kStrided = 7;  // Layout of schema.py

// Where the weights and the constants of a program lie.
struct Place {
  std::string_view folder;
  std::string_view config;  // behind the name of the program
};

constexpr Place kWeights = {"data/weights/", "_weights_config.json"};
constexpr Place kConstants = {"data/constants/", "_constants_config.json"};

class Export {
 public:
  Export(const ZipArchive& archive, Assembly& assembly, const Limits& limits)
      : archive_(archive), assembly_(assembly), limits_(limits) {}

  NodeId read() {
    const std::vector<std::string> names = programs();
    std::vector<NodeId> items;
    for (const std::string& name : names) {
      items.insert(items.end(), {assembly_.builder().str(name), program(name)});
    }
    for (const Place& place : {kWeights, kConstants}) {
      archive_.warn_of_orphans(assembly_, place.folder, "", used_);
    }
    return names.size() == 1 ? items[1] : assembly_.builder().dict(items);
  }

  // Members in no folder: files of torch.save each.
  NodeId read_old() {
    const NodeId root = assembly_.tensors().ordered_dict();
    pickle::Builder& builder = assembly_.builder();
    std::vector<NodeId> items;
    if (const Member* state = archive_.zip.find("serialized_state_dict.pt")) {
      items = items_of(*state, blob(*state));
    }
    if (!items.empty()) builder.graph().mutate(root, Change::SetItems, items);
    if (const Member* constants = archive_.zip.find("serialized_constants.pt")) {
      set_constants(root, builder.dict(items_of(*constants, blob(*constants))));
    }
    return root;
  }

 private:
  [[noreturn]] void fail(std::string_view record, std::string message,
                         Error::Kind kind = Error::Kind::Malformed) const {
    archive_.fail(kind, record, std::move(message));
  }

  std::vector<std::string> programs() const {
    std::vector<std::string> names;
    for (const container::Record& record : archive_.records().records()) {
      if (!record.name.starts_with(kModels) || !record.name.ends_with(kJson)) continue;
      const std::string_view name = record.name.substr(kModels.size());
      names.emplace_back(name.substr(0, name.size() - kJson.size()));
    }
    if (names.empty()) {
      fail("", "a torch.export archive without a program", Error::Kind::Unsupported);
    }
    return names;
  }

  NodeId program(const std::string& name) {
    const NodeId root = assembly_.tensors().ordered_dict();
    pickle::Graph& graph = assembly_.builder().graph();
    const std::vector<NodeId> weights = payloads(kWeights, name, true);
    if (!weights.empty()) graph.mutate(root, Change::SetItems, weights);
    const std::vector<NodeId> constants = payloads(kConstants, name, false);
    if (!constants.empty()) set_constants(root, assembly_.builder().dict(constants));
    return root;
  }

  void set_constants(NodeId root, NodeId constants) {
    pickle::Builder& builder = assembly_.builder();
    const std::array<NodeId, 2> part = {builder.str("constants"), constants};
    const std::array<NodeId, 2> state = {builder.str("_torch_export"), builder.dict(part)};
    builder.graph().mutate(root, Change::Build, std::array<NodeId, 1>{builder.dict(state)});
  }

  // Keys and values.
  std::vector<NodeId> payloads(const Place& place, const std::string& name, bool required) {
    const std::string whole = fmt::format("{}{}.pt", place.folder, name);
    if (const Member* member = archive_.records().record(whole)) {
      used_.insert(member);
      return items_of(*member, blob(*member));
    }
    const std::string record = fmt::format("{}{}{}", place.folder, name, place.config);
    const Member* const config = archive_.records().record(record);
    if (config == nullptr && !required) return {};
    used_.insert(config);
    const std::vector<std::byte> json = archive_.read_pickle(record, assembly_);
    const Where origin = {.file = archive_.source.name(), .member = archive_.path_of(record)};
    std::vector<NodeId> items;
    read_pt2_config(as_text(json), origin, limits_, [&](const Pt2Payload& payload) {
      if (const std::optional<NodeId> value = value_of(place, payload)) {
        items.insert(items.end(), {assembly_.builder().str(payload.name), *value});
      }
    });
    return items;
  }

  std::optional<NodeId> value_of(const Place& place, const Pt2Payload& payload) {
    const std::string record = std::string(place.folder) + payload.path;
    const Member* const member = archive_.records().record(record);
    if (member == nullptr) {
      fail(record, fmt::format("there is no such record, of {}", quote(payload.name)));
    }
    used_.insert(member);
    if (payload.path.starts_with("custom_obj_") || payload.path.starts_with("opaque_obj_")) {
      assembly_.warn({
          {.file = archive_.source.name(), .member = archive_.path_of(record)},
          fmt::format("{} is an object that is no tensor, and not shown", quote(payload.name))
      });
      return std::nullopt;
    }
    if (payload.is_pickle) return shared_blob(record, *member);
    if (!payload.tensor) fail(record, fmt::format("{} has no tensor_meta", quote(payload.name)));
    return tensor(record, *member, payload);
  }

  NodeId tensor(const std::string& record, const Member& member, const Pt2Payload& payload) {
    const Pt2Tensor& meta = *payload.tensor;
    if (meta.layout != kStrided) {
      fail(record,
           fmt::format("{} is of layout {}, expected strided ones", quote(payload.name),
                       meta.layout),
           Error::Kind::Unsupported);
    }
    const Storage& storage = storage_of(record, member, meta);
    if (storage.dtype != meta.dtype) {
      fail(record,
           fmt::format("{} is of {}, another weight in the record is of {}", quote(payload.name),
                       tensor::name(meta.dtype), tensor::name(storage.dtype)));
    }
    const NodeId view =
        assembly_.tensors().view(storage.node, meta.dtype, meta.offset, meta.sizes, meta.strides,
                                 meta.requires_grad && !payload.is_parameter);
    if (!payload.is_parameter) return view;
    pickle::Builder& builder = assembly_.builder();
    const std::array<NodeId, 3> args = {view, builder.boolean(meta.requires_grad),
                                        assembly_.tensors().ordered_dict()};
    return builder.reduce(builder.global({"torch._utils", "_rebuild_parameter"}),
                          builder.tuple(args));
  }

  struct Storage {
    NodeId node;
    tensor::DType dtype;
  };

  const Storage& storage_of(const std::string& record, const Member& member,
                            const Pt2Tensor& meta) {
    const auto known = storages_.find(record);
    if (known != storages_.end()) return known->second;
    const std::uint64_t item = tensor::info(meta.dtype).item_size;
    if (member.size % item != 0) {
      fail(record, fmt::format("{} bytes, which are no whole elements of {}", member.size,
                               tensor::name(meta.dtype)));
    }
    const NodeId node =
        assembly_.storage(meta.dtype, std::make_unique<MemberBytes>(archive_, member, limits_),
                          meta.device.empty() ? "cpu" : meta.device);
    return storages_.emplace(record, Storage{node, meta.dtype}).first->second;
  }

  NodeId shared_blob(const std::string& record, const Member& member) {
    const auto known = blobs_.find(record);
    if (known != blobs_.end()) return known->second;
    return blobs_.emplace(record, blob(member)).first->second;
  }

  // A file of torch.save in a member. What is compressed is held in memory as long as the rest.
  NodeId blob(const Member& member) {
    Limits limits = limits_;
    limits.inflated_bytes -= inflated_blobs_;
    const std::shared_ptr<const ByteSource> source =
        archive_.zip.open(member, limits.inflated_bytes);
    if (member.method != container::method::kStored) {
      inflated_blobs_ += member.size;
      limits.pickle_bytes = most_inflated(limits);
    }
    assembly_.keep(source);
    if (!begins_as_zip(*source)) fail_member(member, "is no archive of torch.save");
    return assembly_.adopt(load_torch_zip(Input{.source = *source}, limits));
  }

  // Keys and values of a dict that was adopted.
  std::vector<NodeId> items_of(const Member& member, NodeId dict) const {
    const pickle::Graph& graph = assembly_.builder().graph();
    const bool plain =
        graph.kind(dict) == pickle::Kind::Dict ||
        (graph.kind(dict) == pickle::Kind::Reduce && graph.items(graph.args(dict)).empty());
    std::vector<NodeId> items;
    if (!plain) fail_member(member, "holds no dict of tensors");
    for (const pickle::Mutation& mutation : graph.mutations(dict)) {
      if (mutation.change != Change::SetItems) continue;
      items.insert(items.end(), mutation.operands.begin(), mutation.operands.end());
    }
    return items;
  }

  [[noreturn]] void fail_member(const Member& member, std::string message) const {
    throw Error(Error::Kind::Malformed,
                {.file = archive_.source.name(), .member = std::string(member.name)},
                std::move(message));
  }

  const ZipArchive& archive_;
  Assembly& assembly_;
  Limits limits_;
  std::map<std::string, Storage> storages_;  // by record
  std::map<std::string, NodeId> blobs_;      // by record
  std::set<const Member*> used_;
  std::uint64_t inflated_blobs_ = 0;  // bytes
};

}  // namespace

bool is_pt2(const ZipArchive& archive) {
  return archive.records().record("archive_format") != nullptr;
}

bool is_old_pt2(const ZipArchive& archive) {
  return archive.zip.find("serialized_exported_program.json") != nullptr;
}

std::unique_ptr<Loaded> load_pt2(std::unique_ptr<ZipArchive> archive, const Limits& limits) {
  const std::shared_ptr<const ZipArchive> kept = std::move(archive);
  const bool old = is_old_pt2(*kept);
  Assembly assembly({.file = kept->source.name()}, {.has_pickle = false});
  FileFacts& facts = assembly.facts();
  facts.format = "pt2";
  facts.bytes = kept->source.size();
  facts.writer = old ? "torch.export, torch 2.1 to 2.6" : "torch.export";
  facts.has_checksums = kept->zip.has_checksums();
  if (!old) {
    facts.root = kept->records().root();
    kept->check_byteorder(assembly);
    kept->warn_all(assembly);
  }
  Export reader(*kept, assembly, limits);
  const NodeId root = old ? reader.read_old() : reader.read();
  assembly.keep(kept);
  return assembly.finish(root, limits);
}

}  // namespace ptsd::format
