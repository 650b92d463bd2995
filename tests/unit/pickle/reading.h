// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "pickle/machine.h"
#include "support/pickle_assembler.h"
#include "support/refusal.h"
#include "unit/pickle/describe.h"

namespace ptsd::pickle {

using test::pickle;

// A pickle and the stream that it borrows, read as the member "p" of no file.
struct Read {
  explicit Read(std::vector<std::byte> bytes)
      : stream(std::move(bytes)), pickle(read_pickle(stream, Where{.member = "p"})) {}

  const Graph& graph() const { return pickle.graph; }
  NodeId root() const { return pickle.root; }

  std::vector<std::byte> stream;
  Pickle pickle;
};

// The object in the stream, as describe() writes it.
inline std::string read(std::vector<std::byte> stream) {
  const Read result(std::move(stream));
  return describe(result.graph(), result.root());
}

// The text of the error that reading the stream ends with; empty if it does not.
inline std::string refusal(const std::vector<std::byte>& stream) {
  return test::refused([&] { read_pickle(stream, Where{.member = "p"}); });
}

// L = []; t = (L,); L.append(t); pickle.dumps(t, 2)
inline std::vector<std::byte> tuple_in_itself() {
  return pickle()
      .proto(2)
      .empty_list()
      .binput(0)
      .binget(0)
      .tuple1()
      .binput(1)
      .append()
      .pop()
      .binget(1)
      .stop();
}

// The first warning, with its place; empty if there is none.
inline std::string warning(const std::vector<std::byte>& stream) {
  const Pickle result = read_pickle(stream, Where{.member = "p"});
  if (result.warnings.empty()) return "";
  return to_string(result.warnings.front().where) + ": " + result.warnings.front().message;
}

}  // namespace ptsd::pickle
