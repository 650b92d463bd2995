// SPDX-License-Identifier: Apache-2.0
#include "format/torch_tar.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/quote.h"
#include "checkpoint/mapping.h"
#include "container/tar_reader.h"
#include "format/assembly.h"
#include "format/plain_pickle.h"
#include "format/storage_views.h"
#include "format/tar_cursor.h"
#include "pickle/graph_copier.h"
#include "pickle/stream_end.h"

namespace ptsd::format {

using checkpoint::Known;
using checkpoint::KnownGlobal;
using container::TarMember;
using pickle::Kind;
using pickle::KindSet;
using pickle::NodeId;

namespace {

constexpr KindSet kTexts(Kind::Str, Kind::ByteStr);

struct TarStorage {
  NodeId id{};
  tensor::DType dtype{};
  std::uint64_t offset = 0;  // of the elements in the file
  std::uint64_t count = 0;
  std::string location = {};
};

class Reader {
 public:
  Reader(const ByteSource& source, const Limits& limits)
      : source_(source),
        limits_(limits),
        members_(container::read_tar(source)),
        assembly_({.file = source.name()}, {.format = "torch-tar",
                                            .bytes = source.size(),
                                            .writer = "torch before 0.1.10",
                                            .has_pickle = false,
                                            .has_checksums = false}) {}

  std::unique_ptr<Loaded> load() {
    const TarMember& storages = need("storages");
    const TarMember& tensors = need("tensors");
    const TarMember& object = need("pickle");
    if (const TarMember* const facts = find("sys_info")) read_facts(*facts);
    read_storages(storages);
    read_tensors(tensors);
    const NodeId root = read_object(object);
    const auto is_used = [this](std::string_view key) { return used_.contains(key); };
    if (auto shared = shared_bytes(views_, is_used)) {
      assembly_.warn({
          .where = {.file = source_.name(), .offset = storages.offset},
          .message = *std::move(shared)
      });
    }
    return assembly_.finish(root, limits_);
  }

 private:
  [[noreturn]] void fail(std::uint64_t offset, std::string message) const {
    source_.fail_at(offset, Error::Kind::Malformed, std::move(message));
  }

  // The rest of a member whose parts end at `end`.
  void warn_of_rest(const TarMember& member, std::uint64_t end) {
    const std::uint64_t more = member.offset + member.size - end;
    if (more == 0) return;
    assembly_.warn({
        {.file = source_.name(), .offset = end},
        fmt::format("{} bytes at the end of {} are no part of it", more, quote(member.name))
    });
  }

  const TarMember* find(std::string_view name) const {
    const TarMember* found = nullptr;
    for (const TarMember& member : members_) {
      if (member.name != name) continue;
      if (found != nullptr) fail(member.offset, fmt::format("a second member {}", quote(name)));
      found = &member;
    }
    return found;
  }

  const TarMember& need(std::string_view name) const {
    const TarMember* const found = find(name);
    if (found == nullptr) {
      source_.fail(
          Error::Kind::Unsupported,
          fmt::format("a tar archive without a file {}: torch.save wrote storages, tensors "
                      "and pickle",
                      quote(name)));
    }
    return *found;
  }

  void read_facts(const TarMember& member) {
    TarCursor cursor(source_, member);
    cursor.entry([](const PlainPickle& pickle) {
      const checkpoint::Names names(pickle.graph());
      const auto pairs = pairs_of(names, pickle.root());
      const auto version =
          pairs ? value_at(pickle.graph(), *pairs, "protocol_version") : std::nullopt;
      if (!version || pickle.graph().kind(*version) != Kind::Int ||
          pickle.graph().int_value(*version) != 1000) {
        pickle.fail("sys_info is no dict whose protocol_version is 1000");
      }
    });
    warn_of_rest(member, cursor.position());
  }

  // Storages.

  void read_storages(const TarMember& member) {
    TarCursor cursor(source_, member);
    const std::uint64_t count = cursor.count();
    for (std::uint64_t i = 0; i < count; ++i) {
      read_storage(cursor);
    }
    if (cursor.at_end()) return;
    cursor.pickled(limits_.pickle_bytes, [this](const PlainPickle& pickle) {
      const auto views = checkpoint::list_items(pickle.graph(), pickle.root());
      if (!views) pickle.fail(fmt::format("the views are {}, expected a list", pickle.shown()));
      for (const NodeId view : *views) {
        read_view(pickle, view);
      }
    });
    warn_of_rest(member, cursor.position());
  }

