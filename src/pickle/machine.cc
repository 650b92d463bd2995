// SPDX-License-Identifier: Apache-2.0
#include "pickle/machine.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/quote.h"
#include "base/utf8.h"
#include "pickle/decoder.h"
#include "pickle/kind_names.h"
#include "pickle/literals.h"
#include "pickle/memo.h"
#include "pickle/stack.h"

namespace ptsd::pickle {
namespace {

constexpr KindSet kCallables(Kind::Global, Kind::Ext, Kind::PersId, Kind::Reduce, Kind::NewObj,
                             Kind::NewObjEx, Kind::Obj);
// A subclass of tuple or dict, such as torch.Size, serves as arguments too; it is an object.
constexpr KindSet kTuples(Kind::Tuple, Kind::Reduce, Kind::NewObj, Kind::NewObjEx, Kind::Obj);
constexpr KindSet kDicts(Kind::Dict, Kind::Reduce, Kind::NewObj, Kind::NewObjEx, Kind::Obj);
constexpr KindSet kStr(Kind::Str);

// What each change can be made to, in the order of Change.
constexpr KindSet kTargets[] = {
    KindSet(Kind::List, Kind::Reduce, Kind::NewObj, Kind::NewObjEx, Kind::Obj),
    kDicts,
    KindSet(Kind::Set, Kind::Reduce, Kind::NewObj, Kind::NewObjEx, Kind::Obj),
    kObjects,
};

std::string counted(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

class Machine {
 public:
  Machine(Bytes stream, const Where& origin)
      : decoder_(stream, origin), pickle_(stream), graph_(pickle_.graph) {}

  Pickle run() {
    do {
      decoder_.next(now_);
      OpUse& use = pickle_.op_uses[static_cast<std::uint8_t>(now_.op())];
      if (use.count++ == 0) use.first = static_cast<std::uint32_t>(now_.offset);
      step();
    } while (now_.op() != Op::Stop);
    finish();
    return std::move(pickle_);
  }

 private:
  void step() {
    switch (now_.op()) {
      case Op::Mark: return stack_.push_mark();
      case Op::Stop: return stop();
      case Op::Pop: return pop_value_or_mark();
      case Op::PopMark: return static_cast<void>(pop_marked());
      case Op::Dup: return push(top());

      case Op::None: return push(graph_.add(Kind::None, now_.offset));
      case Op::NewTrue: return push(graph_.add(Kind::True, now_.offset));
      case Op::NewFalse: return push(graph_.add(Kind::False, now_.offset));
      case Op::BinInt:
      case Op::BinInt1:
      case Op::BinInt2: return push(graph_.add_int(now_.number, now_.offset));
      case Op::Int: return push_int_line();
      case Op::Long: return push_long_line();
      case Op::Long1:
      case Op::Long4: return push_long_bytes();
      case Op::Float: return push_float_line();
      case Op::BinFloat: return push(graph_.add_float(bits(), now_.offset));

      case Op::String: return push_string_line();
      case Op::BinString:
      case Op::ShortBinString: return push_text(Kind::ByteStr);
      case Op::Unicode: return push_unicode_line();
      case Op::BinUnicode:
      case Op::ShortBinUnicode:
      case Op::BinUnicode8: return push_unicode();
      case Op::BinBytes:
      case Op::ShortBinBytes:
      case Op::BinBytes8: return push_text(Kind::Bytes);
      case Op::ByteArray8: return push_text(Kind::ByteArray);

      case Op::EmptyTuple: return push_sequence(Kind::Tuple, {});
      case Op::Tuple: return fold_marked(Kind::Tuple);
      case Op::Tuple1: return push_sequence(Kind::Tuple, pop(1));
      case Op::Tuple2: return push_sequence(Kind::Tuple, pop(2));
      case Op::Tuple3: return push_sequence(Kind::Tuple, pop(3));
      case Op::FrozenSet: return fold_frozen_set();
      case Op::EmptyList: return push(graph_.add(Kind::List, now_.offset));
      case Op::EmptyDict: return push(graph_.add(Kind::Dict, now_.offset));
      case Op::EmptySet: return push(graph_.add(Kind::Set, now_.offset));
      case Op::List: return fold_container(Kind::List, Change::Append);
      case Op::Dict: return fold_container(Kind::Dict, Change::SetItems);

      case Op::Append: return change_by(1, Change::Append);
      case Op::Appends: return change_by_marked(Change::Append);
      case Op::SetItem: return change_by(2, Change::SetItems);
      case Op::SetItems: return change_by_marked(Change::SetItems);
      case Op::AddItems: return change_by_marked(Change::AddItems);
      case Op::Build: return change_by(1, Change::Build);

      case Op::Put:
      case Op::BinPut:
      case Op::LongBinPut: return put(memo_index());
      case Op::Memoize: return put(memo_.count());
      case Op::Get:
      case Op::BinGet:
      case Op::LongBinGet: return get(memo_index());

      case Op::Global: return push(add_global());
      case Op::StackGlobal: return stack_global();
      case Op::Ext1:
      case Op::Ext2:
      case Op::Ext4: return push_ext();
      case Op::Reduce: return make_object(Kind::Reduce);
      case Op::NewObj: return make_object(Kind::NewObj);
      case Op::NewObjEx: return make_object_ex();
      case Op::Obj: return make_obj();
      case Op::Inst: return make_inst();
      case Op::PersId: return push_persistent_line();
      case Op::BinPersId: return push(graph_.add_persistent(pop(1)[0], now_.offset));

      case Op::Proto: return proto();
      case Op::Frame: return;  // the decoder's
      case Op::NextBuffer:
      case Op::ReadOnlyBuffer: return refuse_buffer();
    }
  }

  [[noreturn]] void fail(std::string message, Error::Kind kind = Error::Kind::Malformed) const {
    decoder_.fail_at(now_.offset, kind, std::move(message));
  }

  void warn(std::string message) {
    pickle_.warnings.push_back({decoder_.where(now_.offset), std::move(message)});
  }

  std::string_view name() const { return now_.info->name; }
  std::uint64_t bits() const { return static_cast<std::uint64_t>(now_.number); }

  // The stack.

  void push(NodeId node) { stack_.push(node); }

  NodeId top() {
    need(1);
    return stack_.top();
  }

  void need(std::size_t count) const {
    const std::size_t found = stack_.available();
    if (found < count) {
      fail(fmt::format("{} needs {}, the stack holds {}{}", name(), counted(count, "operand"),
                       found, stack_.marks() == 0 ? "" : " above its mark"));
    }
  }

  std::span<const NodeId> pop(std::size_t count) {
    need(count);
    return stack_.pop(count);
  }

  std::span<const NodeId> pop_marked() {
    if (stack_.marks() == 0) fail(fmt::format("{} needs a MARK, the stack has none", name()));
    const std::span<const NodeId> values = stack_.pop(stack_.available());
    stack_.pop_mark();
    return values;
  }

  void pop_value_or_mark() {
    if (stack_.available() > 0) {
      warn_of_lost_call(stack_.pop(1)[0]);
    } else if (stack_.marks() > 0) {
      stack_.pop_mark();
    } else {
      fail("POP on an empty stack");
    }
  }

  // setter(object, state) behind an object that stays: what copyreg calls a state setter. Objects
  // that contain themselves are discarded too, but leave memoised arguments.
  void warn_of_lost_call(NodeId popped) {
    if (pickle_.lost_call || stack_.available() == 0) return;
    if (graph_.kind(popped) != Kind::Reduce || graph_.memoised(graph_.args(popped))) return;
    const std::span<const NodeId> args = graph_.items(graph_.args(popped));
    if (args.size() != 2 || args[0] != stack_.top()) return;
    pickle_.lost_call = graph_.offset(popped);
    warn(
        fmt::format("POP discards what a call at {:#x} made of the object below: an edited pickle "
                    "would not call it",
                    graph_.offset(popped)));
  }

  void stop() { pickle_.root = pop(1)[0]; }

  void finish() {
    if (stack_.marks() > 0 || stack_.depth() > 0) {
      warn(fmt::format("STOP leaves {} and {} on the stack", counted(stack_.depth(), "value"),
                       counted(stack_.marks(), "mark")));
    }
    pickle_.size = decoder_.position();
    pickle_.protocol = protocol_ ? *protocol_ : highest_used();
  }

  unsigned highest_used() const {
    unsigned protocol = 0;
    for (const OpInfo& info : kOps) {
      if (pickle_.use(info.op).count > 0) protocol = std::max<unsigned>(protocol, info.protocol);
    }
    return protocol;
  }

  void expect(NodeId node, KindSet kinds, std::string_view role) const {
    if (!kinds.contains(graph_.kind(node))) {
      fail(fmt::format("{} with {} as {}", name(), with_article(graph_.kind(node)), role));
    }
  }

  // Scalars and text.

  void push_int_line() {
    if (now_.text == "00") return push(graph_.add(Kind::False, now_.offset));
    if (now_.text == "01") return push(graph_.add(Kind::True, now_.offset));
    push_digits(now_.text);
  }

  void push_long_line() {
    std::string_view digits = now_.text;
    if (digits.ends_with('L')) digits.remove_suffix(1);
    push_digits(digits);
  }

  void push_digits(std::string_view digits) {
    if (!is_decimal(digits)) {
      fail(fmt::format("{} argument {} is no decimal integer", name(), quote(now_.text)));
    }
    if (const std::optional<std::int64_t> value = parse_int(digits)) {
      return push(graph_.add_int(*value, now_.offset));
    }
    push(graph_.add_text(Kind::LongDigits, digits, now_.offset));
  }

  void push_long_bytes() {
    const std::string_view bytes = shortest_int_bytes(now_.text);
    if (bytes.size() <= 8) return push(graph_.add_int(int_from_bytes(bytes), now_.offset));
    push(graph_.add_text(Kind::LongBytes, bytes, now_.offset));
  }

  void push_float_line() {
    const std::optional<double> value = parse_float(now_.text);
    if (!value) fail(fmt::format("FLOAT argument {} is no double", quote(now_.text)));
    push(graph_.add_float(std::bit_cast<std::uint64_t>(*value), now_.offset));
  }

  void push_text(Kind kind) { push(graph_.add_text(kind, now_.text, now_.offset)); }

  void push_unicode() {
    if (!is_wtf8(now_.text)) {
      fail(fmt::format("{} text is not UTF-8: {}", name(), quote(now_.text)));
    }
    push_text(Kind::Str);
  }

  void push_string_line() {
    std::optional<std::string> text = unescape_string(now_.text);
    if (!text) fail(fmt::format("STRING argument {} is no quoted string", quote(now_.text)));
    push(graph_.add_decoded_text(Kind::ByteStr, std::move(*text), now_.offset));
  }

  void push_unicode_line() {
    std::optional<std::string> text = unescape_unicode(now_.text);
    if (!text) fail(fmt::format("UNICODE argument {} has a broken escape", quote(now_.text)));
    push(graph_.add_decoded_text(Kind::Str, std::move(*text), now_.offset));
  }

  // Containers.

  void push_sequence(Kind kind, std::span<const NodeId> items) {
    push(graph_.add_sequence(kind, items, now_.offset));
  }

  void fold_marked(Kind kind) { push_sequence(kind, pop_marked()); }

  void fold_frozen_set() {
    const std::span<const NodeId> items = pop_marked();
    check_hashable(items, 1, "an element of a frozenset");
    push_sequence(Kind::FrozenSet, items);
  }

  void fold_container(Kind kind, Change what) {
    const std::span<const NodeId> operands = pop_marked();
    check_operands(what, operands);
    const NodeId container = graph_.add(kind, now_.offset);
    if (!operands.empty()) graph_.mutate(container, what, operands);
    push(container);
  }

  void change_by(std::size_t count, Change what) {
    need(count + 1);
    change(what, stack_.pop(count));
  }

  void change_by_marked(Change what) {
    const std::span<const NodeId> operands = pop_marked();
    if (stack_.available() == 0) {
      fail(fmt::format("{} needs an object below its mark, there is none", name()));
    }
    change(what, operands);
  }

  void change(Change what, std::span<const NodeId> operands) {
    const NodeId target = stack_.top();
    expect(target, kTargets[static_cast<std::size_t>(what)], "its target");
    check_operands(what, operands);
    if (!operands.empty()) graph_.mutate(target, what, operands);
  }

  void check_operands(Change what, std::span<const NodeId> operands) const {
    if (what == Change::SetItems) {
      if (operands.size() % 2 != 0) {
        fail(fmt::format("{} with {}, keys and values come in pairs", name(),
                         counted(operands.size(), "operand")));
      }
      check_hashable(operands, 2, "a dict key");
    } else if (what == Change::AddItems) {
      check_hashable(operands, 1, "an element of a set");
    }
  }

  void check_hashable(std::span<const NodeId> values, std::size_t step,
                      std::string_view role) const {
    for (std::size_t i = 0; i < values.size(); i += step) {
      if (!graph_.hashable(values[i])) {
        fail(fmt::format("{} with {} as {}, which cannot be hashed", name(),
                         with_article(graph_.kind(values[i])), role));
      }
    }
  }

  // The memo.

  std::uint64_t memo_index() const {
    if (now_.info->argument != Argument::IntLine) return bits();
    const std::optional<std::uint64_t> index = parse_memo_index(now_.text);
    if (!index) fail(fmt::format("{} argument {} is no memo index", name(), quote(now_.text)));
    return *index;
  }

  void put(std::uint64_t index) {
    const NodeId node = top();
    graph_.set_memoised(node);
    memo_.put(index, node);
  }

  void get(std::uint64_t index) {
    const std::optional<NodeId> node = memo_.get(index);
    if (!node) fail(fmt::format("{} refers to memo slot {}, which was never set", name(), index));
    push(*node);
  }

  // Globals and objects.

  NodeId add_global() {
    check_name(now_.text, "module");
    check_name(now_.second, "qualified");
    return graph_.add_global({.module = now_.text, .name = now_.second}, now_.offset);
  }

  void check_name(std::string_view text, std::string_view role) const {
    check_not_empty(text, role);
    if (!is_utf8(text)) {
      fail(fmt::format("{} with a {} name that is not UTF-8: {}", name(), role, quote(text)));
    }
  }

  void check_not_empty(std::string_view text, std::string_view role) const {
    if (text.empty()) fail(fmt::format("{} with an empty {} name", name(), role));
  }

  // Looks at no byte of the names: the memo could hand out a long one again and again.
  void stack_global() {
    const std::span<const NodeId> names = pop(2);
    expect(names[0], kStr, "the module name");
    expect(names[1], kStr, "the qualified name");
    check_not_empty(graph_.text(names[0]), "module");
    check_not_empty(graph_.text(names[1]), "qualified");
    push(graph_.add_stack_global({.module = names[0], .name = names[1]}, now_.offset));
  }

  void push_ext() {
    if (now_.number <= 0) fail(fmt::format("{} with code {}, not positive", name(), now_.number));
    push(graph_.add_ext(now_.number, now_.offset));
  }

  void make_object(Kind kind) {
    const std::span<const NodeId> parts = pop(2);
    expect(parts[0], kCallables, kind == Kind::Reduce ? "the callable" : "the class");
    expect(parts[1], kTuples, "the arguments");
    push(graph_.add_object(kind, parts[0], parts[1], now_.offset));
  }

  void make_object_ex() {
    const std::span<const NodeId> parts = pop(3);
    expect(parts[0], kCallables, "the class");
    expect(parts[1], kTuples, "the arguments");
    expect(parts[2], kDicts, "the keyword arguments");
    push(graph_.add_object_ex(parts[0], parts[1], parts[2], now_.offset));
  }

  void make_obj() {
    const std::span<const NodeId> parts = pop_marked();
    if (parts.empty()) fail("OBJ without a class above its mark");
    const NodeId cls = parts.front();
    expect(cls, kCallables, "the class");
    const NodeId args = graph_.add_sequence(Kind::Tuple, parts.subspan(1), now_.offset);
    push(graph_.add_object(Kind::Obj, cls, args, now_.offset));
  }

  void make_inst() {
    const NodeId args = graph_.add_sequence(Kind::Tuple, pop_marked(), now_.offset);
    const NodeId cls = add_global();
    push(graph_.add_object(Kind::Obj, cls, args, now_.offset));
  }

  void push_persistent_line() {
    if (!is_ascii(now_.text)) {
      fail(fmt::format("PERSID argument {} is not ASCII", quote(now_.text)));
    }
    const NodeId id = graph_.add_text(Kind::Str, now_.text, now_.offset);
    push(graph_.add_persistent(id, now_.offset));
  }

  void proto() {
    if (bits() > kHighestProtocol) {
      fail(fmt::format("pickle protocol {}, the highest known is {}", bits(), kHighestProtocol),
           Error::Kind::Unsupported);
    }
    // Once each: a stream of nothing but PROTO would else be worth a warning for every two bytes.
    const std::uint32_t count = pickle_.use(Op::Proto).count;
    if (count == 1 && now_.offset != 0) warn("PROTO is not the first opcode");
    if (count == 2) warn(fmt::format("a second PROTO, {} after {}", bits(), *protocol_));
    protocol_ = static_cast<unsigned>(bits());
  }

  [[noreturn]] void refuse_buffer() const {
    fail(fmt::format("{}: the object lies in a buffer outside the pickle, which is not here",
                     name()),
         Error::Kind::Unsupported);
  }

  Decoder decoder_;
  Pickle pickle_;
  Graph& graph_;
  Memo memo_;
  Instruction now_;
  Stack stack_;
  std::optional<unsigned> protocol_;
};

}  // namespace

Pickle read_pickle(Bytes stream, const Where& origin) {
  // Nodes keep offsets in 32 bits.
  if (stream.size() > std::numeric_limits<std::uint32_t>::max()) {
    ByteReader(stream, origin).fail(Error::Kind::Limit, "a pickle of 4 GiB and more");
  }
  return Machine(stream, origin).run();
}

}  // namespace ptsd::pickle
