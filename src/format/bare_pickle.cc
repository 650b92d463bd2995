// SPDX-License-Identifier: Apache-2.0
#include "format/bare_pickle.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/quote.h"
#include "checkpoint/locate.h"
#include "checkpoint/numpy_array.h"
#include "checkpoint/numpy_scalar.h"
#include "checkpoint/storage_items.h"
#include "format/assembly.h"
#include "format/legacy.h"
#include "format/memory_bytes.h"
#include "format/npy.h"
#include "format/numpy_tensor.h"
#include "format/torch_zip.h"
#include "pickle/graph_copier.h"
#include "pickle/stream_end.h"

namespace ptsd::format {

using checkpoint::Known;
using checkpoint::NumpyArray;
using pickle::Kind;
using pickle::KindSet;
using pickle::NodeId;

namespace {

constexpr std::size_t kMostOfName = 80;  // bytes of a dtype's name that are shown
constexpr KindSet kByteKinds(Kind::Bytes, Kind::ByteArray, Kind::ByteStr);

class Reader {
 public:
  Reader(const ByteSource& source, const Limits& limits)
      : source_(source),
        limits_(limits),
        origin_({.file = source.name(), .offset = 0}),
        stream_(pickle::read_stream(source, 0, limits.pickle_bytes, origin_)),
        pickle_(pickle::read_pickle(stream_, origin_)),
        names_(pickle_.graph),
        assembly_({.file = source.name()}, {.format = "pickle",
                                            .bytes = source.size(),
                                            .protocol = pickle_.protocol,
                                            .has_pickle = false,
                                            .has_checksums = false}),
        copier_(pickle_.graph, pickle_.protocol, assembly_.builder()) {}

  std::unique_ptr<Loaded> load() {
    for (const Warning& warning : pickle_.warnings) {
      assembly_.warn(warning);
    }
    if (source_.size() > stream_.size()) {
      assembly_.warn({
          .where = {.file = source_.name(), .offset = stream_.size()},
          .message = fmt::format("{} bytes after the end of the pickle, which are not read",
                                 source_.size() - stream_.size())
      });
    }
    find_numpy_data();
    const pickle::Graph& graph = pickle_.graph;
    for (std::size_t i = 0; i < graph.size(); ++i) {
      read_node(NodeId{static_cast<std::uint32_t>(i)});
    }
    warn_of_lacking();
    const NodeId root = copier_.copy(pickle_.root);
    checkpoint::set_view_items(assembly_.builder(), false);
    return assembly_.finish(root, limits_);
  }

 private:
  Where where(NodeId node) const {
    return {.file = source_.name(), .offset = pickle_.graph.offset(node)};
  }

  [[noreturn]] void fail(NodeId node, Error::Kind kind, std::string message) const {
    throw Error(kind, where(node), std::move(message));
  }

  // Arrays that torch made the elements of a tensor from are parts of that.
  void find_numpy_data() {
    const pickle::Graph& graph = pickle_.graph;
    for (std::size_t i = 0; i < graph.size(); ++i) {
      const NodeId node{static_cast<std::uint32_t>(i)};
      if (names_.maker(node).what != Known::RebuildFromNumpy) continue;
      const auto args = graph.items(graph.args(node));
      if (!args.empty()) of_tensors_.insert(args[0]);
    }
  }

  void read_node(NodeId node) {
    if (pickle_.graph.kind(node) == Kind::PersId) {
      fail(node, Error::Kind::Malformed, "a persistent id, which nothing outside torch.save names");
    }
    switch (names_.maker(node).what) {
      case Known::LoadFromBytes: return embed(node);
      case Known::NumpyReconstruct:
      case Known::NumpyFromBuffer:
        if (!of_tensors_.contains(node)) convert(node);
        return;
      default: return;
    }
  }

  // A file of torch.save in a bytes object.
  void embed(NodeId node) {
    const auto args = pickle_.graph.items(pickle_.graph.args(node));
    if (args.size() != 1) {
      fail(node, Error::Kind::Malformed,
           fmt::format("_load_from_bytes of {} arguments, expected 1", args.size()));
    }
    if (!embedded_.insert(args[0]).second) {
      fail(node, Error::Kind::Unsupported, "_load_from_bytes reads the same bytes again");
    }
    copier_.substitute(node, lies_raw(args[0]) ? embedded(args[0]) : from_memory(node, args[0]));
  }