  void read_storage(TarCursor& cursor) {
    std::string key;
    TarStorage storage = {.location = "cpu"};
    cursor.entry([&](const PlainPickle& pickle) {
      const pickle::Graph& graph = pickle.graph();
      const auto items = graph.items(pickle.root());
      const bool located = items.size() == 3 && kTexts.contains(graph.kind(items[1]));
      if (!located && items.size() != 2) {
        pickle.fail("a storage is not (key, location, class)");
      }
      key = key_of(pickle, items[0]);
      if (located) storage.location = graph.text(items[1]);
      const KnownGlobal cls = checkpoint::Names(graph).known(items.back());
      if (cls.what != Known::StorageClass) {
        pickle.fail(fmt::format("storage {}: its class is none of torch's", key));
      }
      storage.dtype = cls.dtype;
    });
    const std::string subject = "storage " + key;
    storage.count =
        static_cast<std::uint64_t>(cursor.not_negative(subject, "the number of elements"));
    const std::uint64_t item_size = tensor::info(storage.dtype).item_size;
    if (storage.count > source_.size() / item_size) {
      cursor.fail(fmt::format("{}: {} elements of {} bytes, more than the file has", subject,
                              storage.count, item_size));
    }
    storage.offset = cursor.skip(storage.count * item_size, subject);
    add_storage(key, std::move(storage));
  }

  void add_storage(const std::string& key, TarStorage storage) {
    const std::uint64_t size = storage.count * tensor::info(storage.dtype).item_size;
    if (tensors_.contains(key) || storages_.contains(key)) {
      fail(storage.offset, fmt::format("storage {} is there twice", key));
    }
    storage.id = assembly_.tensors().storage(
        storage.dtype, assembly_.bind(std::make_unique<RangeBytes>(source_, storage.offset, size)),
        storage.count, storage.location);
    storages_.emplace(key, std::move(storage));
  }

  // A part of a storage becomes a storage of its own, as torch.load makes one of it.
  void read_view(const PlainPickle& pickle, NodeId node) {
    const pickle::Graph& graph = pickle.graph();
    const auto items = graph.items(node);
    const auto is_count = [&](NodeId item) {
      return graph.kind(item) == Kind::Int && graph.int_value(item) >= 0;
    };
    if (items.size() != 4 || !is_count(items[2]) || !is_count(items[3])) {
      pickle.fail("a view is not (key, root key, offset, numel)");
    }
    const std::string key = key_of(pickle, items[0]);
    const auto root = storages_.find(key_of(pickle, items[1]));
    const auto offset = static_cast<std::uint64_t>(graph.int_value(items[2]));
    const auto count = static_cast<std::uint64_t>(graph.int_value(items[3]));
    if (root == storages_.end() || offset > root->second.count ||
        count > root->second.count - offset) {
      pickle.fail(fmt::format("storage {} is no part of a storage that is here", key));
    }
    TarStorage view = root->second;
    view.offset += offset * tensor::info(view.dtype).item_size;
    view.count = count;
    add_storage(key, std::move(view));
    views_.push_back(
        {.key = storages_.find(key)->first, .root = root->first, .offset = offset, .count = count});
  }

  // Keys are numbers; ids name them in digits.
  static std::string key_of(const PlainPickle& pickle, NodeId node) {
    if (pickle.graph().kind(node) != Kind::Int) pickle.fail("a key that is no number");
    return fmt::format("{}", pickle.graph().int_value(node));
  }

  // Tensors.

  void read_tensors(const TarMember& member) {
    TarCursor cursor(source_, member);
    const std::uint64_t count = cursor.count();
    for (std::uint64_t i = 0; i < count; ++i) {
      read_tensor(cursor);
    }
    warn_of_rest(member, cursor.position());
  }

  struct TensorEntry {
    std::string key = {};
    std::optional<std::string> storage = {};
    tensor::DType dtype = {};  // of the class
  };

  static TensorEntry tensor_entry(const PlainPickle& pickle) {
    const pickle::Graph& graph = pickle.graph();
    const auto items = graph.items(pickle.root());
    if (items.size() != 3) pickle.fail("a tensor is not (key, storage key, class)");
    const bool is_oldest = graph.kind(items[1]) == Kind::Global;
    const KnownGlobal cls = checkpoint::Names(graph).known(items[is_oldest ? 1 : 2]);
    const NodeId storage = items[is_oldest ? 2 : 1];
    TensorEntry entry = {.key = key_of(pickle, items[0]), .dtype = cls.dtype};
    if (cls.what != Known::TypedTensor) {
      pickle.fail(fmt::format("tensor {}: its class is none of torch's", entry.key));
    }
    if (graph.kind(storage) != Kind::None) entry.storage = key_of(pickle, storage);
    return entry;
  }

