// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_source.h"
#include "pickle/machine.h"

namespace ptsd::format {

// A pickle that lies in a file, before other things: numbers, text and containers, and nothing
// that a loader would look up or call.
class PlainPickle {
 public:
  enum class Globals : bool { Refused, Allowed };  // names, still without calls

  // The pickle that begins at `offset` (bytes). `what` it is of is for errors: Malformed, or what
  // pickle::read_stream() throws.
  PlainPickle(const ByteSource& source, std::uint64_t offset, std::uint64_t most,
              std::string_view what, Globals globals = Globals::Refused);
  PlainPickle(const PlainPickle&) = delete;
  PlainPickle& operator=(const PlainPickle&) = delete;

  const pickle::Graph& graph() const { return pickle_.graph; }
  pickle::NodeId root() const { return pickle_.root; }
  std::uint64_t end() const { return *origin_.offset + bytes_.size(); }
  // The root in a few words.
  std::string shown() const;
  [[noreturn]] void fail(std::string message) const;

 private:
  Where origin_;
  std::vector<std::byte> bytes_;
  pickle::Pickle pickle_;
};

}  // namespace ptsd::format