  // As a part of this file, whose offsets it has.
  NodeId embedded(NodeId bytes) {
    const std::uint64_t begin = raw_offset(bytes);
    const std::uint64_t size = pickle_.graph.text(bytes).size();
    if (pickle_.graph.text(bytes).starts_with("PK")) {
      return adopt_archive(std::make_shared<RangeSource>(source_, begin, size));
    }
    const auto part = std::make_shared<RangeSource>(source_, 0, begin + size);
    return take(load_legacy_at(*part, begin, limits_), part, true);
  }

  NodeId from_memory(NodeId node, NodeId bytes) {
    const std::shared_ptr<const ByteSource> memory = memory_of(bytes);
    if (!memory) {
      fail(node, Error::Kind::Malformed, "_load_from_bytes of what is no bytes object");
    }
    const auto head = memory->read(0, std::min<std::uint64_t>(memory->size(), 2));
    if (as_text(head) == "PK") return adopt_archive(memory);
    return take(load_legacy({.source = *memory}, limits_), memory, false);
  }

  NodeId adopt_archive(const std::shared_ptr<const ByteSource>& archive) {
    assembly_.keep(archive);
    return assembly_.adopt(load_torch_zip({.source = *archive}, limits_), false);
  }

  // A storage alone, as torch pickles it, leaves nothing to keep but where its bytes are: there
  // can be thousands.
  NodeId take(std::unique_ptr<Loaded> part, const std::shared_ptr<const ByteSource>& source,
              bool lies_in_file) {
    const checkpoint::Checkpoint& checkpoint = part->checkpoint();
    const auto id = checkpoint.tensors().storage_of(checkpoint.root());
    if (!id) {
      assembly_.keep(source);
      return assembly_.adopt(std::move(part), lies_in_file);
    }
    for (const Warning& warning : part->warnings()) {
      assembly_.warn(warning);
    }
    const checkpoint::Storage& storage = checkpoint.tensors()[*id];
    const StoredRange range = part->range(*id).value();
    std::unique_ptr<StorageBytes> bytes;
    if (lies_in_file) {
      bytes = std::make_unique<RangeBytes>(source_, range.offset, range.size);
    } else {
      bytes = std::make_unique<MemoryBytes>(source, range.offset, range.size);
    }
    const std::string key = assembly_.bind(std::move(bytes));
    const std::string_view location = checkpoint.graph().text(storage.location);
    checkpoint::TensorBuilder& tensors = assembly_.tensors();
    return storage.untyped ? tensors.untyped_storage(key, storage.count, location)
                           : tensors.storage(storage.dtype, key, storage.count, location);
  }

  void convert(NodeId node) {
    const auto array = checkpoint::find_numpy_array(names_, node);
    if (!array) return keep(node, "an array in a form that is unknown");
    const checkpoint::NumpyCode code = checkpoint::numpy_code(names_, array->dtype);
    const auto dtype = find_npy_dtype(code.code);
    if (!dtype) {
      const std::string name = checkpoint::numpy_dtype_name(names_, array->dtype);
      return lacking_[quote(abbreviate(name, kMostOfName))].push_back(node);
    }
    const auto shape = shape_of(*array);
    auto bytes = bytes_of(array->data);
    if (!shape || !bytes) return keep(node, "an array whose shape or data is in an unknown form");
    const NumpyLayout layout = {
        .dtype = *dtype, .big_endian = code.big_endian, .fortran = array->fortran, .shape = *shape};
    copier_.substitute(node, numpy_tensor(assembly_, layout, std::move(bytes), where(node),
                                          fmt::format("an array{} has ", named(node))));
  }

  std::optional<std::vector<std::int64_t>> shape_of(const NumpyArray& array) const {
    const pickle::Graph& graph = pickle_.graph;
    std::vector<std::int64_t> shape;
    for (const NodeId size : graph.items(array.shape)) {
      if (graph.kind(size) != Kind::Int || graph.int_value(size) < 0) return std::nullopt;
      shape.push_back(graph.int_value(size));
    }
    return shape;
  }

