// SPDX-License-Identifier: Apache-2.0
#include "pickle/encoder.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/quote.h"
#include "pickle/kind_names.h"
#include "pickle/literals.h"
#include "pickle/opcode_writer.h"
#include "pickle/parts.h"
#include "pickle/sharing.h"

namespace ptsd::pickle {
namespace {

constexpr std::size_t kGroupSize = 1000;  // items or pairs
constexpr KindSet kContainers(Kind::List, Kind::Dict, Kind::Set);
constexpr KindSet kNeverMemoised(Kind::None, Kind::False, Kind::True, Kind::Int, Kind::LongBytes,
                                 Kind::LongDigits, Kind::Float);

// How a change is written, in the order of Change: `one` behind a single item or pair, `many`
// behind a MARK and a group of them.
struct ChangeOps {
  Op one;
  Op many;
  std::uint32_t width;  // operands of an item or pair
};
constexpr ChangeOps kChangeOps[] = {
    {Op::Append,   Op::Appends,  1},
    {Op::SetItem,  Op::SetItems, 2},
    {Op::AddItems, Op::AddItems, 1},
    {Op::Build,    Op::Build,    1},
};

// The forms of one kind of counted bytes, by the size of their length.
struct TextOps {
  Op of1;
  Op of4;
  Op of8;
  std::uint64_t largest4;
};
constexpr std::uint64_t kLargestU32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t kLargestI32 = std::numeric_limits<std::int32_t>::max();
constexpr TextOps kUnicodeOps = {Op::ShortBinUnicode, Op::BinUnicode, Op::BinUnicode8, kLargestU32};
constexpr TextOps kBytesOps = {Op::ShortBinBytes, Op::BinBytes, Op::BinBytes8, kLargestU32};
// There is no form of eight bytes: STOP stands for none.
constexpr TextOps kByteStrOps = {Op::ShortBinString, Op::BinString, Op::Stop, kLargestI32};
constexpr TextOps kLongOps = {Op::Long1, Op::Long4, Op::Stop, kLargestI32};

constexpr Op kTupleOps[] = {Op::EmptyTuple, Op::Tuple1, Op::Tuple2, Op::Tuple3};

// Edits are small as a rule. The stream may be followed by other things, so the nodes count too.
std::size_t expected_size(const Graph& graph) {
  constexpr std::size_t kMostPerNode = 64;  // bytes; a tensor of a dozen nodes has about 100
  const std::size_t size = graph.stream().size();
  return std::min(size + size / 16, graph.size() * kMostPerNode) + 64;
}

class Encoder {
 public:
  Encoder(const Graph& graph, NodeId root, unsigned protocol, const Where& origin)
      : graph_(graph),
        origin_(origin),
        protocol_(std::max(protocol, 1u)),
        sharing_(graph, root),
        most_steps_(kFreeSteps + 16 * sharing_.mentions()),
        memo_(graph.size(), 0),
        writer_(protocol_, expected_size(graph)) {}

  Encoded run(NodeId root) {
    save(root);
    while (!frames_.empty()) {
      step();
    }
    return {.bytes = writer_.finish(), .persistent = std::move(persistent_)};
  }

 private:
  static constexpr std::uint64_t kFreeSteps = std::uint64_t{1} << 24;

  enum class Stage : std::uint8_t {
    Parts,  // what it is made from is being written
    Ready,  // it stands on the stack and in the memo
    Group,  // items are being added to it, or its state
  };

  // A node that is being written, from its first part to its last mutation.
  struct Frame {
    NodeId node;
    Stage stage;
    bool first = false;          // the group is the first of its run
    bool single = false;         // the group is one item, without MARK
    std::uint32_t position = 0;  // of the next part, then of the next operand of *mutation
    std::uint32_t left = 0;      // parts, then operands of the group
    std::size_t run_left = 0;    // items or pairs of the run, this group's included
    Graph::Mutations::Iterator mutation;
  };

