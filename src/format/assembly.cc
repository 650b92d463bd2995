// SPDX-License-Identifier: Apache-2.0
#include "format/assembly.h"

#include <charconv>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "checkpoint/storage_items.h"
#include "pickle/graph_copier.h"

namespace ptsd::format {

using checkpoint::StorageId;
using checkpoint::StorageItem;
using pickle::Kind;
using pickle::NodeId;

namespace {

constexpr unsigned kProtocol = 2;

class Assembled final : public Loaded {
 public:
  Assembled(pickle::Pickle pickle, const Where& origin, const Limits& limits, FileFacts facts,
            std::vector<std::unique_ptr<StorageBytes>> storages, std::vector<Warning> warnings,
            std::vector<std::shared_ptr<const void>> kept)
      : kept_(std::move(kept)),
        storages_(std::move(storages)),
        facts_(std::move(facts)),
        warnings_(std::move(warnings)),
        checkpoint_(std::move(pickle), origin, limits) {
    bind();
  }

  const FileFacts& facts() const override { return facts_; }
  const checkpoint::Checkpoint& checkpoint() const override { return checkpoint_; }
  checkpoint::Checkpoint& checkpoint() override { return checkpoint_; }

  std::optional<StoredRange> range(StorageId id) const override { return bytes(id).range(); }
  std::optional<std::uint64_t> file_offset(StorageId id) const override {
    const std::optional<StoredRange> stored = range(id);
    if (!stored) return std::nullopt;
    return stored->offset;
  }
  std::optional<std::string> other_file(StorageId id) const override {
    const std::optional<StoredRange> stored = range(id);
    if (!stored || stored->source->name() == checkpoint_.origin().file) return std::nullopt;
    return stored->source->name();
  }
  std::unique_ptr<ByteSource> open_storage(StorageId id) const override { return bytes(id).open(); }
  UncheckedSource open_unchecked(StorageId id) const override { return bytes(id).open_unchecked(); }
  std::vector<Warning> audit() const override { return {}; }
  std::vector<Warning> warnings() const override {
    std::vector<Warning> all = warnings_;
    all.insert(all.end(), checkpoint_.warnings().begin(), checkpoint_.warnings().end());
    return all;
  }

 private:
  const StorageBytes& bytes(StorageId id) const {
    return *storages_[checkpoint_.tensors()[id].record];
  }

  // Keys are the numbers of the storages.
  void bind() {
    checkpoint::Tensors& tensors = checkpoint_.tensors();
    for (std::size_t i = 0; i < tensors.storage_count(); ++i) {
      checkpoint::Storage& storage = tensors[StorageId{static_cast<std::uint32_t>(i)}];
      const std::string_view key = checkpoint_.key(storage);
      std::from_chars(key.data(), key.data() + key.size(), storage.record);
    }
  }

  std::vector<std::shared_ptr<const void>> kept_;
  std::vector<std::unique_ptr<StorageBytes>> storages_;
  FileFacts facts_;
  std::vector<Warning> warnings_;
  checkpoint::Checkpoint checkpoint_;
};

// A storage of another checkpoint, which outlives it.
class LoadedBytes final : public StorageBytes {
 public:
  LoadedBytes(const Loaded& loaded, StorageId storage, bool lies_in_file)
      : loaded_(loaded), storage_(storage), lies_in_file_(lies_in_file) {}

  std::uint64_t size() const override {
    const checkpoint::Storage& storage = loaded_.checkpoint().tensors()[storage_];
    return storage.count * storage.item_size();
  }
  std::optional<StoredRange> range() const override {
    if (!lies_in_file_) return std::nullopt;
    return loaded_.range(storage_);
  }
  std::unique_ptr<ByteSource> open() const override { return loaded_.open_storage(storage_); }
  UncheckedSource open_unchecked() const override { return loaded_.open_unchecked(storage_); }

