// SPDX-License-Identifier: Apache-2.0
#include "format/legacy.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "base/byte_reader.h"
#include "base/quote.h"
#include "checkpoint/locate.h"
#include "checkpoint/mapping.h"
#include "checkpoint/storage_items.h"
#include "format/plain_pickle.h"
#include "format/storage_views.h"
#include "pickle/builder.h"
#include "pickle/kind_names.h"
#include "pickle/stream_end.h"

namespace ptsd::format {

using checkpoint::Storage;
using checkpoint::StorageId;
using checkpoint::StorageItem;
using pickle::Kind;
using pickle::KindSet;
using pickle::NodeId;

namespace {

constexpr std::uint64_t kLargestHeader = 65536;  // bytes of a pickle of the header
constexpr KindSet kTexts(Kind::Str, Kind::ByteStr, Kind::Bytes);
// A storage as its bytes lie in the file.
struct Span {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

// A part of another storage: offset and counts in elements.
struct View {
  std::string_view root;  // in the pickle
  std::uint64_t root_count = 0;
  std::uint64_t offset = 0;
  std::uint64_t count = 0;
  NodeId node;

  bool is_same(const View& other) const {
    return root == other.root && root_count == other.root_count && offset == other.offset &&
           count == other.count;
  }
};

// What the ids say of a storage whose bytes are in the file.
struct Declared {
  StorageId user;  // the storage itself, or one that is a part of it
  std::uint64_t count = 0;
  std::uint64_t item_size = 0;
};

class Legacy final : public Loaded {
 public:
  Legacy(const ByteSource& source, std::uint64_t offset, const Limits& limits)
      : source_(source), limits_(limits), position_(offset) {
    layout_.source = &source;
    facts_ = {.format = "torch-legacy",
              .bytes = source.size(),
              .writer = "torch 0.1.10 to 1.5, or a later one on request",
              .has_checksums = false};
    read_header();
    read_object();
    declare_storages();
    read_keys();
    read_storages();
    bind_storages();
    warn_of_shared_bytes();
    look_behind();
  }

  const FileFacts& facts() const override { return facts_; }
  const checkpoint::Checkpoint& checkpoint() const override { return *checkpoint_; }
  checkpoint::Checkpoint& checkpoint() override { return *checkpoint_; }
  const LegacyLayout* legacy() const override { return &layout_; }

  std::optional<StoredRange> range(StorageId id) const override {
    const Span& span = span_of(id);
    return StoredRange{.source = &source_, .offset = span.offset, .size = span.size};
  }
  std::optional<std::uint64_t> file_offset(StorageId id) const override {
    return span_of(id).offset;
  }
  std::unique_ptr<ByteSource> open_storage(StorageId id) const override {
    const Span& span = span_of(id);
    return std::make_unique<RangeSource>(source_, span.offset, span.size);
  }
  UncheckedSource open_unchecked(StorageId id) const override {
    return {.source = open_storage(id)};
  }
  std::vector<Warning> audit() const override { return {}; }
  std::vector<Warning> warnings() const override {
    std::vector<Warning> all = warnings_;
    all.insert(all.end(), checkpoint_->warnings().begin(), checkpoint_->warnings().end());
    return all;
  }

 private:
  const Span& span_of(StorageId id) const { return spans_[checkpoint_->tensors()[id].record]; }

  [[noreturn]] void fail_at(std::uint64_t offset, std::string message) const {
    throw Error(Error::Kind::Malformed, {.file = source_.name(), .offset = offset},
                std::move(message));
  }

  void warn_at(std::uint64_t offset, std::string message) {
    warnings_.push_back({
        .where = {.file = source_.name(), .offset = offset},
          .message = std::move(message)
    });
  }

  // The pickles around that of the object.

  void read_header() {
    read_magic();
    const PlainPickle version(source_, position_, kLargestHeader, "the protocol version");
    if (version.graph().kind(version.root()) != Kind::Int ||
        version.graph().int_value(version.root()) != kLegacyVersion) {
      version.fail(
          fmt::format("the protocol version is {}, expected {}", version.shown(), kLegacyVersion));
    }
    position_ = version.end();
    read_system();
    layout_.object = position_;
  }

