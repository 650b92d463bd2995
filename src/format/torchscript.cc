// SPDX-License-Identifier: Apache-2.0
#include "format/torchscript.h"

#include <array>
#include <optional>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/quote.h"
#include "checkpoint/path_budget.h"
#include "format/assembly.h"
#include "format/record_pickle.h"
#include "format/script_code.h"

namespace ptsd::format {

using pickle::Change;
using pickle::Kind;
using pickle::NodeId;

namespace {

// A module, by its object.
struct Module {
  NodeId node;
  std::string prefix;  // of the names of what is in it: "sub.0."
  std::uint64_t depth;
};

struct Named {
  NodeId name;
  NodeId value;
};

// What a module holds, in the order of its attributes.
struct Attributes {
  std::vector<Named> parameters;
  std::vector<Named> buffers;
  std::vector<Module> modules;
};

class Script {
 public:
  Script(const ZipArchive& archive, Assembly& assembly, const Limits& limits)
      : assembly_(assembly),
        limits_(limits),
        objects_(archive, "data.pkl", object_storages_, assembly, limits),
        constants_(archive, "constants.pkl", constant_storages_, assembly, limits),
        code_(archive, assembly),
        spelled_(limits) {}

  // The checkpoint's root.
  NodeId read() {
    walk();
    std::vector<NodeId> items;
    add_items(items, state_);
    const NodeId root = assembly_.tensors().ordered_dict();
    pickle::Graph& graph = assembly_.builder().graph();
    if (!items.empty()) graph.mutate(root, Change::SetItems, items);
    if (const std::optional<NodeId> rest = others()) {
      graph.mutate(root, Change::Build, std::array<NodeId, 1>{*rest});
    }
    return root;
  }

  // The code of the lite interpreter, which is not read, has its constants where all of them are.
  void warn_of_orphans(const ZipArchive& archive) {
    const bool lite = archive.records().record("bytecode.pkl") != nullptr;
    for (const StorageRecords* storages : {&object_storages_, &constant_storages_}) {
      if (lite && storages == &constant_storages_) continue;
      archive.warn_of_orphans(assembly_, storages->folder, storages->suffix, storages->used);
    }
  }

 private:
  const pickle::Graph& graph() const { return objects_.graph(); }

  // The dict that the one BUILD of an object sets; nothing for an object that is otherwise.
  std::optional<NodeId> state_of(NodeId node) const {
    if (graph().kind(node) != Kind::NewObj || !graph().items(graph().args(node)).empty()) {
      return std::nullopt;
    }
    std::optional<NodeId> state;
    for (const pickle::Mutation& mutation : graph().mutations(node)) {
      if (mutation.change != Change::Build || state) return std::nullopt;
      state = mutation.operands[0];
    }
    if (!state || graph().kind(*state) != Kind::Dict) return std::nullopt;
    return state;
  }

  // Null for what is no module.
  const ScriptClass* class_of(NodeId node) {
    static const ScriptClass kUnknown = {.is_module = true, .has_code = false};
    if (!state_of(node)) return nullptr;
    const NodeId cls = graph().callable(node);
    if (graph().kind(cls) != Kind::Global) return nullptr;
    const ScriptClass* const found = code_.find(graph().global(cls));
    if (found != nullptr) return found->is_module ? found : nullptr;
    return has_key(*state_of(node), "training") ? &kUnknown : nullptr;
  }

  bool has_key(NodeId dict, std::string_view key) const {
    for (const pickle::Mutation& mutation : graph().mutations(dict)) {
      for (std::size_t i = 0; i < mutation.operands.size(); i += 2) {
        const NodeId text = mutation.operands[i];
        if (graph().kind(text) == Kind::Str && graph().text(text) == key) return true;
      }
    }
    return false;
  }

  // Modules in the order of state_dict(): what is in one comes before what follows it.
  void walk() {
    std::vector<Module> left;
    if (class_of(objects_.root()) != nullptr) {
      left.push_back({objects_.root(), "", 0});
    } else {
      add(attributes_, objects_.root(), "", objects_.root());
    }
    while (!left.empty()) {
      const Module module = std::move(left.back());
      left.pop_back();
      if (module.depth > limits_.depth) {
        objects_.fail(module.node, "modules nested too deep (--limit depth=N)", Error::Kind::Limit);
      }
      Attributes found = attributes_of(module);
      state_.insert(state_.end(), found.parameters.begin(), found.parameters.end());
      state_.insert(state_.end(), found.buffers.begin(), found.buffers.end());
      left.insert(left.end(), found.modules.rbegin(), found.modules.rend());
    }
  }

