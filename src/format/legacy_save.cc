// SPDX-License-Identifier: Apache-2.0
#include "format/legacy_save.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/quote.h"
#include "checkpoint/storage_items.h"
#include "format/legacy.h"
#include "format/payload_writer.h"
#include "format/probe.h"
#include "format/refuse_loss.h"
#include "pickle/encoder.h"
#include "pickle/graph_copier.h"

namespace ptsd::format {

using checkpoint::Draft;
using checkpoint::Payload;
using checkpoint::StorageItem;
using pickle::Builder;
using pickle::Kind;
using pickle::NodeId;

namespace {

// A pickle of its own, at some protocol.
class Fresh {
 public:
  explicit Fresh(unsigned protocol) : graph_(Bytes()), builder_(graph_, protocol) {}

  Builder& builder() { return builder_; }
  std::vector<std::byte> encoded(NodeId root) {
    return pickle::encode(graph_, root, builder_.protocol()).bytes;
  }

 private:
  pickle::Graph graph_;
  Builder builder_;
};

std::vector<std::byte> magic_pickle(unsigned protocol) {
  Fresh fresh(protocol);
  // Protocol 1 has no binary form for it.
  const NodeId number = protocol < 2 ? fresh.builder().text_of(Kind::LongDigits, kLegacyMagicDigits)
                                     : fresh.builder().text_of(Kind::LongBytes, kLegacyMagic);
  return fresh.encoded(number);
}

std::vector<std::byte> version_pickle(unsigned protocol) {
  Fresh fresh(protocol);
  return fresh.encoded(fresh.builder().integer(kLegacyVersion));
}

std::vector<std::byte> system_pickle(unsigned protocol) {
  Fresh fresh(protocol);
  Builder& builder = fresh.builder();
  const auto size = [&](std::string_view type, std::int64_t bytes) {
    return std::array{builder.str(type), builder.integer(bytes)};
  };
  std::vector<NodeId> sizes;
  for (const auto& pair : {size("short", 2), size("int", 4), size("long", 4)}) {
    sizes.insert(sizes.end(), pair.begin(), pair.end());
  }
  const std::array facts = {builder.str("protocol_version"), builder.integer(kLegacyVersion),
                            builder.str("little_endian"),    builder.boolean(true),
                            builder.str("type_sizes"),       builder.dict(sizes)};
  return fresh.encoded(builder.dict(facts));
}

// What the id of a storage says.
struct Declared {
  std::uint64_t count = 0;
  std::uint64_t item_size = 0;
  bool untyped = false;
};

}  // namespace

class LegacySave::Planner {
 public:
  Planner(LegacySave& save, const Draft& draft, bool force)
      : save_(save), draft_(draft), force_(force), layout_(save.inputs_[0]->legacy()) {}

  void plan() {
    refuse_big_endian();
    if (layout_ != nullptr && !draft_.pickle_changed && draft_.payloads.empty()) {
      return add_range(0, layout_->source->size());
    }
    refuse_loss(save_.inputs_, force_, save_.inputs_[0]);
    const bool keeps_pickle = layout_ != nullptr && !draft_.pickle_changed && !layout_->has_views;
    keeps_pickle ? copy_object() : encode_object();
    if (layout_ != nullptr) add_range(layout_->end, layout_->source->size() - layout_->end);
  }

 private:
  [[noreturn]] void fail(Error::Kind kind, std::string message) const {
    throw Error(kind, {.file = draft_.base.origin().file}, std::move(message));
  }

  void refuse_big_endian() const {
    for (const Loaded* input : save_.inputs_) {
      if (input->facts().byteorder == "little") continue;
      input->checkpoint().fail(Error::Kind::Unsupported,
                               "big-endian elements, a legacy stream has little-endian ones");
    }
  }

  // The pickles are those of the input, and some storages are not.
  void copy_object() {
    add_range(0, layout_->storages);
    const checkpoint::Tensors& tensors = draft_.base.tensors();
    for (const std::string& key : layout_->key_order) {
      const checkpoint::Storage& storage = tensors[tensors.find_storage(key).value()];
      add_storage(key, {.count = storage.count, .item_size = storage.item_size()});
    }
  }

