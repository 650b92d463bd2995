// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/module_state.h"

#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/quote.h"
#include "checkpoint/listing.h"
#include "checkpoint/mapping.h"
#include "checkpoint/nn_module.h"
#include "checkpoint/path_budget.h"
#include "checkpoint/value.h"
#include "pickle/builder.h"

namespace ptsd::checkpoint {

using pickle::NodeId;

namespace {

// "a.b" for the prefix "a.b." of the names in it.
std::string_view module_path(std::string_view prefix) {
  return prefix.substr(0, prefix.empty() ? 0 : prefix.size() - 1);
}

// Those of PyTorch that pack their weights have a state dict of their own making.
bool packs_weights(std::string_view type) {
  return type.starts_with("torch.") && type.find(".quantized.") != std::string_view::npos;
}

// Goes through the modules in a module in the order of state_dict().
class ModuleWalk {
 public:
  explicit ModuleWalk(const Checkpoint& checkpoint)
      : checkpoint_(checkpoint), names_(checkpoint.names()), budget_(checkpoint.limits()) {}

  // Calls `use` with the dotted name and the node of each parameter and persistent buffer, and with
  // the node of its own name.
  template <class Use>
  void each_entry(NodeId module, const Use& use) {
    enter(module, "", use);
    while (!frames_.empty()) {
      Frame& frame = frames_.back();
      if (frame.next == frame.state->modules.size()) {
        on_path_.erase(frame.module);
        frames_.pop_back();
        continue;
      }
      const Child& child = frame.state->modules[frame.next++];
      enter(child.value, name_of(child, frame.prefix) + ".", use);
    }
  }

  // Paths of the first modules with hooks.
  const std::vector<std::string>& hooked() const { return hooked_; }

 private:
  struct Frame {
    NodeId module;
    std::string prefix;  // of the names in it
    const ModuleState* state;
    std::size_t next = 0;
  };

  template <class Use>
  void enter(NodeId module, std::string prefix, const Use& use) {
    const std::string_view path = module_path(prefix);
    const ModuleState& state = state_of(module, path);
    if (!on_path_.insert(module).second) {
      fail(module, Error::Kind::Malformed,
           fmt::format("the module {} is inside itself", quote(path)));
    }
    if (frames_.size() >= checkpoint_.limits().depth) {
      fail(module, Error::Kind::Limit,
           fmt::format("modules nested deeper than {} (--limit depth=N)", frames_.size()));
    }
    if (state.has_hooks && hooked_.size() < kMostHooked) hooked_.emplace_back(path);
    for (const Child& child : state.entries) {
      use(name_of(child, prefix), child.value, child.key);
    }
    frames_.push_back({module, std::move(prefix), &state});
  }

  // A module can be in many others; it is looked at once.
  const ModuleState& state_of(NodeId module, std::string_view path) {
    const auto [found, is_new] = states_.try_emplace(module);
    if (!is_new) return found->second;
    const std::string type = type_of(names_, module);
    if (!is_nn_module(names_, module) || packs_weights(type)) {
      fail(module, Error::Kind::Unsupported,
           fmt::format("the module {} is pickled as {}, of which the state dict is not known",
                       quote(path), type));
    }
    found->second = nn_module_state(names_, module);
    return found->second;
  }

  std::string name_of(const Child& child, std::string_view prefix) {
    if (child.label != Child::Label::Key || !is_text(checkpoint_.graph(), child.key)) {
      fail(child.value, Error::Kind::Malformed,
           fmt::format("a name in the module {} is no str", quote(module_path(prefix))));
    }
    if (++met_ > checkpoint_.limits().entries) {
      fail(child.value, Error::Kind::Limit,
           fmt::format("more than {} modules and entries (--limit entries=N)", met_ - 1));
    }
    std::string name = fmt::format("{}{}", prefix, checkpoint_.graph().text(child.key));
    if (!budget_.spend(name.size())) fail(child.value, Error::Kind::Limit, budget_.message());
    return name;
  }

