// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/module_state.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_set>
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

std::string_view module_path(std::string_view prefix) {
  return prefix.substr(0, prefix.empty() ? 0 : prefix.size() - 1);
}

class Collector {
 public:
  explicit Collector(Checkpoint& checkpoint)
      : checkpoint_(checkpoint),
        names_(checkpoint.names()),
        builder_(checkpoint.graph(), checkpoint.pickle().protocol),
        budget_(checkpoint.limits()) {}

  NodeId collect(NodeId module) {
    enter(module, "");
    while (!frames_.empty()) {
      Frame& frame = frames_.back();
      if (frame.next == frame.modules.size()) {
        on_path_.erase(frame.module);
        frames_.pop_back();
        continue;
      }
      const Child child = frame.modules[frame.next++];
      enter(child.value, name_of(child, frame.prefix) + ".");
    }
    warn_of_hooks();
    warn_of_left_out(module);
    return dict();
  }

 private:
  struct Frame {
    NodeId module;
    std::string prefix;  // of the names in it
    std::vector<Child> modules;
    std::size_t next = 0;
  };

  void enter(NodeId module, std::string prefix) {
    const std::string_view path = module_path(prefix);
    if (!is_nn_module(names_, module)) {
      fail(module, Error::Kind::Unsupported,
           fmt::format("the module {} is pickled as {}, of which the state dict is not known",
                       quote(path), type_of(names_, module)));
    }
    if (!on_path_.insert(module).second) {
      fail(module, Error::Kind::Malformed,
           fmt::format("the module {} is inside itself", quote(path)));
    }
    if (frames_.size() >= checkpoint_.limits().depth) {
      fail(module, Error::Kind::Limit,
           fmt::format("modules nested deeper than {} (--limit depth=N)", frames_.size()));
    }
    ModuleState state = nn_module_state(names_, module);
    if (state.has_hooks && hooked_.size() < kMostNamed) hooked_.emplace_back(path);
    for (const Child& child : state.entries) {
      add(child, prefix);
    }
    frames_.push_back({module, std::move(prefix), std::move(state.modules)});
  }

  void add(const Child& child, std::string_view prefix) {
    std::string name = name_of(child, prefix);
    const NodeId key = prefix.empty() ? child.key : builder_.str(name);
    if (!taken_.insert(std::move(name)).second) {
      fail(child.key, Error::Kind::Malformed,
           fmt::format("two entries of the module are called {}",
                       quote(checkpoint_.graph().text(key))));
    }
    entries_.insert(child.value);
    pairs_.insert(pairs_.end(), {key, detached(child.value)});
  }

  // The tensor that a parameter was made from; those of the 0.x era stay what they are.
  NodeId detached(NodeId value) const {
    const Known maker = names_.maker(value).what;
    const bool is_parameter =
        maker == Known::RebuildParameter || maker == Known::RebuildParameterWithState;
    const auto id = checkpoint_.tensors().tensor_of(value);
    if (!is_parameter || !id || checkpoint_.tensors()[*id].kind != TensorKind::Parameter)
      return value;
    return checkpoint_.graph().items(checkpoint_.graph().args(value))[0];
  }

  std::string name_of(const Child& child, std::string_view prefix) {
    if (child.label != Child::Label::Key || !is_text(checkpoint_.graph(), child.key)) {
      fail(child.value, Error::Kind::Malformed,
           fmt::format("a name in the module {} is no str", quote(module_path(prefix))));
    }
    std::string name = fmt::format("{}{}", prefix, checkpoint_.graph().text(child.key));
    if (++met_ > checkpoint_.limits().entries) {
      fail(child.value, Error::Kind::Limit,
           fmt::format("more than {} modules and entries (--limit entries=N)", met_ - 1));
    }
    if (!budget_.spend(name.size())) fail(child.value, Error::Kind::Limit, budget_.message());
    return name;
  }

  NodeId dict() {
    const NodeId result =
        builder_.reduce(builder_.global({"collections", "OrderedDict"}), builder_.tuple({}));
    if (!pairs_.empty()) checkpoint_.graph().mutate(result, pickle::Change::SetItems, pairs_);
    return result;
  }

  void warn_of_hooks() {
    if (hooked_.empty()) return;
    warn("state_dict() would call hooks, which can change what it gives, of the modules " +
         quote_some(hooked_));
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

  [[noreturn]] void fail(NodeId node, Error::Kind kind, std::string message) const {
    checkpoint_.fail_at(node, kind, std::move(message));
  }

  static constexpr std::size_t kMostNamed = 100;

  Checkpoint& checkpoint_;
  const Names& names_;
  pickle::Builder builder_;
  PathBudget budget_;
  std::vector<Frame> frames_;
  std::unordered_set<NodeId> on_path_;
  std::unordered_set<std::string> taken_;
  std::unordered_set<NodeId> entries_;
  std::vector<NodeId> pairs_;  // key, value, key, value, ...
  std::vector<std::string> hooked_;
  std::uint64_t met_ = 0;
};

}  // namespace

NodeId add_module_state(Checkpoint& checkpoint, NodeId module) {
  return Collector(checkpoint).collect(module);
}

}  // namespace ptsd::checkpoint