  void read_magic() {
    const PlainPickle magic(source_, position_, kLargestHeader, "the magic number");
    const Kind kind = magic.graph().kind(magic.root());
    const bool is_magic =
        (kind == Kind::LongBytes && magic.graph().text(magic.root()) == kLegacyMagic) ||
        (kind == Kind::LongDigits && magic.graph().text(magic.root()) == kLegacyMagicDigits);
    if (!is_magic) {
      magic.fail(
          fmt::format("the magic number is {}, expected {}", magic.shown(), kLegacyMagicDigits));
    }
    position_ = magic.end();
  }

  void read_system() {
    const PlainPickle facts(source_, position_, kLargestHeader, "the system's facts");
    const checkpoint::Names names(facts.graph());
    const auto pairs = pairs_of(names, facts.root());
    if (!pairs)
      facts.fail(fmt::format("the system's facts are {}, expected a dict", facts.shown()));
    const auto little = value_at(facts.graph(), *pairs, "little_endian");
    if (little && facts.graph().kind(*little) == Kind::False) {
      warn_at(position_, "written on a big-endian machine: elements of 16 bytes may be wrong");
    }
    position_ = facts.end();
  }

  // The object.

  void read_object() {
    const Where origin = {.file = source_.name(), .offset = position_};
    object_bytes_ = pickle::read_stream(source_, position_, limits_.pickle_bytes, origin);
    position_ += object_bytes_.size();
    pickle::Pickle pickle = pickle::read_pickle(object_bytes_, origin);
    resolve_ids(pickle);
    facts_.protocol = pickle.protocol;
    checkpoint_.emplace(std::move(pickle), origin, limits_);
    layout_.keys = position_;
  }

  void resolve_ids(pickle::Pickle& pickle) {
    pickle::Builder builder(pickle.graph, pickle.protocol);
    const std::size_t nodes = pickle.graph.size();
    for (std::size_t i = 0; i < nodes; ++i) {
      const NodeId node{static_cast<std::uint32_t>(i)};
      if (pickle.graph.kind(node) == Kind::PersId) resolve_id(builder, node);
    }
  }

  // Whatever is wrong with a storage's id that is left as it is, Checkpoint says.
  void resolve_id(pickle::Builder& builder, NodeId node) {
    const pickle::Graph& graph = builder.graph();
    const std::span<const NodeId> items = graph.items(graph.persistent_id(node));
    if (items.empty() || !kTexts.contains(graph.kind(items[0]))) return;
    if (graph.text(items[0]) == "module") return resolve_class(builder.graph(), node);
    if (items.size() == checkpoint::kStorageItems + 1 &&
        graph.kind(items[checkpoint::kStorageItems]) != Kind::None) {
      resolve_view(builder, node);
    }
  }

  void resolve_class(pickle::Graph& graph, NodeId node) {
    constexpr KindSet kClasses(Kind::Global, Kind::Reduce);
    const NodeId id = graph.persistent_id(node);
    const std::span<const NodeId> items = graph.items(id);
    if (items.size() != 4 || !kClasses.contains(graph.kind(items[1])) ||
        !graph.mutations(items[1]).empty()) {
      fail_at(layout_.object + graph.offset(node),
              "a persistent id is not ('module', class, file, source)");
    }
    graph.replace_persistent(node, items[1]);
    layout_.containers.push_back({.node = node, .id = id});
  }

  // A part of a storage becomes a storage of its own, as torch.load makes one of it.
  void resolve_view(pickle::Builder& builder, NodeId node) {
    pickle::Graph& graph = builder.graph();
    const NodeId id = graph.persistent_id(node);
    const NodeId key = graph.items(id)[index(StorageItem::Key)];
    const NodeId count = graph.items(id)[index(StorageItem::Count)];
    const std::span<const NodeId> view = graph.items(graph.items(id)[checkpoint::kStorageItems]);
    const auto is_count = [&](NodeId item) {
      return graph.kind(item) == Kind::Int && graph.int_value(item) >= 0;
    };
    if (!kTexts.contains(graph.kind(key)) || !is_count(count) || view.size() != 3 ||
        !kTexts.contains(graph.kind(view[0])) || !is_count(view[1]) || !is_count(view[2])) {
      fail_at(layout_.object + graph.offset(node),
              "the view of a storage is not (key, offset, numel)");
    }
    const auto value = [&](NodeId item) {
      return static_cast<std::uint64_t>(graph.int_value(item));
    };
    add_view(std::string(graph.text(view[0])), {.root = graph.text(key),
                                                .root_count = value(count),
                                                .offset = value(view[1]),
                                                .count = value(view[2]),
                                                .node = node});
    // Whoever is given a persistent id of this checkpoint sees the storage that the view is.
    const NodeId none = builder.none();
    std::vector<NodeId> tuple(graph.items(id).begin(), graph.items(id).end());
    tuple[index(StorageItem::Key)] = view[0];
    tuple[index(StorageItem::Count)] = view[2];
    tuple[checkpoint::kStorageItems] = none;
    graph.replace_persistent_id(node, builder.tuple(tuple));
    layout_.has_views = true;
  }

