// SPDX-License-Identifier: Apache-2.0
#include "format/repack.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>

#include "base/quote.h"
#include "checkpoint/storage_items.h"
#include "pickle/builder.h"
#include "pickle/encoder.h"
#include "pickle/graph_copier.h"

namespace ptsd::format {

using checkpoint::Draft;
using checkpoint::Payload;
using checkpoint::StorageItem;
using pickle::NodeId;

namespace {

class Repacker {
 public:
  explicit Repacker(const Draft& draft)
      : draft_(draft),
        from_(draft.graph()),
        graph_(result_.pickle->graph),
        builder_(graph_, draft.protocol),
        copier_(from_, draft.protocol, builder_) {}

  Repacked run() {
    // The order of the opcodes that make them, which only the encoder knows.
    const std::vector<NodeId> mentioned =
        pickle::encode(from_, draft_.root, draft_.protocol, draft_.base.origin()).persistent;
    result_.pickle->root = copier_.copy(draft_.root);
    result_.pickle->protocol = draft_.protocol;
    for (const NodeId node : mentioned) {
      renumber(node);
    }
    return std::move(result_);
  }

 private:
  void renumber(NodeId node) {
    const std::string key(from_.text(storage_item(from_, node, StorageItem::Key)));
    const auto [found, added] = keys_.try_emplace(key);
    if (added) {
      found->second = builder_.str(fmt::format("{}", result_.storages.size()));
      result_.storages.push_back(payload_of(key));
    }
    const NodeId copy = *copier_.find(node);
    const std::span<const NodeId> items = graph_.items(graph_.persistent_id(copy));
    std::vector<NodeId> five(items.begin(), items.begin() + checkpoint::kStorageItems);
    five[checkpoint::index(StorageItem::Key)] = found->second;
    graph_.replace_persistent_id(copy, builder_.tuple(five));
  }

  Payload payload_of(const std::string& key) const {
    const auto found = draft_.payloads.find(key);
    if (found != draft_.payloads.end()) return found->second;
    const auto own = draft_.base.tensors().find_storage(key);
    if (!own) fail(key);
    return {.storage = *own};
  }

  [[noreturn]] void fail(const std::string& key) const {
    draft_.base.fail(Error::Kind::Conflict,
                     fmt::format("the pickle names a storage that does not exist: {}", quote(key)));
  }

  const Draft& draft_;
  const pickle::Graph& from_;
  Repacked result_ = {.pickle = std::make_unique<pickle::Pickle>(Bytes()), .storages = {}};
  pickle::Graph& graph_;
  pickle::Builder builder_;
  pickle::GraphCopier copier_;
  std::unordered_map<std::string, NodeId> keys_;
};

}  // namespace

Repacked repack(const Draft& draft) {
  return Repacker(draft).run();
}

}  // namespace ptsd::format
