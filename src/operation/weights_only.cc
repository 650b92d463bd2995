// SPDX-License-Identifier: Apache-2.0
#include "operation/weights_only.h"

#include <algorithm>
#include <array>
#include <set>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "checkpoint/value.h"
#include "pickle/import_names.h"
#include "tensor/dtype.h"

namespace ptsd::operation {

using checkpoint::Known;
using pickle::Change;
using pickle::Kind;
using pickle::NodeId;

namespace {

// Besides dtypes, storage classes and the tensor classes of the 0.x era.
constexpr auto kAllowed = std::to_array<std::string_view>({
    "_codecs.encode",
    "builtins.bytearray",
    "builtins.complex",
    "builtins.set",
    "collections.Counter",
    "collections.OrderedDict",
    "torch.Size",
    "torch.Tensor",
    "torch._tensor._rebuild_from_type_v2",
    "torch._utils._rebuild_device_tensor_from_cpu_tensor",
    "torch._utils._rebuild_device_tensor_from_numpy",
    "torch._utils._rebuild_meta_tensor_no_storage",
    "torch._utils._rebuild_nested_tensor",
    "torch._utils._rebuild_parameter",
    "torch._utils._rebuild_parameter_with_state",
    "torch._utils._rebuild_qtensor",
    "torch._utils._rebuild_sparse_tensor",
    "torch._utils._rebuild_tensor",
    "torch._utils._rebuild_tensor_v2",
    "torch._utils._rebuild_tensor_v3",
    "torch._utils._rebuild_wrapper_subclass",
    "torch.device",
    "torch.nn.parameter.Parameter",
    "torch.per_channel_affine",
    "torch.per_channel_affine_float_qparams",
    "torch.per_channel_symmetric",
    "torch.per_tensor_affine",
    "torch.per_tensor_symmetric",
    "torch.serialization._get_layout",
    "torch.storage.TypedStorage",
    "torch.storage.UntypedStorage",
});
static_assert(std::ranges::is_sorted(kAllowed), "kAllowed is searched by halves");

constexpr auto kTensorModules =
    std::to_array<std::string_view>({"torch", "torch.cuda", "torch.cuda.sparse", "torch.sparse"});

// The modules whose Python 2 names the unpickler maps (torch._utils.IMPORT_MAPPING, NAME_MAPPING);
// it knows fewer than Python does.
constexpr auto kMappedModules = std::to_array<std::string_view>(
    {"Queue", "StringIO", "UserDict", "UserList", "UserString", "__builtin__", "_abcoll",
     "cStringIO", "copy_reg", "itertools", "repr", "whichdb"});

pickle::GlobalName as_mapped_by_torch(pickle::GlobalName name) {
  return std::ranges::find(kMappedModules, name.module) == kMappedModules.end()
             ? name
             : pickle::canonical(name);
}

bool is_dtype_name(std::string_view name) {
  // The aliases of dtypes are not dtypes to the unpickler.
  const auto dtype = tensor::find_dtype(name);
  return dtype && tensor::name(*dtype) == name;
}

bool is_storage_class(pickle::GlobalName name) {
  const auto dtype = tensor::find_storage_dtype(name.name);
  if (!dtype) return false;
  return name.module == "torch" || (name.module == "torch.cuda" && !name.name.starts_with("Q"));
}

bool is_tensor_class(pickle::GlobalName name) {
  if (name.name == "BoolTensor" && name.module.ends_with("sparse")) return false;
  return std::ranges::find(kTensorModules, name.module) != kTensorModules.end() &&
         checkpoint::find_known({.module = "torch", .name = name.name}).what == Known::TypedTensor;
}

// What SETITEM and SETITEMS may act on.
bool takes_items(Known maker) {
  return maker == Known::OrderedDict || maker == Known::Counter;
}

class Checker {
 public:
  explicit Checker(const checkpoint::Checkpoint& checkpoint)
      : names_(checkpoint.names()), graph_(checkpoint.graph()), pickle_(checkpoint.pickle()) {}

  WeightsOnly check() {
    check_opcodes();
    for (std::size_t i = 0; i < graph_.size(); ++i) {
      check_node(NodeId{static_cast<std::uint32_t>(i)});
    }
    std::ranges::stable_sort(verdict_.refused, {}, &Refusal::offset);
    return std::move(verdict_);
  }

 private:
  void refuse(std::string what, std::uint64_t offset) {
    if (said_.insert(what).second) verdict_.refused.push_back({std::move(what), offset});
  }

  void check_opcodes() {
    for (const pickle::OpInfo& info : pickle::kOps) {
      const pickle::OpUse& use = pickle_.use(info.op);
      if (use.count > 0 && !info.weights_only)
        refuse(fmt::format("opcode {}", info.name), use.first);
    }
  }

  void check_node(NodeId node) {
    const Kind kind = graph_.kind(node);
    if (kind == Kind::Global) check_global(node);
    if (!pickle::kObjects.contains(kind)) return;
    const NodeId callable = graph_.callable(node);
    if (graph_.kind(callable) != Kind::Global) {
      refuse("a call of " + checkpoint::type_of(names_, callable), graph_.offset(node));
    }
    for (const pickle::Mutation& mutation : graph_.mutations(node)) {
      check_change(node, mutation.change);
    }
  }

  void check_global(NodeId node) {
    const std::uint32_t number = graph_.global_index(node);
    if (number < seen_.size() && seen_[number]) return;
    seen_.resize(std::max<std::size_t>(seen_.size(), number + 1));
    seen_[number] = true;
    const pickle::GlobalName mapped = as_mapped_by_torch(graph_.global(node));
    if (weights_only_allows(mapped)) return;
    refuse(fmt::format("global {}.{}", mapped.module, mapped.name), graph_.offset(node));
  }

  void check_change(NodeId node, Change change) {
    const bool append = change == Change::Append;
    const bool set = change == Change::SetItems && !takes_items(names_.maker(node).what);
    if (!append && !set) return;
    // A type can have a long name, and be that of every object.
    const NodeId callable = graph_.callable(node);
    const bool named = graph_.kind(callable) == Kind::Global &&
                       names_.known(callable).what != Known::Reconstructor;
    if (named && !changed_.insert({graph_.global_index(callable), change}).second) return;
    refuse((append ? "items appended to " : "items set in ") + checkpoint::type_of(names_, node),
           graph_.offset(node));
  }

  const checkpoint::Names& names_;
  const pickle::Graph& graph_;
  const pickle::Pickle& pickle_;
  WeightsOnly verdict_;
  std::unordered_set<std::string> said_;
  std::vector<bool> seen_;                              // by global
  std::set<std::pair<std::uint32_t, Change>> changed_;  // by global of the type
};

}  // namespace

bool weights_only_allows(pickle::GlobalName name) {
  if (name.module == "torch" && is_dtype_name(name.name)) return true;
  if (is_storage_class(name) || is_tensor_class(name)) return true;
  return std::ranges::binary_search(kAllowed, fmt::format("{}.{}", name.module, name.name));
}

WeightsOnly check_weights_only(const checkpoint::Checkpoint& checkpoint) {
  return Checker(checkpoint).check();
}

}  // namespace ptsd::operation