  void add_view(const std::string& key, View view) {
    if (view.offset > view.root_count || view.count > view.root_count - view.offset) {
      fail_at(
          layout_.object,
          fmt::format("storage {} is elements {} to {} of storage {}, which has {}", quote(key),
                      view.offset, view.offset + view.count, quote(view.root), view.root_count));
    }
    const auto [found, added] = views_.try_emplace(key, view);
    if (!added && !found->second.is_same(view)) {
      fail_at(layout_.object,
              fmt::format("storage {} is a part of others in two ways", quote(key)));
    }
  }

  // The storages.

  void declare_storages() {
    const checkpoint::Tensors& tensors = checkpoint_->tensors();
    checkpoint::each_storage_id(*checkpoint_, [&](NodeId node, StorageId id) {
      const Storage& storage = tensors[id];
      const std::string key(checkpoint_->key(storage));
      const auto view = views_.find(key);
      if (view == views_.end()) return declare(key, id, storage.count);
      if (node == view->second.node) {
        declare(std::string(view->second.root), id, view->second.root_count);
      }
    });
    for (const auto& [key, view] : views_) {
      if (!declared_.contains(key) && !views_.contains(view.root)) continue;
      fail_at(layout_.object, fmt::format("storage {} is a view of {}: a view cannot be a storage "
                                          "of its own, or a view of a view",
                                          quote(key), quote(view.root)));
    }
  }

  void declare(const std::string& key, StorageId user, std::uint64_t count) {
    const std::uint64_t item_size = checkpoint_->tensors()[user].item_size();
    const auto [found, added] =
        declared_.try_emplace(key, Declared{.user = user, .count = count, .item_size = item_size});
    if (!added && (found->second.count != count || found->second.item_size != item_size)) {
      fail_storage(layout_.object, key, user, "parts of it disagree about its size");
    }
  }

  void read_keys() {
    const PlainPickle list(source_, position_, limits_.pickle_bytes, "the storages' keys");
    const auto keys = checkpoint::list_items(list.graph(), list.root());
    if (!keys) list.fail(fmt::format("the storages' keys are {}, expected a list", list.shown()));
    std::set<std::string_view> seen;
    for (const NodeId node : *keys) {
      if (!kTexts.contains(list.graph().kind(node))) {
        list.fail(fmt::format("the key of a storage is {}, expected a str",
                              pickle::with_article(list.graph().kind(node))));
      }
      const std::string_view key = list.graph().text(node);
      if (!declared_.contains(key)) {
        fail_at(layout_.keys, fmt::format("no tensor uses the storage {}", quote(key)));
      }
      if (!seen.insert(key).second) {
        fail_at(layout_.keys, fmt::format("storage {} is listed twice", quote(key)));
      }
      layout_.key_order.emplace_back(key);
    }
    position_ = list.end();
    layout_.storages = position_;
  }

  void read_storages() {
    for (const std::string& key : layout_.key_order) {
      found_.emplace(key, next_storage(key, declared_.at(key)));
    }
    for (const auto& [key, declared] : declared_) {
      if (!found_.contains(key)) {
        fail_storage(layout_.keys, key, declared.user, "it is not among those that follow");
      }
    }
    layout_.end = position_;
  }