  void encode_object() {
    pickle::Graph graph{Bytes()};
    Builder builder(graph, draft_.protocol);
    builder.set_origin(draft_.base.origin());
    const NodeId root = copy_graph(builder);
    copy_keys(builder);
    checkpoint::set_view_items(builder, true);
    pickle::Encoded encoded = pickle::encode(graph, root, draft_.protocol, draft_.base.origin());
    find_storages(graph, encoded.persistent);
    add_header();
    add_bytes(std::move(encoded.bytes));
    add_keys();
    for (const auto& [key, declared] : declared_) {
      add_storage(key, declared);
    }
  }

  NodeId copy_graph(Builder& builder) const {
    const unsigned protocol = draft_.converted ? draft_.protocol : draft_.base.pickle().protocol;
    pickle::GraphCopier copier(draft_.graph(), protocol, builder);
    if (protocol == draft_.protocol) copy_globals(copier, builder.graph());
    if (layout_ != nullptr && !draft_.converted) {
      for (const SourceContainer& container : layout_->containers) {
        copier.substitute(container.node, builder.persistent(copier.copy(container.id)));
      }
    }
    return copier.copy(draft_.root);
  }

  // Each as it is, where the copier would have one for each name.
  void copy_globals(pickle::GraphCopier& copier, pickle::Graph& to) const {
    const pickle::Graph& from = draft_.graph();
    for (std::size_t i = 0; i < from.size(); ++i) {
      const NodeId node{static_cast<std::uint32_t>(i)};
      if (from.kind(node) != Kind::Global) continue;
      const auto strings = from.global_strings(node);
      const NodeId copy =
          strings
              ? to.add_stack_global(
                    {.module = copier.copy(strings->module), .name = copier.copy(strings->name)}, 0)
              : to.add_global(to.keep(from.global(node)), 0);
      if (from.memoised(node)) to.set_memoised(copy);
      copier.substitute(node, copy);
    }
  }

  // torch.save makes the text of the key anew for each id.
  static void copy_keys(Builder& builder) {
    const pickle::Graph& graph = builder.graph();
    const std::size_t nodes = graph.size();
    for (std::size_t i = 0; i < nodes; ++i) {
      const NodeId node{static_cast<std::uint32_t>(i)};
      if (graph.kind(node) != Kind::PersId) continue;
      if (graph.items(graph.persistent_id(node)).size() != checkpoint::kStorageItems) continue;
      const NodeId key = storage_item(graph, node, StorageItem::Key);
      const NodeId copy = builder.str(std::string(graph.text(key)));
      builder.graph().replace_persistent_id(node,
                                            checkpoint::with_items(builder, node,
                                                                   {
                                                                       {StorageItem::Key, copy}
      }));
    }
  }

  void find_storages(const pickle::Graph& graph, std::span<const NodeId> persistent) {
    const checkpoint::Names names(graph);
    for (const NodeId node : persistent) {
      if (graph.items(graph.persistent_id(node)).size() <= checkpoint::kStorageItems) continue;
      const NodeId cls = storage_item(graph, node, StorageItem::Class);
      const NodeId count = storage_item(graph, node, StorageItem::Count);
      const checkpoint::KnownGlobal known = names.known(cls);
      const bool untyped = known.what == checkpoint::Known::UntypedStorage;
      const std::string key(graph.text(storage_item(graph, node, StorageItem::Key)));
      if (untyped && !was_untyped(key)) fail_untyped(key);
      declared_.try_emplace(
          key,
          Declared{.count = static_cast<std::uint64_t>(graph.int_value(count)),
                   .item_size = untyped ? std::uint64_t{1} : tensor::info(known.dtype).item_size,
                   .untyped = untyped});
    }
  }

  // An edit of a legacy stream that torch.load refuses may leave it like that.
  bool was_untyped(std::string_view key) const {
    const auto own = draft_.base.tensors().find_storage(key);
    return layout_ != nullptr && own && draft_.base.tensors()[*own].untyped;
  }

  [[noreturn]] void fail_untyped(std::string_view key) const {
    fail(Error::Kind::Unsupported,
         fmt::format("storage {} is an UntypedStorage (its dtype has no class of its own), which "
                     "torch.load refuses in a legacy stream",
                     quote(key)));
  }

  // Python 2 put the facts of the system in another order.
  void add_header() {
    if (layout_ != nullptr && draft_.protocol == draft_.base.pickle().protocol) {
      return add_range(0, layout_->object);
    }
    add_bytes(magic_pickle(draft_.protocol));
    add_bytes(version_pickle(draft_.protocol));
    add_bytes(system_pickle(draft_.protocol));
  }

