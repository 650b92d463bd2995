// SPDX-License-Identifier: Apache-2.0
#include "format/dcp_metadata.h"

#include <map>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/quote.h"
#include "checkpoint/fold_context.h"
#include "checkpoint/mapping.h"
#include "checkpoint/path_budget.h"
#include "checkpoint/same_text.h"

namespace ptsd::format {

using checkpoint::Pair;
using pickle::Kind;
using pickle::NodeId;

namespace {

using Offsets = std::vector<std::int64_t>;

class Reader {
 public:
  Reader(const checkpoint::Checkpoint& metadata, FileNames& files)
      : metadata_(metadata),
        graph_(metadata.graph()),
        files_(files),
        same_(graph_),
        spelled_(metadata.limits()),
        context_(metadata.names(), metadata.root(), metadata.origin(), metadata.limits(),
                 warnings_) {}

  std::vector<DcpEntry> read() {
    const NodeId root = metadata_.root();
    context_.begin(root);
    if (class_of(root) != "Metadata") {
      metadata_.fail(Error::Kind::Malformed,
                     "not pickled by torch.distributed.checkpoint: no Metadata");
    }
    read_items(demand(root, "storage_data"));
    read_paths(attribute(root, "planner_data"));
    std::vector<DcpEntry> entries;
    for (const Pair& pair : pairs(demand(root, "state_dict_metadata"), "state_dict_metadata")) {
      context_.begin(pair.value);
      context_.text(pair.key, "the name of an entry");
      entries.push_back(entry(pair.key, pair.value));
    }
    return entries;
  }

 private:
  // What identifies an item: the name, by its first node, and for a tensor the offsets of the chunk
  // (MetadataIndex).
  using Key = std::pair<NodeId, std::optional<Offsets>>;

  std::string_view class_of(NodeId node) const {
    if (!pickle::kObjects.contains(graph_.kind(node))) return {};
    const NodeId cls = graph_.callable(node);
    return graph_.kind(cls) == Kind::Global ? graph_.global(cls).name : std::string_view();
  }

  void check_class(NodeId node, std::string_view name) const {
    if (class_of(node) == name) return;
    context_.fail(fmt::format("{}, expected an object of torch.distributed.checkpoint's {}",
                              context_.describe(node), name));
  }

  std::optional<NodeId> attribute(NodeId node, std::string_view name) const {
    const auto value = checkpoint::attribute(metadata_.names(), node, name);
    if (value && graph_.kind(*value) == Kind::None) return std::nullopt;
    return value;
  }

  NodeId demand(NodeId node, std::string_view name) const {
    const std::optional<NodeId> value = attribute(node, name);
    if (!value) context_.fail(fmt::format("{} without {}", quote(class_of(node)), quote(name)));
    return *value;
  }

  std::vector<Pair> pairs(NodeId node, std::string_view what) const {
    auto found = checkpoint::pairs_of(metadata_.names(), node);
    if (!found) {
      context_.fail(fmt::format("{} is {}, expected a dict", what, context_.describe(node)));
    }
    return *std::move(found);
  }

  Offsets dims(NodeId node, std::string_view what) {
    const tensor::Dims found = context_.dims(node, what);
    return {found.begin(), found.end()};
  }

  void read_items(NodeId storage_data) {
    for (const Pair& pair : pairs(storage_data, "storage_data")) {
      context_.begin(pair.key);
      check_class(pair.key, "MetadataIndex");
      const NodeId name = demand(pair.key, "fqn");
      const std::string_view text = context_.text(name, "fqn");
      Key key = {same_.first(name), std::nullopt};
      if (const auto offset = attribute(pair.key, "offset")) key.second = dims(*offset, "offset");
      const bool added = items_.emplace(std::move(key), pair.value).second;
      if (!added) context_.fail(fmt::format("two items of {}", quote(text)));
    }
  }

  void read_paths(std::optional<NodeId> planner_data) {
    if (!planner_data) return;
    for (const Pair& pair : pairs(*planner_data, "planner_data")) {
      context_.begin(pair.value);
      const checkpoint::NodeSpan parts = context_.tuple(pair.value, "a path");
      if (parts.size() > metadata_.limits().depth) {
        context_.fail(fmt::format("a path of {} parts (--limit depth=N)", parts.size()),
                      Error::Kind::Limit);
      }
      for (const NodeId part : parts) {
        if (graph_.kind(part) != Kind::Int) context_.text(part, "a part of a path");
      }
      context_.text(pair.key, "a key of planner_data");
      paths_.insert_or_assign(same_.first(pair.key), pair.value);
    }
  }

  // The text of a node, for keeps.
  std::string spell(NodeId text) {
    if (!spelled_.spend(graph_.text(text).size())) {
      context_.fail(spelled_.message(), Error::Kind::Limit);
    }
    return std::string(graph_.text(text));
  }

