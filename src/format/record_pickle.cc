// SPDX-License-Identifier: Apache-2.0
#include "format/record_pickle.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "base/checked.h"
#include "base/quote.h"
#include "checkpoint/storage.h"

namespace ptsd::format {

using checkpoint::Known;
using checkpoint::StorageItem;
using pickle::Kind;
using pickle::NodeId;
using tensor::DType;

namespace {

constexpr std::string_view kCalls = "torch.jit._pickle";

// Storages of which Python's torch has no class (c10/core/ScalarType.h).
struct StorageClass {
  std::string_view name;
  DType dtype;
};

constexpr auto kOtherClasses = std::to_array<StorageClass>({
    {"ComplexHalfStorage",     DType::Complex32     },
    {"UInt16Storage",          DType::UInt16        },
    {"UInt32Storage",          DType::UInt32        },
    {"UInt64Storage",          DType::UInt64        },
    {"Float8_e5m2Storage",     DType::Float8E5M2    },
    {"Float8_e4m3fnStorage",   DType::Float8E4M3Fn  },
    {"Float8_e5m2fnuzStorage", DType::Float8E5M2Fnuz},
    {"Float8_e4m3fnuzStorage", DType::Float8E4M3Fnuz},
    {"Float8_e8m0fnuStorage",  DType::Float8E8M0Fnu },
    {"Bits8Storage",           DType::Bits8         },
    {"Bits16Storage",          DType::Bits16        },
});

// c10/core/Layout.h
constexpr auto kLayouts = std::to_array<std::string_view>(
    {"torch.strided", "torch.sparse_coo", "torch.sparse_csr", "torch._mkldnn", "torch.sparse_csc",
     "torch.sparse_bsr", "torch.sparse_bsc"});

constexpr auto kTensors = std::to_array<Known>(
    {Known::RebuildTensorV2, Known::RebuildTensorV3, Known::RebuildParameter,
     Known::RebuildParameterWithState, Known::RebuildQTensor, Known::RebuildSparseTensor,
     Known::RebuildFromTypeV2, Known::RebuildMetaTensor});

Where place(const ZipArchive& archive, std::string_view record) {
  return {.file = archive.source.name(), .member = archive.path_of(record)};
}

}  // namespace

RecordPickle::RecordPickle(const ZipArchive& archive, std::string_view record,
                           StorageRecords& storages, Assembly& assembly, const Limits& limits)
    : archive_(archive),
      record_(record),
      storages_(storages),
      assembly_(assembly),
      limits_(limits),
      stream_(archive.read_pickle(record, assembly)),
      pickle_(pickle::read_pickle(stream_, place(archive, record))),
      names_(pickle_.graph),
      copier_(pickle_.graph, pickle_.protocol, assembly.builder()) {
  for (const Warning& warning : pickle_.warnings) {
    assembly_.warn(warning);
  }
  if (const std::uint64_t more = stream_.size() - pickle_.size; more > 0) {
    Where where = place(archive_, record_);
    where.offset = pickle_.size;
    assembly_.warn({where, fmt::format("{} bytes after the end of the pickle", more)});
  }
  translate();
}

void RecordPickle::fail(NodeId node, std::string message, Error::Kind kind) const {
  Where where = place(archive_, record_);
  where.offset = graph().offset(node);
  throw Error(kind, where, std::move(message));
}

bool RecordPickle::is_tensor(NodeId node) const {
  return std::ranges::find(kTensors, names_.maker(node).what) != kTensors.end();
}

// A part is read before the whole that it is in, so that it has been translated by then.
void RecordPickle::translate() {
  const std::size_t size = graph().size();
  for (std::size_t i = 0; i < size; ++i) {
    const NodeId node{static_cast<std::uint32_t>(i)};
    if (graph().kind(node) == Kind::PersId) translate_storage(node);
    if (graph().kind(node) == Kind::Reduce) translate_call(node);
  }
}

std::string_view RecordPickle::text_of(NodeId node, NodeId text) const {
  if (graph().kind(text) != Kind::Str) fail(node, "a part of a persistent id is no str");
  return graph().text(text);
}

DType RecordPickle::dtype_of(NodeId node, NodeId cls) const {
  if (const checkpoint::KnownGlobal known = names_.known(cls); known.what == Known::StorageClass) {
    return known.dtype;
  }
  const std::string_view name =
      graph().kind(cls) == Kind::Global ? graph().global(cls).name : std::string_view();
  const auto* const other = std::ranges::find(kOtherClasses, name, &StorageClass::name);
  if (other == kOtherClasses.end()) {
    fail(node, fmt::format("storage class {}, expected one of torch's", quote(name)));
  }
  return other->dtype;
}

void RecordPickle::translate_storage(NodeId node) {
  const NodeSpan parts = graph().items(graph().persistent_id(node));
  if (parts.size() != checkpoint::kStorageItems) {
    fail(node, fmt::format("persistent id has {} parts, expected 5", parts.size()));
  }
  const auto part = [&](StorageItem item) { return parts[checkpoint::index(item)]; };
  if (text_of(node, part(StorageItem::Type)) != "storage") {
    fail(node, "persistent id is of another type than 'storage'");
  }
  const NodeId cls = part(StorageItem::Class);
  const bool untyped = names_.known(cls).what == Known::UntypedStorage;
  const DType dtype = untyped ? DType::UInt8 : dtype_of(node, cls);
  const NodeId count_node = part(StorageItem::Count);
  const bool is_count = graph().kind(count_node) == Kind::Int && graph().int_value(count_node) >= 0;
  if (!is_count) fail(node, "storage numel is no int from 0 to 2^63");
  const auto count = static_cast<std::uint64_t>(graph().int_value(count_node));
  const auto bytes = checked_mul<std::uint64_t>(count, tensor::info(dtype).item_size);
  if (!bytes) fail(node, fmt::format("storage of {} elements: more than 2^64 bytes", count));
  const std::string key = bind(node, key_of(node, part(StorageItem::Key)), *bytes);
  const std::string_view location = text_of(node, part(StorageItem::Location));
  copier_.substitute(node, untyped ? assembly_.tensors().untyped_storage(key, count, location)
                                   : assembly_.tensors().storage(dtype, key, count, location));
  if (!untyped && tensor::info(dtype).storage_class.empty()) classless_.emplace(node, dtype);
}

// torch.package has numbers.
std::string RecordPickle::key_of(NodeId node, NodeId key) const {
  if (graph().kind(key) == Kind::Int) return fmt::format("{}", graph().int_value(key));
  return std::string(text_of(node, key));
}

std::string RecordPickle::bind(NodeId node, const std::string& key, std::uint64_t size) {
  const auto known = storages_.keys.find(key);
  if (known != storages_.keys.end()) return known->second;
  const std::string record = storages_.folder + key + storages_.suffix;
  const container::Member* const member = archive_.records().record(record);
  if (member == nullptr) fail(node, fmt::format("there is no record {}", quote(record)));
  if (member->size != size) {
    const std::string message = fmt::format("record {} holds {} bytes, the pickle declares {}",
                                            quote(record), member->size, size);
    if (member->size < size) fail(node, message);
    assembly_.warn({place(archive_, record_), message});
  }
  std::string bound = assembly_.bind(std::make_unique<MemberBytes>(archive_, *member, limits_));
  storages_.keys.emplace(key, bound);
  storages_.used.insert(member);
  return bound;
}

void RecordPickle::translate_call(NodeId node) {
  const NodeId callable = graph().callable(node);
  if (graph().kind(callable) != Kind::Global) return;
  if (const NodeSpan args = graph().items(graph().args(node));
      graph().global(callable).module == kCalls && !args.empty()) {
    // restore_type_tag(value, "Dict[str, int]"), build_intlist(value)
    return copier_.substitute(node, copier_.copy(args[0]));
  }
  const Known what = names_.known(callable).what;
  if (what == Known::RebuildTensorV2) translate_tensor(node);
  if (what == Known::RebuildSparseTensor) translate_sparse(node);
}

// A tensor whose storage has no class says its dtype itself.
void RecordPickle::translate_tensor(NodeId node) {
  const NodeSpan args = graph().items(graph().args(node));
  if (args.size() != 6 && args.size() != 7) return;
  const auto dtype = classless_.find(args[0]);
  if (dtype == classless_.end()) return;
  pickle::Builder& builder = assembly_.builder();
  std::vector<NodeId> parts;
  for (const NodeId arg : args) {
    parts.push_back(copier_.copy(arg));
  }
  parts.insert(parts.begin() + 6, builder.global({"torch", tensor::name(dtype->second)}));
  copier_.substitute(node, builder.reduce(builder.global({"torch._utils", "_rebuild_tensor_v3"}),
                                          builder.tuple(parts)));
}

// (layout as a number, size, requires_grad, indices..., values, hooks)
void RecordPickle::translate_sparse(NodeId node) {
  const NodeSpan args = graph().items(graph().args(node));
  if (args.empty() || graph().kind(args[0]) != Kind::Int) return;
  const std::int64_t number = graph().int_value(args[0]);
  if (number < 1 || static_cast<std::uint64_t>(number) >= kLayouts.size()) {
    fail(node, fmt::format("a sparse tensor of layout {}", number), Error::Kind::Unsupported);
  }
  const std::string_view layout = kLayouts[static_cast<std::size_t>(number)];
  const std::size_t inner = layout == "torch.sparse_coo" ? 2 : 3;  // tensors
  if (args.size() != 4 + inner) {
    fail(node, fmt::format("a sparse tensor of {} parts, expected {}", args.size(), 4 + inner));
  }
  pickle::Builder& builder = assembly_.builder();
  std::vector<NodeId> data;
  for (std::size_t i = 0; i < inner; ++i) {
    data.push_back(copier_.copy(args[3 + i]));
  }
  const std::array<NodeId, 1> size = {copier_.copy(args[1])};
  data.push_back(builder.reduce(builder.global({"torch", "Size"}), builder.tuple(size)));
  // Python's pickles tell whether indices are sorted and unique; here they are not known to be.
  if (inner == 2) data.push_back(builder.boolean(false));
  const std::array<NodeId, 1> name = {builder.str(layout)};
  const std::array<NodeId, 2> parts = {
      builder.reduce(builder.global({"torch.serialization", "_get_layout"}), builder.tuple(name)),
      builder.tuple(data)};
  NodeId made = builder.reduce(builder.global({"torch._utils", "_rebuild_sparse_tensor"}),
                               builder.tuple(parts));
  if (graph().kind(args[2]) == Kind::True) {
    const std::array<NodeId, 3> parameter = {made, builder.boolean(true),
                                             assembly_.tensors().ordered_dict()};
    made = builder.reduce(builder.global({"torch._utils", "_rebuild_parameter"}),
                          builder.tuple(parameter));
  }
  copier_.substitute(node, made);
}

}  // namespace ptsd::format