  void add_keys() {
    Fresh fresh(draft_.protocol);
    std::vector<NodeId> keys;
    for (const auto& [key, declared] : declared_) {
      keys.push_back(fresh.builder().str(key));
    }
    add_bytes(fresh.encoded(fresh.builder().list(keys)));
  }

  void add_storage(const std::string& key, const Declared& declared) {
    const Payload payload = payload_of(key);
    const std::uint64_t size = payload_size(payload, save_.inputs_);
    if (size != declared.count * declared.item_size) {
      fail(Error::Kind::Conflict,
           fmt::format("storage {} has {} bytes, the pickle declares {} elements of {}", quote(key),
                       size, declared.count, declared.item_size));
    }
    std::vector<std::byte> count;
    for (unsigned i = 0; i < 8; ++i) {
      count.push_back(static_cast<std::byte>(declared.count >> 8 * i));
    }
    add_bytes(std::move(count));
    if (size > 0) add({.size = size, .payload = payload});
  }

  Payload payload_of(const std::string& key) const {
    const auto found = draft_.payloads.find(key);
    if (found != draft_.payloads.end()) return found->second;
    const auto own = draft_.base.tensors().find_storage(key);
    if (!own) {
      fail(Error::Kind::Conflict,
           fmt::format("the pickle names storage {}, of which no input has the bytes", quote(key)));
    }
    return {.storage = *own};
  }

  void add_bytes(std::vector<std::byte> bytes) {
    const std::uint64_t size = bytes.size();
    add({.size = size, .bytes = std::move(bytes)});
  }

  void add_range(std::uint64_t offset, std::uint64_t size) {
    if (size > 0) add({.size = size, .source = layout_->source, .offset = offset});
  }

  void add(Piece piece) {
    save_.size_ += piece.size;
    save_.pieces_.push_back(std::move(piece));
  }

  LegacySave& save_;
  const Draft& draft_;
  bool force_;
  const LegacyLayout* layout_;                // of the first input, if it is a legacy stream
  std::map<std::string, Declared> declared_;  // in the order of torch: sorted
};

LegacySave::LegacySave(const Draft& draft, std::span<const Loaded* const> inputs, bool force)
    : inputs_(inputs.begin(), inputs.end()) {
  Planner(*this, draft, force).plan();
}

void LegacySave::write_piece(ByteSink& sink, const Piece& piece, CheckedStorages& storages) const {
  if (piece.payload) {
    write_payload(sink, *piece.payload, 0, piece.size, storages);
  } else if (piece.source != nullptr) {
    sink.copy(*piece.source, piece.offset, piece.size);
  } else {
    sink.write(piece.bytes);
  }
}

void LegacySave::write_pieces(ByteSink& sink) const {
  CheckedStorages storages(inputs_);
  for (const Piece& piece : pieces_) {
    write_piece(sink, piece, storages);
  }
}

namespace {

// Takes what was written once more, and compares it with what lies there.
class Comparison final : public ByteSink {
 public:
  explicit Comparison(const ByteSource& written) : written_(written) {}

  void write(Bytes bytes) override {
    const std::vector<std::byte> there = written_.read(position_, bytes.size());
    if (!std::ranges::equal(there, bytes)) {
      fail_read_back({.file = written_.name(), .offset = position_},
                     "other bytes than were written");
    }
    position_ += bytes.size();
  }
  void skip(std::uint64_t size) { position_ += size; }

 private:
  const ByteSource& written_;
  std::uint64_t position_ = 0;
};

}  // namespace

void LegacySave::verify(const ByteSource& written, bool payload, const Limits& limits) const {
  if (written.size() != size_) {
    fail_read_back({.file = written.name()},
                   fmt::format("{} bytes, expected {}", written.size(), size_));
  }
  Comparison comparison(written);
  CheckedStorages storages(inputs_);
  for (const Piece& piece : pieces_) {
    const bool is_payload = piece.payload || piece.source != nullptr;
    if (payload || !is_payload) {
      write_piece(comparison, piece, storages);
    } else {
      comparison.skip(piece.size);
    }
  }
  load(written, limits);
}

}  // namespace ptsd::format
