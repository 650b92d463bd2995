// SPDX-License-Identifier: Apache-2.0
#include "operation/cast.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/quote.h"
#include "checkpoint/locate.h"
#include "checkpoint/storage_items.h"
#include "operation/cast_source.h"
#include "operation/rebuild_call.h"
#include "pickle/sharing.h"

namespace ptsd::operation {

using checkpoint::Checkpoint;
using checkpoint::Draft;
using checkpoint::Known;
using checkpoint::StateDict;
using checkpoint::Storage;
using checkpoint::StorageId;
using checkpoint::StorageItem;
using checkpoint::Tensor;
using checkpoint::TensorId;
using pickle::NodeId;
using tensor::DType;

namespace {

// A storage to be cast, and the entry that asked for it first.
struct Target {
  DType from;
  DType to;
  std::string name;
};

class Caster {
 public:
  Caster(Draft& draft, const CastOptions& options)
      : draft_(draft),
        base_(draft.base),
        graph_(draft.base.graph()),
        options_(options),
        builder_(graph_, draft.protocol),
        met_(options.rules.size()) {}

  void add(const StateDict& state_dict) {
    for (const checkpoint::Pair& pair : entries_of(base_, state_dict)) {
      const auto tensor = base_.tensors().tensor_of(pair.value);
      if (tensor) add_entry(graph_.text(pair.key), *tensor);
    }
  }

  Casted run() {
    if (!options_.allow_unmatched) require_matches();
    refuse_partly();
    replace_ids();
    for (std::size_t i = 0; i < base_.tensors().count(); ++i) {
      rebuild(base_.tensors()[TensorId{static_cast<std::uint32_t>(i)}]);
    }
    for (const auto& [storage, target] : targets_) {
      add_payload(storage, target);
    }
    done_.storages = targets_.size();
    draft_.pickle_changed = draft_.pickle_changed || !targets_.empty();
    return done_;
  }

 private:
  // The last rule for a name.
  const CastRule* rule_for(std::string_view name) {
    const CastRule* found = nullptr;
    for (std::size_t i = 0; i < options_.rules.size(); ++i) {
      const CastRule& rule = options_.rules[i];
      if (rule.names && !rule.names->matches(name)) continue;
      met_[i] = true;
      found = &rule;
    }
    return found;
  }

  void require_matches() const {
    for (std::size_t i = 0; i < met_.size(); ++i) {
      if (met_[i] || !options_.rules[i].names) continue;
      base_.fail(Error::Kind::Usage,
                 fmt::format("--cast {} matches nothing", quote(options_.rules[i].names->text())));
    }
  }

  static bool names_one(const CastRule& rule) {
    return rule.names && rule.names->text().find_first_of("*?[") == std::string::npos &&
           !rule.names->text().starts_with("re:");
  }

  void add_entry(std::string_view name, TensorId id) {
    const CastRule* const rule = rule_for(name);
    const Tensor& tensor = base_.tensors()[id];
    if (rule == nullptr || tensor.dtype == rule->dtype) return;
    if (!tensor::is_floating(tensor.dtype) && !names_one(*rule)) return;
    if (!tensor::can_convert(tensor.dtype, rule->dtype)) fail_pair(name, tensor, rule->dtype);
    bool any = false;
    base_.tensors().each_storage(id, [&](StorageId) { any = true; });
    if (!any) {
      base_.fail_at(tensor.node, Error::Kind::Unsupported,
                    quote(name) + " has no storage of its own, and cannot be cast");
    }
    note_cast(tensor.node);
    ++done_.tensors;
    add_storages(name, id, tensor.dtype, rule->dtype);
  }

  [[noreturn]] void fail_pair(std::string_view name, const Tensor& tensor, DType to) const {
    base_.fail_at(tensor.node, Error::Kind::Unsupported,
                  fmt::format("{}: cannot cast {} to {}", quote(name), tensor::name(tensor.dtype),
                              tensor::name(to)));
  }

  // Of a sparse tensor the values; its indices are integers.
  void add_storages(std::string_view name, TensorId id, DType from, DType to) {
    const Tensor& tensor = base_.tensors()[id];
    if (tensor.storage && tensor.dtype == from) {
      const auto [found, added] =
          targets_.try_emplace(*tensor.storage, Target{from, to, std::string(name)});
      if (!added && (found->second.to != to || found->second.from != from)) {
        base_.fail_at(tensor.node, Error::Kind::Conflict,
                      fmt::format("{} and {} share a storage, and cannot be cast apart",
                                  quote(name), quote(found->second.name)));
      }
      note_cast(tensor.node);
    }
    const checkpoint::TensorExtra* const extra = base_.tensors().extra(tensor);
    if (extra == nullptr) return;
    for (const checkpoint::Component& part : extra->components) {
      add_storages(name, part.tensor, from, to);
    }
  }

  // A parameter with the tensor that it is made from.
  void note_cast(NodeId node) {
    cast_.insert(node);
    const std::optional<RebuildCall> call = RebuildCall::of(base_.names(), node);
    if (call && call->is_parameter()) cast_.insert(call->args[0]);
  }