  ObjectPath path_of(NodeId name) {
    const auto found = paths_.find(same_.first(name));
    if (found == paths_.end()) return {spell(name)};
    ObjectPath path;
    for (const NodeId part : graph_.items(found->second)) {
      if (graph_.kind(part) == Kind::Int) {
        path.emplace_back(graph_.int_value(part));
      } else {
        path.emplace_back(spell(part));
      }
    }
    return path;
  }

  std::string_view file_of(NodeId text) {
    const auto [found, added] = file_names_.try_emplace(text);
    if (added) found->second = *files_.emplace(context_.text(text, "relative_path")).first;
    return found->second;
  }

  DcpEntry entry(NodeId key, NodeId node) {
    DcpEntry entry = {.name = spell(key), .path = path_of(key)};
    const std::string_view name = graph_.text(key);
    const NodeId same = same_.first(key);
    const std::string_view cls = class_of(node);
    entry.is_tensor = cls == "TensorStorageMetadata";
    if (entry.is_tensor) {
      read_tensor(entry, same, node);
    } else if (cls == "BytesStorageMetadata") {
      entry.items.push_back(item(same, std::nullopt));
    } else {
      context_.fail(fmt::format("{} is {}, expected what a tensor or bytes are described by",
                                quote(name), context_.describe(node)));
    }
    return entry;
  }

  void read_tensor(DcpEntry& entry, NodeId same, NodeId node) {
    entry.dtype = dtype(demand(node, "properties"));
    entry.shape = dims(demand(node, "size"), "size");
    const auto chunks = checkpoint::list_items(graph_, demand(node, "chunks"));
    if (!chunks) context_.fail(fmt::format("the chunks of {} are no list", quote(entry.name)));
    for (const NodeId chunk : *chunks) {
      context_.begin(chunk);
      Tile tile = {dims(demand(chunk, "offsets"), "offsets"),
                   dims(demand(chunk, "sizes"), "sizes")};
      entry.chunks.push_back(std::move(tile));
    }
    context_.begin(node);
    if (!tensor::byte_count(entry.shape, entry.dtype)) {
      context_.fail(fmt::format("{} is of more than 2^64 bytes", quote(entry.name)));
    }
    std::erase_if(entry.chunks,
                  [](const Tile& tile) { return tensor::element_count(tile.sizes) == 0; });
    for (const Tile& tile : entry.chunks) {
      entry.items.push_back(item(same, tile.offsets));
    }
  }

  // TensorProperties pickles itself as (dtype, layout, requires_grad, memory format, pinned).
  tensor::DType dtype(NodeId properties) {
    for (const pickle::Mutation& mutation : graph_.mutations(properties)) {
      if (mutation.change != pickle::Change::Build) continue;
      const NodeId state = mutation.operands[0];
      if (graph_.kind(state) == Kind::Tuple && !graph_.items(state).empty()) {
        return context_.dtype(graph_.items(state)[0]);
      }
    }
    return context_.dtype(demand(properties, "dtype"));
  }

  DcpItem item(NodeId same, const std::optional<Offsets>& offsets) {
    const std::string_view name = graph_.text(same);
    const auto found = items_.find({same, offsets});
    if (found == items_.end()) {
      context_.fail(fmt::format("storage_data has no item of {}", quote(name)));
    }
    const NodeId info = found->second;
    check_class(info, "_StorageInfo");
    if (const auto transforms = attribute(info, "transform_descriptors")) {
      refuse_transforms(name, *transforms);
    }
    return {.path = file_of(demand(info, "relative_path")),
            .offset = context_.count(demand(info, "offset"), "offset"),
            .length = context_.count(demand(info, "length"), "length")};
  }

  void refuse_transforms(std::string_view name, NodeId transforms) {
    std::vector<NodeId> list(graph_.items(transforms).begin(), graph_.items(transforms).end());
    if (const auto items = checkpoint::list_items(graph_, transforms)) list = *items;
    if (list.empty()) return;
    context_.fail(fmt::format("{} is stored as {}, which is not supported", quote(name),
                              quote(context_.text(list[0], "a transform descriptor"))),
                  Error::Kind::Unsupported);
  }

  const checkpoint::Checkpoint& metadata_;
  const pickle::Graph& graph_;
  FileNames& files_;
  std::vector<Warning> warnings_;
  checkpoint::SameText same_;
  checkpoint::PathBudget spelled_;
  checkpoint::FoldContext context_;
  std::map<Key, NodeId> items_;
  std::map<NodeId, NodeId> paths_;                 // tuples, by the first node of a name
  std::map<NodeId, std::string_view> file_names_;  // in files_
};

}  // namespace

std::vector<DcpEntry> read_dcp_metadata(const checkpoint::Checkpoint& metadata, FileNames& files) {
  return Reader(metadata, files).read();
}

}  // namespace ptsd::format
