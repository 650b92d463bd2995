// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/segmented.h"

// The objects that a pickle describes, as it describes them. Nothing is lost: an object made by
// REDUCE keeps its callable and arguments, and every later APPENDS, SETITEMS, ADDITEMS and BUILD
// in order; integers keep all digits, floats their bits, byte strings are apart from text; sharing
// is sharing (two references are one NodeId), and a node knows whether the stream memoised it.
//
// Nodes are 16 bytes in an arena: a checkpoint has about ten for each tensor. None, the booleans,
// the empty tuple and the integers 0 to 255 have one node each, since nothing can tell two apart.
// The graph can be cyclic and as deep as the stream is long: walk it with a stack of your own.

namespace ptsd::pickle {

enum class NodeId : std::uint32_t {};

constexpr std::size_t index(NodeId id) {
  return static_cast<std::size_t>(id);
}

enum class Kind : std::uint8_t {
  None,
  False,
  True,
  Int,         // fits 64 bits
  LongBytes,   // a larger integer: two's complement, little-endian
  LongDigits,  // a larger integer: decimal digits
  Float,
  Str,      // WTF-8
  ByteStr,  // a Python 2 str: bytes that are usually text
  Bytes,
  ByteArray,
  Tuple,
  FrozenSet,
  List,
  Dict,
  Set,
  Global,
  Ext,       // a code of copyreg's extension registry
  PersId,    // what the loader makes of a persistent id
  Reduce,    // callable(*args)
  NewObj,    // cls.__new__(cls, *args)
  NewObjEx,  // cls.__new__(cls, *args, **kwargs)
  Obj,       // cls(*args), by OBJ or INST
};

// A set of kinds, for checks: KindSet{Kind::List, Kind::Reduce}.contains(kind).
class KindSet {
 public:
  template <class... Kinds>
  constexpr explicit KindSet(Kinds... kinds)
      : bits_(((1u << static_cast<unsigned>(kinds)) | ...)) {}
  constexpr bool contains(Kind kind) const {
    return (bits_ >> static_cast<unsigned>(kind) & 1u) != 0;
  }

 private:
  std::uint32_t bits_;
};

// What can carry state and items besides the arguments it was made from.
inline constexpr KindSet kObjects(Kind::Reduce, Kind::NewObj, Kind::NewObjEx, Kind::Obj);

// A change made to a container or object after it came to be.
enum class Change : std::uint8_t {
  Append,    // operands are items
  SetItems,  // operands are key, value, key, value, ...
  AddItems,  // operands are items
  Build,     // the one operand is the state
};

struct Mutation {
  Change change = Change::Append;
  std::span<const NodeId> operands = {};
  std::uint32_t next = 0;  // index of the following mutation of the same node; 0: none
};

struct GlobalName {
  std::string_view module;
  std::string_view name;
  bool operator==(const GlobalName&) const = default;
};

class Graph {
 public:
  // Borrows `stream`, which the text of most nodes is a view of.
  explicit Graph(Bytes stream);

  Bytes stream() const { return stream_; }
  std::size_t size() const { return nodes_.size(); }
  Kind kind(NodeId id) const { return nodes_[index(id)].kind; }
  // Of the opcode that made the node; of its first use for a node without identity.
  std::uint64_t offset(NodeId id) const { return nodes_[index(id)].offset; }
  bool memoised(NodeId id) const { return has(id, kMemoised); }
  // False for lists, dicts, sets and byte arrays, and for tuples that hold one at any depth.
  bool hashable(NodeId id) const;

  std::int64_t int_value(NodeId id) const;    // Int
  double float_value(NodeId id) const;        // Float
  std::uint64_t float_bits(NodeId id) const;  // Float
  // Str, ByteStr, Bytes, ByteArray, LongBytes, LongDigits.
  std::string_view text(NodeId id) const;
  // What a Tuple or FrozenSet holds; nothing for other kinds, whose contents are mutations.
  std::span<const NodeId> items(NodeId id) const;
  GlobalName global(NodeId id) const { return globals_[global_index(id)]; }  // Global
  std::uint32_t global_index(NodeId id) const;                               // Global
  // The two strings that STACK_GLOBAL took, which the memo may share; nothing for GLOBAL.
  struct GlobalStrings {
    NodeId module;
    NodeId name;
  };
  std::optional<GlobalStrings> global_strings(NodeId id) const;  // Global
  std::int64_t ext_code(NodeId id) const;                        // Ext
  NodeId persistent_id(NodeId id) const;                         // PersId
  // Objects: the callable or class, its argument tuple, and the NewObjEx keyword arguments.
  NodeId callable(NodeId id) const;
  NodeId args(NodeId id) const;
  NodeId kwargs(NodeId id) const;

  // The distinct globals in the order of their first mention, and how often each was named.
  std::span<const GlobalName> globals() const { return globals_; }
  std::span<const std::uint32_t> global_counts() const { return global_counts_; }

  // The mutations of a node, in order.
  class Mutations;
  Mutations mutations(NodeId id) const;

