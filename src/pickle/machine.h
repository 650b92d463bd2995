// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "pickle/graph.h"
#include "pickle/opcodes.h"

// The second of the two steps that read a pickle: instructions to a graph of objects. Nothing is
// imported, called or executed: GLOBAL is a name, REDUCE a node that keeps its parts. Every opcode
// checks how many operands there are and of which kinds; what CPython would refuse is refused with
// the opcode and its offset. Refused besides: out-of-band buffers (their bytes are not in the
// stream) and numbers that Python's own readers disagree about.

namespace ptsd::pickle {

// How often an opcode stands in the stream, and where first.
struct OpUse {
  std::uint32_t count = 0;
  std::uint32_t first = 0;  // offset in bytes
};

struct Pickle {
  explicit Pickle(Bytes stream) : graph(stream) {}

  Graph graph;
  NodeId root{};
  unsigned protocol = 0;   // declared by PROTO, else the highest that an opcode needs
  std::uint64_t size = 0;  // bytes up to and including STOP; more may follow in the stream
  std::array<OpUse, 256> op_uses = {};
  std::vector<Warning> warnings;
  // Of a call whose result the stream drops for what it did to an object: the graph has no place
  // for it, so what is encoded from it would not make that call.
  std::optional<std::uint64_t> lost_call = {};  // offset in bytes

  const OpUse& use(Op op) const { return op_uses[static_cast<std::uint8_t>(op)]; }
};

// Reads one pickle from the start of `stream`, which the result borrows. `origin` names it in
// errors. Throws Error::Malformed, Error::Unsupported, or Error::Limit for 4 GiB and more.
Pickle read_pickle(Bytes stream, const Where& origin);

}  // namespace ptsd::pickle