  void read_tensor(TarCursor& cursor) {
    TensorEntry entry;
    cursor.entry([&](const PlainPickle& pickle) { entry = tensor_entry(pickle); });
    const std::string subject = "tensor " + entry.key;
    const std::uint64_t dimensions = cursor.u32(subject);
    cursor.u32(subject);
    if (dimensions > limits_.dimensions) {
      cursor.fail(fmt::format("{}: {} dimensions, the limit is {} (--limit dimensions=N)", subject,
                              dimensions, limits_.dimensions),
                  Error::Kind::Limit);
    }
    std::vector<std::int64_t> shape;
    std::vector<std::int64_t> stride;
    for (std::uint64_t i = 0; i < dimensions; ++i) {
      shape.push_back(cursor.not_negative(subject, "a size"));
    }
    for (std::uint64_t i = 0; i < dimensions; ++i) {
      stride.push_back(cursor.not_negative(subject, "a stride"));
    }
    const std::int64_t offset = cursor.not_negative(subject, "the offset");
    if (storages_.contains(entry.key) || tensors_.contains(entry.key)) {
      cursor.fail(subject + " is there twice");
    }
    tensors_.emplace(entry.key, entry.storage ? strided(cursor, entry, offset, shape, stride)
                                              : empty(cursor, entry, shape));
  }

  NodeId strided(const TarCursor& cursor, const TensorEntry& entry, std::int64_t offset,
                 tensor::Dims shape, tensor::Dims stride) {
    const auto found = storages_.find(*entry.storage);
    if (found == storages_.end()) {
      cursor.fail(fmt::format("tensor {}: there is no storage {}", entry.key, *entry.storage));
    }
    used_.insert(found->first);
    const TarStorage& storage = found->second;
    const auto needed = tensor::end_element(static_cast<std::uint64_t>(offset), shape, stride);
    if (!needed || *needed > storage.count) {
      cursor.fail(fmt::format("tensor {} reaches behind the {} elements of storage {}", entry.key,
                              storage.count, *entry.storage));
    }
    return assembly_.tensors().view(storage.id, storage.dtype, static_cast<std::uint64_t>(offset),
                                    shape, stride);
  }

  // Without dimensions it was empty then, and would be one number today.
  NodeId empty(const TarCursor& cursor, const TensorEntry& entry, std::vector<std::int64_t> shape) {
    if (shape.empty()) shape.push_back(0);
    if (tensor::element_count(shape) != 0) {
      cursor.fail(fmt::format("tensor {} has elements and no storage", entry.key));
    }
    return assembly_.tensor(entry.dtype, shape, std::make_unique<RangeBytes>(source_, 0, 0));
  }

  // The object.

  NodeId read_object(const TarMember& member) {
    const RangeSource part(source_, 0, member.offset + member.size);
    const Where origin = {.file = source_.name(), .offset = member.offset};
    const auto stream = pickle::read_stream(part, member.offset, limits_.pickle_bytes, origin);
    const pickle::Pickle pickle = pickle::read_pickle(stream, origin);
    warn_of_rest(member, member.offset + stream.size());
    for (const Warning& warning : pickle.warnings) {
      assembly_.warn(warning);
    }
    assembly_.facts().protocol = pickle.protocol;
    pickle::GraphCopier copier(pickle.graph, pickle.protocol, assembly_.builder());
    for (std::size_t i = 0; i < pickle.graph.size(); ++i) {
      const NodeId node{static_cast<std::uint32_t>(i)};
      if (pickle.graph.kind(node) != Kind::PersId) continue;
      copier.substitute(node, resolve(copier, pickle.graph, node, member.offset));
    }
    return copier.copy(pickle.root);
  }

  NodeId resolve(pickle::GraphCopier& copier, const pickle::Graph& graph, NodeId node,
                 std::uint64_t begin) {
    const NodeId id = graph.persistent_id(node);
    const std::uint64_t offset = begin + graph.offset(node);
    if (graph.kind(id) == Kind::Tuple) {
      const auto items = graph.items(id);
      if (items.size() != 3 || graph.kind(items[0]) != Kind::Global) {
        fail(offset, "a persistent id is not (class, file, source)");
      }
      return copier.copy(items[0]);
    }
    const bool is_number = graph.kind(id) == Kind::Int;
    if (!is_number && !kTexts.contains(graph.kind(id))) {
      fail(offset, "a persistent id is neither digits nor (class, file, source)");
    }
    const std::string key =
        is_number ? fmt::format("{}", graph.int_value(id)) : std::string(graph.text(id));
    if (const auto tensor = tensors_.find(key); tensor != tensors_.end()) return tensor->second;
    if (const auto found = storages_.find(key); found != storages_.end()) {
      used_.insert(found->first);
      return found->second.id;
    }
    fail(offset, fmt::format("there is no tensor or storage {}", quote(key)));
  }

  const ByteSource& source_;
  Limits limits_;
  std::vector<TarMember> members_;
  Assembly assembly_;
  std::map<std::string, TarStorage> storages_;
  std::map<std::string, NodeId> tensors_;
  std::vector<StorageView> views_;
  std::set<std::string_view> used_;  // keys of storages that tensors and the object name
};

}  // namespace

std::unique_ptr<Loaded> load_torch_tar(const Input& input, const Limits& limits) {
  return Reader(input.source, limits).load();
}

}  // namespace ptsd::format