  // Building, for the machine. Text and names are views of the stream, or kept elsewhere.
  NodeId add(Kind kind, std::uint64_t offset);
  NodeId add_int(std::int64_t value, std::uint64_t offset);
  NodeId add_float(std::uint64_t bits, std::uint64_t offset);
  NodeId add_text(Kind kind, std::string_view in_stream, std::uint64_t offset);
  NodeId add_decoded_text(Kind kind, std::string text, std::uint64_t offset);
  NodeId add_sequence(Kind kind, std::span<const NodeId> items, std::uint64_t offset);
  NodeId add_global(GlobalName name, std::uint64_t offset);
  NodeId add_stack_global(GlobalStrings strings, std::uint64_t offset);
  NodeId add_ext(std::int64_t code, std::uint64_t offset);
  NodeId add_persistent(NodeId id, std::uint64_t offset);
  NodeId add_object(Kind kind, NodeId callable, NodeId args, std::uint64_t offset);
  NodeId add_object_ex(NodeId cls, NodeId args, NodeId kwargs, std::uint64_t offset);
  void mutate(NodeId id, Change change, std::span<const NodeId> operands);
  void set_memoised(NodeId id) { nodes_[index(id)].flags |= kMemoised; }

  // Editing. What is passed is copied; it may be parts of this graph.
  //
  // All that was ever put into a container or object; with none, it is as it was made.
  void replace_mutations(NodeId id, std::span<const Mutation> mutations);
  void replace_object(NodeId id, NodeId callable, NodeId args);  // not NewObjEx
  void replace_persistent_id(NodeId id, NodeId persistent_id);
  // A persistent id becomes what `original` is: a global, or an object without mutations.
  void replace_persistent(NodeId id, NodeId original);
  // STACK_GLOBAL takes two new strings.
  void replace_global(NodeId id, GlobalName name);
  // The same names in storage that lives as long as the graph, for add_global().
  GlobalName keep(GlobalName name);

 private:
  enum Flag : std::uint8_t { kMemoised = 1, kUnhashable = 2, kMutated = 4, kDecoded = 8 };

  // `payload` is the value, or two 32-bit halves, or a pointer to a counted run.
  struct Node {
    std::uint64_t payload;
    std::uint32_t offset;
    Kind kind;
    std::uint8_t flags;
  };
  static_assert(sizeof(Node) == 16);

  // Where the payload of a mutated object moves to; containers keep head and tail in place.
  struct Object {
    std::uint64_t payload = 0;
    std::uint32_t head = 0;
    std::uint32_t tail = 0;
  };

  bool has(NodeId id, Flag flag) const { return (nodes_[index(id)].flags & flag) != 0; }
  NodeId add_node(Kind kind, std::uint64_t payload, std::uint64_t offset, unsigned flags = 0);
  NodeId shared(NodeId& slot, Kind kind, std::uint64_t payload, std::uint64_t offset);
  std::uint32_t number_of(std::string_view name);
  std::uint32_t number_of(NodeId text_node);
  std::string_view keep(std::string_view name);
  NodeId add_memoised_str(std::string_view text);
  std::uint32_t intern(GlobalName name, std::uint32_t module_number, std::uint32_t name_number);
  std::uint64_t object_payload(NodeId id) const;
  std::uint64_t store_run(std::span<const NodeId> run);
  std::uint32_t head_of(NodeId id) const;

  Bytes stream_;
  SegmentedVector<Node> nodes_;
  SpanArena<NodeId> runs_;
  SegmentedVector<Mutation> mutations_;
  std::deque<Object> objects_;
  std::deque<std::string> decoded_;
  std::deque<GlobalStrings> global_strings_;
  std::vector<GlobalName> globals_;
  std::vector<std::uint32_t> global_counts_;
  // Trees, not hash tables, since the input chooses the keys. A string that many STACK_GLOBALs take
  // from the memo is looked at once: its length times their number would be quadratic.
  std::map<std::string_view, std::uint32_t> name_numbers_;
  std::map<NodeId, std::uint32_t> numbers_of_nodes_;
  std::map<std::uint64_t, std::uint32_t> global_indices_;  // by the numbers of module and name
  std::array<NodeId, 256> small_ints_;
  std::array<NodeId, 4> constants_;  // None, False, True, ()
};

class Graph::Mutations {
 public:
  class Iterator {
   public:
    Iterator(const Graph* graph, std::uint32_t at) : graph_(graph), at_(at) {}
    const Mutation& operator*() const { return graph_->mutations_[at_]; }
    Iterator& operator++() {
      at_ = graph_->mutations_[at_].next;
      return *this;
    }
    bool operator==(const Iterator& other) const { return at_ == other.at_; }

   private:
    const Graph* graph_;
    std::uint32_t at_;
  };

  Mutations(const Graph* graph, std::uint32_t head) : graph_(graph), head_(head) {}
  Iterator begin() const { return {graph_, head_}; }
  Iterator end() const { return {graph_, 0}; }
  bool empty() const { return head_ == 0; }

 private:
  const Graph* graph_;
  std::uint32_t head_;
};

}  // namespace ptsd::pickle