  // Every tensor of a storage has to be among those that are cast, and what is made from it too.
  // What is not written does not count.
  void refuse_partly() const {
    const checkpoint::Tensors& tensors = base_.tensors();
    const pickle::Sharing written(graph_, draft_.root);
    for (std::size_t i = 0; i < tensors.count(); ++i) {
      const TensorId id{static_cast<std::uint32_t>(i)};
      if (cast_.contains(tensors[id].node) || !written.is_reached(tensors[id].node)) continue;
      tensors.each_storage(id, [&](StorageId storage) {
        const auto target = targets_.find(storage);
        if (target != targets_.end()) fail_partly(tensors[id], target->second);
      });
    }
  }

  [[noreturn]] void fail_partly(const Tensor& tensor, const Target& target) const {
    const std::optional<std::string> other = locate(base_.names(), base_.root(), tensor.node);
    base_.fail_at(tensor.node, Error::Kind::Conflict,
                  fmt::format("{} shares its storage with {}, which is not cast",
                              quote(target.name), other ? quote(*other) : "another tensor"));
  }

  std::uint64_t count_of(const Storage& storage, const Target& target) const {
    const std::uint64_t bytes = storage.count * storage.item_size();
    const std::uint64_t item = tensor::info(target.from).item_size;
    if (bytes % item != 0) {
      base_.fail_at(storage.id, Error::Kind::Conflict,
                    fmt::format("the storage of {} has {} bytes, no whole number of {}",
                                quote(target.name), bytes, tensor::name(target.from)));
    }
    return bytes / item;
  }

  static bool has_class(DType dtype) { return !tensor::info(dtype).storage_class.empty(); }

  NodeId class_node(DType dtype) {
    if (!has_class(dtype)) return builder_.global({"torch.storage", "UntypedStorage"});
    return builder_.global({"torch", tensor::info(dtype).storage_class});
  }

  void replace_ids() {
    each_storage_id(base_, [this](NodeId node, StorageId storage) {
      const auto found = targets_.find(storage);
      if (found == targets_.end()) return;
      const Target& target = found->second;
      const std::uint64_t count = count_of(base_.tensors()[storage], target);
      const std::uint64_t unit = has_class(target.to) ? 1 : tensor::info(target.to).item_size;
      const NodeId numel = builder_.integer(static_cast<std::int64_t>(count * unit));
      const NodeId id = checkpoint::with_items(
          builder_, node,
          {
              {StorageItem::Class, class_node(target.to)},
              {StorageItem::Count, numel                }
      });
      graph_.replace_persistent_id(node, id);
    });
  }

  // A dtype without a storage class is an argument of _rebuild_tensor_v3.
  void rebuild(const Tensor& tensor) {
    if (!tensor.storage) return;
    const auto found = targets_.find(*tensor.storage);
    if (found == targets_.end()) return;
    std::optional<RebuildCall> call = RebuildCall::of(base_.names(), tensor.node);
    const DType to = found->second.to;
    // Elements of a quantised tensor are no numbers by themselves.
    if (!call || !call->is_strided() || call->function() == Known::RebuildQTensor) {
      // A parameter is made from a tensor, which is cast by itself.
      if (call && call->is_parameter()) return;
      base_.fail_at(
          tensor.node, Error::Kind::Unsupported,
          fmt::format("{}: a tensor of this form cannot be cast", quote(found->second.name)));
    }
    if (call->function() == Known::RebuildTensorV3) call->args.erase(call->args.begin() + 6);
    if (has_class(to)) {
      if (call->function() == Known::RebuildTensorV3) {
        call->callable = builder_.global({"torch._utils", "_rebuild_tensor_v2"});
        call->put_back(graph_, builder_);
      }
      return;
    }
    if (tensor.requires_grad) {
      base_.fail_at(tensor.node, Error::Kind::Unsupported,
                    fmt::format("{}: PyTorch cannot load a {} tensor that has requires_grad",
                                quote(found->second.name), tensor::name(to)));
    }
    if (call->function() == Known::RebuildTensor) {
      call->args.insert(call->args.end(), {builder_.boolean(false), empty_hooks()});
    }
    call->args.insert(call->args.begin() + 6, builder_.global({"torch", tensor::info(to).name}));
    call->callable = builder_.global({"torch._utils", "_rebuild_tensor_v3"});
    call->put_back(graph_, builder_);
  }

  NodeId empty_hooks() {
    return builder_.reduce(builder_.global({"collections", "OrderedDict"}), builder_.tuple({}));
  }

  void add_payload(StorageId storage, const Target& target) {
    const std::uint64_t count = count_of(base_.tensors()[storage], target);
    draft_.payloads.insert_or_assign(
        std::string(base_.key(base_.tensors()[storage])),
        checkpoint::Payload{
            .storage = storage,
            .derivation = std::make_shared<CastDerivation>(CastPlan{
                target.from, target.to, count, options_.overflow == CastOptions::Overflow::Saturate,
                options_.overflow != CastOptions::Overflow::Refuse, target.name}),
        });
  }

  Draft& draft_;
  const Checkpoint& base_;
  pickle::Graph& graph_;
  const CastOptions& options_;
  pickle::Builder builder_;
  std::vector<bool> met_;  // by rule
  std::map<StorageId, Target> targets_;
  std::unordered_set<NodeId> cast_;
  Casted done_;
};

}  // namespace

Casted cast(Draft& draft, const std::vector<StateDict>& state_dicts, const CastOptions& options) {
  Caster caster(draft, options);
  for (const StateDict& state_dict : state_dicts) {
    caster.add(state_dict);
  }
  return caster.run();
}

}  // namespace ptsd::operation