  Span next_storage(const std::string& key, const Declared& declared) {
    constexpr std::uint64_t kCountSize = 8;
    const std::uint64_t begin = position_;
    if (source_.size() - begin < kCountSize) {
      fail_storage(begin, key, declared.user, "the file ends before it");
    }
    std::array<std::byte, kCountSize> raw;
    source_.read(begin, raw);
    const Where origin = {.file = source_.name(), .offset = begin};
    const std::uint64_t count = ByteReader(raw, origin).u64_le("the number of elements");
    if (count != declared.count) {
      fail_storage(begin, key, declared.user,
                   fmt::format("it has {} elements, the pickle declares {}",
                               static_cast<std::int64_t>(count), declared.count));
    }
    position_ += kCountSize;
    // Checkpoint has seen to it that this is less than 2^64, but for what is only in parts.
    const std::uint64_t left = source_.size() - position_;
    if (count > left / declared.item_size) {
      fail_storage(begin, key, declared.user,
                   fmt::format("{} elements of {} bytes, the file has {} bytes more", count,
                               declared.item_size, left));
    }
    const Span span = {.offset = position_, .size = count * declared.item_size};
    position_ += span.size;
    return span;
  }

  [[noreturn]] void fail_storage(std::uint64_t offset, const std::string& key, StorageId user,
                                 std::string_view message) const {
    const NodeId id = checkpoint_->tensors()[user].id;
    const std::optional<std::string> path =
        checkpoint::locate(checkpoint_->names(), checkpoint_->root(), id);
    fail_at(offset, fmt::format("storage {}{}: {}", quote(key),
                                path ? " of " + quote(*path) : std::string(), message));
  }

  void bind_storages() {
    checkpoint::Tensors& tensors = checkpoint_->tensors();
    bool warned = false;
    for (std::size_t i = 0; i < tensors.storage_count(); ++i) {
      Storage& storage = tensors[StorageId{static_cast<std::uint32_t>(i)}];
      storage.record = static_cast<std::uint32_t>(spans_.size());
      spans_.push_back(find_span(storage));
      if (storage.untyped && !std::exchange(warned, true)) {
        warnings_.push_back(
            {.where = checkpoint_->where(storage.id),
             .message = fmt::format("storage {} has no dtype, which torch.load refuses in a legacy "
                                    "stream",
                                    quote(checkpoint_->key(storage)))});
      }
    }
  }

  void warn_of_shared_bytes() {
    std::vector<StorageView> views;
    for (const auto& [key, view] : views_) {
      views.push_back({.key = key, .root = view.root, .offset = view.offset, .count = view.count});
    }
    const auto is_used = [this](std::string_view key) {
      return checkpoint_->tensors().find_storage(key).has_value();
    };
    if (auto shared = shared_bytes(std::move(views), is_used)) {
      warn_at(layout_.object, *std::move(shared));
    }
  }

  Span find_span(const Storage& storage) const {
    const std::string key(checkpoint_->key(storage));
    const auto view = views_.find(key);
    if (view == views_.end()) return found_.at(key);
    const Span root = found_.find(view->second.root)->second;
    return {.offset = root.offset + view->second.offset * storage.item_size(),
            .size = view->second.count * storage.item_size()};
  }

  void look_behind() {
    const std::uint64_t more = source_.size() - position_;
    if (more == 0) return;
    const auto head = source_.read(position_, std::min<std::uint64_t>(more, 64));
    const bool is_stream = as_text(head).find(kLegacyMagic) != std::string_view::npos ||
                           as_text(head).find(kLegacyMagicDigits) != std::string_view::npos;
    warn_at(position_, is_stream
                           ? "another object follows, which is not read: torch.load too reads one"
                           : fmt::format("{} bytes behind the last storage", more));
  }

  const ByteSource& source_;
  Limits limits_;
  std::uint64_t position_;
  LegacyLayout layout_;
  FileFacts facts_;
  std::vector<Warning> warnings_;
  std::vector<std::byte> object_bytes_;
  std::map<std::string, View, std::less<>> views_;  // by their own keys
  std::optional<checkpoint::Checkpoint> checkpoint_;
  std::map<std::string, Declared, std::less<>> declared_;
  std::map<std::string, Span, std::less<>> found_;
  std::vector<Span> spans_;  // by Storage::record
};

}  // namespace

std::unique_ptr<Loaded> load_legacy(const Input& input, const Limits& limits) {
  return std::make_unique<Legacy>(input.source, 0, limits);
}

std::unique_ptr<Loaded> load_legacy_at(const ByteSource& source, std::uint64_t offset,
                                       const Limits& limits) {
  return std::make_unique<Legacy>(source, offset, limits);
}

}  // namespace ptsd::format