  Attributes attributes_of(const Module& module) {
    const ScriptClass& cls = *class_of(module.node);
    Attributes found;
    for (const pickle::Mutation& mutation : graph().mutations(*state_of(module.node))) {
      for (std::size_t i = 0; i < mutation.operands.size(); i += 2) {
        const NodeId key = mutation.operands[i];
        const NodeId value = mutation.operands[i + 1];
        if (graph().kind(key) != Kind::Str)
          objects_.fail(key, "the name of an attribute is no str");
        const std::string_view own = graph().text(key);
        const std::string name = module.prefix + std::string(own);
        if (class_of(value) != nullptr) {
          count(value, name);
          found.modules.push_back({value, name + ".", module.depth + 1});
        } else if (!objects_.is_tensor(value)) {
          add(attributes_, value, name, key);
        } else if (cls.parameters.contains(own)) {
          add(found.parameters, value, name, key);
        } else {
          const bool known = cls.buffers.contains(own) || !cls.has_code;
          add(known ? found.buffers : attributes_, value, name, key);
        }
      }
    }
    return found;
  }

  void add(std::vector<Named>& list, NodeId value, std::string_view name, NodeId key) {
    count(key, name);
    pickle::Builder& builder = assembly_.builder();
    const NodeId text = builder.str(name);
    if (!names_.insert(builder.graph().text(text)).second) {
      objects_.fail(key, fmt::format("two attributes are called {}", quote(name)));
    }
    list.push_back({text, objects_.copy(value)});
  }

  // A module can be in many others, and these in more.
  void count(NodeId node, std::string_view name) {
    if (++count_ > limits_.entries) {
      objects_.fail(node,
                    fmt::format("more than {} attributes (--limit entries=N)", limits_.entries),
                    Error::Kind::Limit);
    }
    if (!spelled_.spend(name.size())) {
      objects_.fail(node, spelled_.message(), Error::Kind::Limit);
    }
  }

  static void add_items(std::vector<NodeId>& items, const std::vector<Named>& list) {
    for (const Named& named : list) {
      items.insert(items.end(), {named.name, named.value});
    }
  }

  // The state of the root: what is no tensor of the module.
  std::optional<NodeId> others() {
    pickle::Builder& builder = assembly_.builder();
    std::vector<NodeId> parts;
    if (!attributes_.empty()) {
      std::vector<NodeId> items;
      add_items(items, attributes_);
      parts = {builder.str("attributes"), builder.dict(items)};
    }
    if (!is_empty_tuple(constants_)) {
      const NodeId root = constants_.copy(constants_.root());
      const std::span<const NodeId> constants = constants_.graph().items(constants_.root());
      std::vector<NodeId> items;
      for (const NodeId constant : constants) {
        items.push_back(constants_.copy(constant));
      }
      parts.insert(parts.end(),
                   {builder.str("constants"), constants.empty() ? root : builder.list(items)});
    }
    if (parts.empty()) return std::nullopt;
    const std::array<NodeId, 2> state = {builder.str("_torchscript"), builder.dict(parts)};
    return builder.dict(state);
  }

  static bool is_empty_tuple(const RecordPickle& pickle) {
    return pickle.graph().kind(pickle.root()) == Kind::Tuple &&
           pickle.graph().items(pickle.root()).empty();
  }

  Assembly& assembly_;
  Limits limits_;
  StorageRecords object_storages_ = {.folder = "data/"};
  StorageRecords constant_storages_ = {.folder = "constants/"};
  RecordPickle objects_;
  RecordPickle constants_;
  ScriptCode code_;
  std::uint64_t count_ = 0;
  checkpoint::PathBudget spelled_;
  std::unordered_set<std::string_view> names_;  // texts of the assembly's graph
  std::vector<Named> state_;
  std::vector<Named> attributes_;
};

constexpr std::size_t kMostOfVersion = 40;  // bytes that are shown

// PyTorchFileReader takes .data/version before version.
std::string version_of(const ZipArchive& archive, Assembly& assembly) {
  const std::string hidden = archive.text(".data/version", assembly);
  const std::string version = hidden.empty() ? archive.text("version", assembly) : hidden;
  return escape(abbreviate(version, kMostOfVersion));
}

}  // namespace

bool is_torchscript(const ZipArchive& archive) {
  return archive.records().record("data.pkl") != nullptr &&
         (archive.records().record("constants.pkl") != nullptr ||
          archive.records().record("bytecode.pkl") != nullptr);
}

std::unique_ptr<Loaded> load_torchscript(std::unique_ptr<ZipArchive> archive,
                                         const Limits& limits) {
  const std::shared_ptr<const ZipArchive> kept = std::move(archive);
  Assembly assembly({.file = kept->source.name()}, {.has_pickle = false});
  FileFacts& facts = assembly.facts();
  facts.format =
      kept->records().record("bytecode.pkl") != nullptr ? "torchscript-lite" : "torchscript";
  facts.bytes = kept->source.size();
  facts.root = kept->records().root();
  facts.writer = fmt::format("torch.jit, version {}", version_of(*kept, assembly));
  facts.has_checksums = kept->zip.has_checksums();
  kept->check_byteorder(assembly);
  kept->warn_all(assembly);
  Script script(*kept, assembly, limits);
  const NodeId root = script.read();
  script.warn_of_orphans(*kept);
  assembly.keep(kept);
  return assembly.finish(root, limits);
}

}  // namespace ptsd::format