  [[noreturn]] void fail(NodeId id, std::string message,
                         Error::Kind kind = Error::Kind::Limit) const {
    Where where = origin_;
    where.offset = graph_.offset(id);
    throw Error(kind, std::move(where), std::move(message));
  }

  void save(NodeId id) {
    if (++steps_ > most_steps_) {
      fail(id, fmt::format("{} inside itself, and so many times that the pickle would grow "
                           "without bound",
                           with_article(graph_.kind(id))));
    }
    writer_.boundary();
    if (memo_[index(id)] != 0) return get(id);
    switch (graph_.kind(id)) {
      case Kind::None: return writer_.op(Op::None);
      case Kind::False: return save_bool(false);
      case Kind::True: return save_bool(true);
      case Kind::Int: return save_int(graph_.int_value(id));
      case Kind::LongBytes: return save_text(id, kLongOps);
      case Kind::LongDigits: return save_digits(graph_.text(id));
      case Kind::Float: return writer_.big_endian(Op::BinFloat, graph_.float_bits(id));
      case Kind::Str: return save_text(id, kUnicodeOps, protocol_ >= 4);
      case Kind::ByteStr: return save_text(id, kByteStrOps);
      case Kind::Bytes: return save_text(id, kBytesOps);
      case Kind::ByteArray: return save_byte_array(id);
      case Kind::Tuple: return save_tuple(id);
      case Kind::List: return save_container(id, Op::EmptyList);
      case Kind::Dict: return save_container(id, Op::EmptyDict);
      case Kind::Set: return save_container(id, Op::EmptySet);
      case Kind::Global: return save_global(id);
      case Kind::Ext: return save_ext(id);
      case Kind::FrozenSet:
      case Kind::Obj: writer_.op(Op::Mark); return open(id);
      case Kind::PersId:
      case Kind::Reduce:
      case Kind::NewObj:
      case Kind::NewObjEx: return open(id);
    }
  }

  // The memo.

  void put(NodeId id) {
    if (!graph_.memoised(id) && !sharing_.is_shared(id)) return;
    const std::uint32_t number = memoised_++;
    memo_[index(id)] = memoised_;
    if (protocol_ >= 4) return writer_.op(Op::Memoize);
    write_memo_number(Op::BinPut, Op::LongBinPut, number);
  }

  void get(NodeId id) { write_memo_number(Op::BinGet, Op::LongBinGet, memo_[index(id)] - 1); }

  void write_memo_number(Op short_op, Op long_op, std::uint32_t number) {
    if (number <= 0xFF) return writer_.number(short_op, number, 1);
    writer_.number(long_op, number, 4);
  }

  // Scalars and text.

  void save_bool(bool value) {
    if (protocol_ < 2) return writer_.line(Op::Int, value ? "01" : "00");
    writer_.op(value ? Op::NewTrue : Op::NewFalse);
  }

  void save_int(std::int64_t value) {
    const auto bits = static_cast<std::uint64_t>(value);
    if (bits <= 0xFF) return writer_.number(Op::BinInt1, bits, 1);
    if (bits <= 0xFFFF) return writer_.number(Op::BinInt2, bits, 2);
    if (std::in_range<std::int32_t>(value)) return writer_.number(Op::BinInt, bits, 4);
    if (protocol_ < 2) return save_digits(std::to_string(value));
    std::array<char, 9> bytes{};  // with room for a sign
    for (unsigned i = 0; i < bytes.size(); ++i) {
      bytes[i] = static_cast<char>(value >> std::min(8 * i, 63u));
    }
    writer_.counted(Op::Long1, shortest_int_bytes({bytes.data(), bytes.size()}), 1);
  }

  void save_digits(std::string_view digits) { writer_.line(Op::Long, std::string(digits) + 'L'); }

  void save_text(NodeId id, const TextOps& ops, bool has_short = true) {
    const std::string_view text = graph_.text(id);
    if (has_short && text.size() <= 0xFF) {
      writer_.counted(ops.of1, text, 1);
    } else if (text.size() <= ops.largest4) {
      writer_.counted(ops.of4, text, 4);
    } else if (ops.of8 != Op::Stop) {
      writer_.counted(ops.of8, text, 8);
    } else {
      fail(id, fmt::format("{} of {} bytes, a pickle takes {}", with_article(graph_.kind(id)),
                           text.size(), ops.largest4));
    }
    if (!kNeverMemoised.contains(graph_.kind(id))) put(id);
  }