  [[noreturn]] void fail(NodeId node, Error::Kind kind, std::string message) const {
    checkpoint_.fail_at(node, kind, std::move(message));
  }

  static constexpr std::size_t kMostHooked = 100;

  const Checkpoint& checkpoint_;
  const Names& names_;
  PathBudget budget_;
  std::unordered_map<NodeId, ModuleState> states_;
  std::vector<Frame> frames_;
  std::unordered_set<NodeId> on_path_;
  std::vector<std::string> hooked_;
  std::uint64_t met_ = 0;
};

class Maker {
 public:
  explicit Maker(Checkpoint& checkpoint)
      : checkpoint_(checkpoint), builder_(checkpoint.graph(), checkpoint.pickle().protocol) {}

  NodeId make(NodeId module) {
    // A small file can describe very many entries, and none that is made can be taken back.
    ModuleWalk(checkpoint_).each_entry(module, [](const std::string&, NodeId, NodeId) {});
    ModuleWalk walk(checkpoint_);
    walk.each_entry(module, [this](std::string name, NodeId value, NodeId key) {
      add(std::move(name), value, key);
    });
    warn_of_hooks(walk.hooked());
    warn_of_left_out(module);
    return dict();
  }

 private:
  void add(std::string name, NodeId value, NodeId own_name) {
    const bool is_own = checkpoint_.graph().text(own_name) == name;
    const NodeId key = is_own ? own_name : builder_.str(name);
    if (!taken_.insert(std::move(name)).second) {
      checkpoint_.fail_at(own_name, Error::Kind::Malformed,
                          fmt::format("two entries of the module are called {}",
                                      quote(checkpoint_.graph().text(key))));
    }
    entries_.insert(value);
    pairs_.insert(pairs_.end(), {key, detached(value)});
  }

  // The tensor that a parameter was made from; those of the 0.x era stay what they are.
  NodeId detached(NodeId value) const {
    const Known maker = checkpoint_.names().maker(value).what;
    const bool is_parameter =
        maker == Known::RebuildParameter || maker == Known::RebuildParameterWithState;
    if (!is_parameter || !checkpoint_.tensors().tensor_of(value)) return value;
    return checkpoint_.graph().items(checkpoint_.graph().args(value))[0];
  }

  NodeId dict() {
    const NodeId result =
        builder_.reduce(builder_.global({"collections", "OrderedDict"}), builder_.tuple({}));
    if (!pairs_.empty()) checkpoint_.graph().mutate(result, pickle::Change::SetItems, pairs_);
    return result;
  }

  void warn_of_hooks(const std::vector<std::string>& hooked) {
    if (hooked.empty()) return;
    warn("state_dict() would call hooks, which can change what it gives, of the modules " +
         quote_some(hooked));
  }

  void warn_of_left_out(NodeId module) {
    const Listing listing = list(checkpoint_, module, Want::Tensors);
    std::vector<std::string> paths;
    for (std::size_t i = 0; i < listing.tensors().size(); ++i) {
      const Entry& entry = listing.tensors()[i];
      if (!entries_.contains(entry.node)) paths.emplace_back(entry.path);
    }
    if (paths.empty()) return;
    warn("tensors of the module that are not in its state dict: " + quote_some(paths));
  }

  void warn(std::string message) {
    checkpoint_.warn({.where = {.file = checkpoint_.origin().file}, .message = std::move(message)});
  }

  Checkpoint& checkpoint_;
  pickle::Builder builder_;
  std::unordered_set<std::string> taken_;
  std::unordered_set<NodeId> entries_;  // as the module has them
  std::vector<NodeId> pairs_;           // key, value, key, value, ...
};

}  // namespace

NodeId add_module_state(Checkpoint& checkpoint, NodeId module) {
  return Maker(checkpoint).make(module);
}

}  // namespace ptsd::checkpoint