 private:
  const Loaded& loaded_;
  StorageId storage_;
  bool lies_in_file_;
};

std::unique_ptr<pickle::Pickle> empty_pickle() {
  auto empty = std::make_unique<pickle::Pickle>(Bytes());
  empty->protocol = kProtocol;
  return empty;
}

}  // namespace

Assembly::Assembly(Where origin, FileFacts facts)
    : Assembly(std::move(origin), std::move(facts), empty_pickle()) {}

Assembly::Assembly(Where origin, FileFacts facts, std::unique_ptr<pickle::Pickle> graph)
    : origin_(std::move(origin)),
      facts_(std::move(facts)),
      pickle_(std::move(graph)),
      builder_(pickle_->graph, pickle_->protocol),
      tensors_(builder_) {
  builder_.set_origin(origin_);
}

Assembly::~Assembly() = default;

std::string Assembly::bind(std::unique_ptr<StorageBytes> bytes) {
  storages_.push_back(std::move(bytes));
  return fmt::format("{}", storages_.size() - 1);
}

NodeId Assembly::storage(tensor::DType dtype, std::unique_ptr<StorageBytes> bytes,
                         std::string_view location) {
  const std::uint64_t count = bytes->size() / tensor::info(dtype).item_size;
  return tensors_.storage(dtype, bind(std::move(bytes)), count, location);
}

NodeId Assembly::tensor(tensor::DType dtype, tensor::Dims shape,
                        std::unique_ptr<StorageBytes> bytes) {
  const NodeId whole = storage(dtype, std::move(bytes));
  return tensors_.view(whole, dtype, 0, shape, tensor::contiguous_stride(shape));
}

NodeId Assembly::adopt(std::unique_ptr<Loaded> part, bool lies_in_file) {
  const NodeId root[] = {part->checkpoint().root()};
  return adopt(std::move(part), root, lies_in_file).front();
}

std::vector<NodeId> Assembly::adopt(std::unique_ptr<Loaded> part, std::span<const NodeId> values,
                                    bool lies_in_file) {
  const checkpoint::Checkpoint& checkpoint = part->checkpoint();
  if (part->facts().byteorder != facts_.byteorder) {
    checkpoint.fail(Error::Kind::Unsupported,
                    fmt::format("{}-endian, in a {}-endian checkpoint", part->facts().byteorder,
                                facts_.byteorder));
  }
  const std::size_t first_new = pickle_->graph.size();
  pickle::GraphCopier copier(checkpoint.graph(), checkpoint.pickle().protocol, builder_);
  std::vector<NodeId> copies;
  for (const NodeId value : values) {
    copies.push_back(copier.copy(value));
  }
  std::unordered_map<std::string, NodeId> renamed;
  const std::size_t end = pickle_->graph.size();
  for (std::size_t i = first_new; i < end; ++i) {
    const NodeId node{static_cast<std::uint32_t>(i)};
    if (pickle_->graph.kind(node) != Kind::PersId) continue;
    const NodeId old = storage_item(pickle_->graph, node, StorageItem::Key);
    const std::string key(pickle_->graph.text(old));
    const auto [found, added] = renamed.try_emplace(key);
    if (added) {
      const StorageId storage = checkpoint.tensors().find_storage(key).value();
      found->second =
          builder_.str(bind(std::make_unique<LoadedBytes>(*part, storage, lies_in_file)));
    }
    pickle_->graph.replace_persistent_id(
        node, checkpoint::with_items(builder_, node,
                                     {
                                         {StorageItem::Key, found->second}
    }));
  }
  const std::vector<Warning> found = part->warnings();
  warnings_.insert(warnings_.end(), found.begin(), found.end());
  keep(std::shared_ptr<const Loaded>(std::move(part)));
  return copies;
}

std::unique_ptr<Loaded> Assembly::finish(NodeId root, const Limits& limits) {
  pickle_->root = root;
  return std::make_unique<Assembled>(std::move(*pickle_), origin_, limits, std::move(facts_),
                                     std::move(storages_), std::move(warnings_), std::move(kept_));
}

}  // namespace ptsd::format