  void save_byte_array(NodeId id) {
    writer_.counted(Op::ByteArray8, graph_.text(id), 8);
    put(id);
  }

  void save_ext(NodeId id) {
    const auto code = static_cast<std::uint64_t>(graph_.ext_code(id));
    if (code <= 0xFF) {
      writer_.number(Op::Ext1, code, 1);
    } else if (code <= 0xFFFF) {
      writer_.number(Op::Ext2, code, 2);
    } else {
      writer_.number(Op::Ext4, code, 4);
    }
    put(id);
  }

  // What is made from parts.

  void save_tuple(NodeId id) {
    const std::size_t count = graph_.items(id).size();
    if (count == 0) return writer_.op(Op::EmptyTuple);
    if (!has_short_form(count)) writer_.op(Op::Mark);
    open(id);
  }

  bool has_short_form(std::size_t count) const {
    return count < std::size(kTupleOps) && protocol_ >= 2;
  }

  void save_global(NodeId id) {
    if (graph_.global_strings(id)) return open(id);
    const GlobalName name = graph_.global(id);
    if (!fits_global(name.module) || !fits_global(name.name)) {
      fail(id,
           fmt::format("global {}.{}: GLOBAL takes UTF-8 without line breaks", quote(name.module),
                       quote(name.name)),
           Error::Kind::Unsupported);
    }
    writer_.two_lines(Op::Global, name.module, name.name);
    put(id);
  }

  void save_container(NodeId id, Op op) {
    writer_.op(op);
    put(id);
    const Graph::Mutations mutations = graph_.mutations(id);
    if (mutations.empty()) return;
    frames_.push_back({.node = id, .stage = Stage::Ready, .mutation = mutations.begin()});
  }

  void open(NodeId id) {
    frames_.push_back({.node = id,
                       .stage = Stage::Parts,
                       .left = static_cast<std::uint32_t>(part_count(graph_, id)),
                       .mutation = graph_.mutations(id).begin()});
  }

  // A frame is not to be touched behind a save(), which may add others.
  void step() {
    Frame& frame = frames_.back();
    switch (frame.stage) {
      case Stage::Parts:
        if (frame.left == 0) return make(frame);
        --frame.left;
        return save(part(graph_, frame.node, frame.position++));
      case Stage::Ready: return begin_run(frame);
      case Stage::Group:
        if (frame.left == 0) return end_group(frame);
        --frame.left;
        return save(next_operand(frame));
    }
  }

  void make(Frame& frame) {
    const NodeId id = frame.node;
    // Found in the memo, it was written as a part of a part of itself, with all its mutations.
    const bool is_there = memo_[index(id)] != 0 && !is_made_anew(id);
    switch (graph_.kind(id)) {
      case Kind::Tuple: make_tuple(graph_.items(id).size(), is_there); break;
      case Kind::FrozenSet: writer_.op(is_there ? Op::PopMark : Op::FrozenSet); break;
      case Kind::Global: writer_.op(Op::StackGlobal); break;
      case Kind::PersId: make_persistent(id, is_there); break;
      case Kind::Reduce: make_object(Op::Reduce, is_there); break;
      case Kind::NewObj: make_object(Op::NewObj, is_there); break;
      case Kind::NewObjEx: make_object(Op::NewObjEx, is_there); break;
      case Kind::Obj: make_object(Op::Obj, is_there); break;
      default: break;
    }
    if (is_there) {
      frames_.pop_back();
      return get(id);
    }
    put(id);
    frame.stage = Stage::Ready;
    frame.position = 0;
  }

