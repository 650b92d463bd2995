// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "pickle/opcodes.h"

// Writes pickles for tests, opcode by opcode and without any judgement: what comes out may be
// nonsense, which is the point.
//
//   pickle().proto(2).empty_dict().mark().binunicode("a").binint1(1).setitems().stop()

namespace ptsd::test {

class PickleAssembler {
 public:
  using Self = PickleAssembler&;

  // Anything that is not an opcode of its own below.
  Self op(pickle::Op op) { return u(static_cast<std::uint8_t>(op), 1); }
  Self raw(std::string_view bytes);
  Self raw(Bytes bytes) { return raw(as_text(bytes)); }

  Self mark() { return op(pickle::Op::Mark); }
  Self pop() { return op(pickle::Op::Pop); }
  Self pop_mark() { return op(pickle::Op::PopMark); }
  Self dup() { return op(pickle::Op::Dup); }
  Self proto(std::uint8_t version) { return op(pickle::Op::Proto).u(version, 1); }
  Self frame(std::uint64_t size) { return op(pickle::Op::Frame).u(size, 8); }

  Self none() { return op(pickle::Op::None); }
  Self newtrue() { return op(pickle::Op::NewTrue); }
  Self newfalse() { return op(pickle::Op::NewFalse); }
  Self int_line(std::string_view text) { return op(pickle::Op::Int).line(text); }
  Self binint(std::int32_t value) { return op(pickle::Op::BinInt).i32(value); }
  Self binint1(std::uint8_t value) { return op(pickle::Op::BinInt1).u(value, 1); }
  Self binint2(std::uint16_t value) { return op(pickle::Op::BinInt2).u(value, 2); }
  Self long_line(std::string_view text) { return op(pickle::Op::Long).line(text); }
  Self long1(std::string_view bytes) { return op(pickle::Op::Long1).counted(bytes, 1); }
  Self long4(std::string_view bytes) { return op(pickle::Op::Long4).counted(bytes, 4); }
  Self float_line(std::string_view text) { return op(pickle::Op::Float).line(text); }
  Self binfloat(double value);

  Self string_line(std::string_view text) { return op(pickle::Op::String).line(text); }
  Self binstring(std::string_view text) { return op(pickle::Op::BinString).counted(text, 4); }
  Self short_binstring(std::string_view text) {
    return op(pickle::Op::ShortBinString).counted(text, 1);
  }
  Self unicode_line(std::string_view text) { return op(pickle::Op::Unicode).line(text); }
  Self binunicode(std::string_view text) { return op(pickle::Op::BinUnicode).counted(text, 4); }
  Self short_binunicode(std::string_view text) {
    return op(pickle::Op::ShortBinUnicode).counted(text, 1);
  }
  Self binunicode8(std::string_view text) { return op(pickle::Op::BinUnicode8).counted(text, 8); }
  Self short_binbytes(std::string_view text) {
    return op(pickle::Op::ShortBinBytes).counted(text, 1);
  }
  Self binbytes(std::string_view text) { return op(pickle::Op::BinBytes).counted(text, 4); }
  Self binbytes8(std::string_view text) { return op(pickle::Op::BinBytes8).counted(text, 8); }
  Self bytearray8(std::string_view text) { return op(pickle::Op::ByteArray8).counted(text, 8); }

  Self empty_tuple() { return op(pickle::Op::EmptyTuple); }
  Self tuple() { return op(pickle::Op::Tuple); }
  Self tuple1() { return op(pickle::Op::Tuple1); }
  Self tuple2() { return op(pickle::Op::Tuple2); }
  Self tuple3() { return op(pickle::Op::Tuple3); }
  Self frozenset() { return op(pickle::Op::FrozenSet); }
  Self empty_list() { return op(pickle::Op::EmptyList); }
  Self list() { return op(pickle::Op::List); }
  Self append() { return op(pickle::Op::Append); }
  Self appends() { return op(pickle::Op::Appends); }
  Self empty_dict() { return op(pickle::Op::EmptyDict); }
  Self dict() { return op(pickle::Op::Dict); }
  Self setitem() { return op(pickle::Op::SetItem); }
  Self setitems() { return op(pickle::Op::SetItems); }
  Self empty_set() { return op(pickle::Op::EmptySet); }
  Self additems() { return op(pickle::Op::AddItems); }

  Self put(std::string_view text) { return op(pickle::Op::Put).line(text); }
  Self binput(std::uint8_t index) { return op(pickle::Op::BinPut).u(index, 1); }
  Self long_binput(std::uint32_t index) { return op(pickle::Op::LongBinPut).u(index, 4); }
  Self memoize() { return op(pickle::Op::Memoize); }
  Self get(std::string_view text) { return op(pickle::Op::Get).line(text); }
  Self binget(std::uint8_t index) { return op(pickle::Op::BinGet).u(index, 1); }
  Self long_binget(std::uint32_t index) { return op(pickle::Op::LongBinGet).u(index, 4); }

  Self global(std::string_view module, std::string_view name) {
    return op(pickle::Op::Global).line(module).line(name);
  }
  Self stack_global() { return op(pickle::Op::StackGlobal); }
  Self ext1(std::uint8_t code) { return op(pickle::Op::Ext1).u(code, 1); }
  Self ext2(std::uint16_t code) { return op(pickle::Op::Ext2).u(code, 2); }
  Self ext4(std::int32_t code) { return op(pickle::Op::Ext4).i32(code); }
  Self reduce() { return op(pickle::Op::Reduce); }
  Self newobj() { return op(pickle::Op::NewObj); }
  Self newobj_ex() { return op(pickle::Op::NewObjEx); }
  Self obj() { return op(pickle::Op::Obj); }
  Self inst(std::string_view module, std::string_view name) {
    return op(pickle::Op::Inst).line(module).line(name);
  }
  Self build() { return op(pickle::Op::Build); }
  Self persid(std::string_view id) { return op(pickle::Op::PersId).line(id); }
  Self binpersid() { return op(pickle::Op::BinPersId); }
  Self next_buffer() { return op(pickle::Op::NextBuffer); }
  Self readonly_buffer() { return op(pickle::Op::ReadOnlyBuffer); }

  // The stream with STOP at its end, and as it is.
  std::vector<std::byte> stop() { return op(pickle::Op::Stop).bytes(); }
  std::vector<std::byte> bytes() const;
  std::size_t size() const { return text_.size(); }

 private:
  Self u(std::uint64_t value, unsigned size);
  Self i32(std::int32_t value) { return u(static_cast<std::uint32_t>(value), 4); }
  Self line(std::string_view text) { return raw(text).raw("\n"); }
  Self counted(std::string_view text, unsigned size) { return u(text.size(), size).raw(text); }

  std::string text_;
};

inline PickleAssembler pickle() {
  return {};
}

}  // namespace ptsd::test