  // " at 'a/b'", or nothing.
  std::string named(NodeId node) const {
    // To find the path takes a walk through the graph.
    constexpr unsigned kMostPaths = 16;
    if (named_++ >= kMostPaths) return "";
    const auto path = checkpoint::locate(names_, pickle_.root, node);
    return path ? " at " + quote(*path) : "";
  }

  // Arrays of dtypes that torch lacks, of which there can be thousands, stay values too.
  void warn_of_lacking() {
    for (const auto& [dtype, nodes] : lacking_) {
      const NodeId first = nodes.front();
      if (nodes.size() == 1) {
        keep(first, fmt::format("an array of numpy's {}, which torch lacks", dtype));
        continue;
      }
      assembly_.warn({.where = where(first),
                      .message = fmt::format("{} arrays of numpy's {}, which torch lacks: they "
                                             "stay values, the first{}",
                                             nodes.size(), dtype, named(first))});
    }
  }

  // The array stays an object with its parts.
  void keep(NodeId node, std::string_view what) {
    assembly_.warn({.where = where(node),
                    .message = fmt::format("{}: it stays a value{}", what, named(node))});
  }

  bool lies_raw(NodeId node) const {
    const pickle::Graph& graph = pickle_.graph;
    if (!kByteKinds.contains(graph.kind(node))) return false;
    const std::byte* const data = as_bytes(graph.text(node)).data();
    const std::less<> before;
    return !before(data, stream_.data()) && before(data, stream_.data() + stream_.size());
  }

  std::uint64_t raw_offset(NodeId node) const {
    return static_cast<std::uint64_t>(as_bytes(pickle_.graph.text(node)).data() - stream_.data());
  }

  // Of bytes in any of their forms, as they lie in the file or put together; null for others.
  std::unique_ptr<StorageBytes> bytes_of(NodeId node) {
    if (lies_raw(node)) {
      return std::make_unique<RangeBytes>(source_, raw_offset(node),
                                          pickle_.graph.text(node).size());
    }
    std::shared_ptr<const ByteSource> memory = memory_of(node);
    return memory ? std::make_unique<MemoryBytes>(std::move(memory)) : nullptr;
  }

  // The same for the same text, which any number of calls can share.
  std::shared_ptr<const ByteSource> memory_of(NodeId node) {
    const pickle::Graph& graph = pickle_.graph;
    NodeId text = node;
    if (names_.maker(node).what != Known::Unknown && !graph.items(graph.args(node)).empty()) {
      text = graph.items(graph.args(node))[0];
    }
    auto& memory = memory_[text];
    if (memory) return memory;
    const auto bytes = checkpoint::bytes_of(names_, node);
    if (!bytes) return nullptr;
    const Bytes view = as_bytes(*bytes);
    memory = std::make_shared<MemorySource>(source_.name(),
                                            std::vector<std::byte>(view.begin(), view.end()));
    return memory;
  }

  const ByteSource& source_;
  Limits limits_;
  Where origin_;
  std::vector<std::byte> stream_;
  pickle::Pickle pickle_;
  checkpoint::Names names_;
  Assembly assembly_;
  pickle::GraphCopier copier_;
  std::set<NodeId> of_tensors_;
  std::set<NodeId> embedded_;
  std::map<NodeId, std::shared_ptr<const ByteSource>> memory_;
  std::map<std::string, std::vector<NodeId>> lacking_;  // arrays, by the quoted name of their dtype
  mutable unsigned named_ = 0;
};

}  // namespace

std::unique_ptr<Loaded> load_bare_pickle(const Input& input, const Limits& limits) {
  return Reader(input.source, limits).load();
}

bool is_bare_pickle(const ByteSource& source, const Limits& limits) {
  // An error is the answer here: whoever finds one has found no pickle.
  try {
    const Where origin = {.file = source.name()};
    const auto stream = pickle::read_stream(source, 0, limits.pickle_bytes, origin);
    if (stream.size() != source.size()) return false;
    pickle::read_pickle(stream, origin);
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace ptsd::format