  // CPython asks an object for its arguments each time that it comes to it, and so gets another
  // tuple, unless the tuple is held elsewhere too.
  bool is_made_anew(NodeId id) const {
    if (sharing_.is_shared(id) || frames_.size() < 2) return false;
    const NodeId holder = frames_[frames_.size() - 2].node;
    return kObjects.contains(graph_.kind(holder)) && graph_.args(holder) == id;
  }

  void make_tuple(std::size_t count, bool is_there) {
    if (!has_short_form(count)) return writer_.op(is_there ? Op::PopMark : Op::Tuple);
    if (!is_there) return writer_.op(kTupleOps[count]);
    for (std::size_t i = 0; i < count; ++i) {
      writer_.op(Op::Pop);
    }
  }

  void make_object(Op op, bool is_there) {
    writer_.op(op);
    if (is_there) writer_.op(Op::Pop);
  }

  void make_persistent(NodeId id, bool is_there) {
    persistent_.push_back(id);
    make_object(Op::BinPersId, is_there);
  }

  // Mutations. Neighbours of one kind are a run, which is written in groups.

  const ChangeOps& ops_of(const Frame& frame) const {
    return kChangeOps[static_cast<std::size_t>((*frame.mutation).change)];
  }

  void begin_run(Frame& frame) {
    if (frame.mutation == graph_.mutations(frame.node).end()) return frames_.pop_back();
    const ChangeOps& ops = ops_of(frame);
    frame.run_left = ops.one == Op::Build ? 1 : operands_of_run(frame) / ops.width;
    frame.position = 0;
    frame.first = true;
    begin_group(frame);
  }

  std::size_t operands_of_run(const Frame& frame) const {
    const Graph::Mutations::Iterator end = graph_.mutations(frame.node).end();
    std::size_t count = 0;
    for (Graph::Mutations::Iterator at = frame.mutation; at != end; ++at) {
      if ((*at).change != (*frame.mutation).change) break;
      count += (*at).operands.size();
    }
    return count;
  }

  void begin_group(Frame& frame) {
    const ChangeOps& ops = ops_of(frame);
    // CPython looks ahead in the items of an object, but in its own containers only at their size.
    const bool looks_ahead = frame.first || !kContainers.contains(graph_.kind(frame.node));
    frame.single = frame.run_left == 1 && looks_ahead && ops.one != ops.many;
    frame.single = frame.single || ops.one == Op::Build;
    if (!frame.single) writer_.op(Op::Mark);
    frame.left = static_cast<std::uint32_t>(std::min(frame.run_left, kGroupSize)) * ops.width;
    frame.stage = Stage::Group;
  }

  NodeId next_operand(Frame& frame) {
    while (frame.position == (*frame.mutation).operands.size()) {
      ++frame.mutation;
      frame.position = 0;
    }
    return (*frame.mutation).operands[frame.position++];
  }

  void end_group(Frame& frame) {
    const ChangeOps& ops = ops_of(frame);
    writer_.op(frame.single ? ops.one : ops.many);
    const bool was_full = frame.run_left >= kGroupSize;
    frame.run_left -= std::min(frame.run_left, kGroupSize);
    frame.first = false;
    // A dict or set is only known to be at its end when a group is not full.
    const Kind kind = graph_.kind(frame.node);
    const bool ends_short = kind == Kind::Dict || kind == Kind::Set;
    if (frame.run_left > 0 || (was_full && ends_short)) return begin_group(frame);
    ++frame.mutation;
    frame.stage = Stage::Ready;
  }

  const Graph& graph_;
  const Where& origin_;
  const unsigned protocol_;
  const Sharing sharing_;
  const std::uint64_t most_steps_;
  std::uint64_t steps_ = 0;
  std::vector<std::uint32_t> memo_;  // memo number + 1, 0 for what is not in the memo
  std::uint32_t memoised_ = 0;
  std::vector<Frame> frames_;
  std::vector<NodeId> persistent_;
  OpcodeWriter writer_;
};

}  // namespace

Encoded encode(const Graph& graph, NodeId root, unsigned protocol, const Where& origin) {
  return Encoder(graph, root, protocol, origin).run(root);
}

}  // namespace ptsd::pickle
