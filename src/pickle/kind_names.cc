// SPDX-License-Identifier: Apache-2.0
#include "pickle/kind_names.h"

#include <array>

namespace ptsd::pickle {

std::string_view type_name(Kind kind) {
  static constexpr auto kNames = std::to_array<std::string_view>({"NoneType",
                                                                  "bool",
                                                                  "bool",
                                                                  "int",
                                                                  "int",
                                                                  "int",
                                                                  "float",
                                                                  "str",
                                                                  "str",
                                                                  "bytes",
                                                                  "bytearray",
                                                                  "tuple",
                                                                  "frozenset",
                                                                  "list",
                                                                  "dict",
                                                                  "set",
                                                                  "global",
                                                                  "extension code",
                                                                  "persistent object",
                                                                  "object",
                                                                  "object",
                                                                  "object",
                                                                  "object"});
  static_assert(kNames.size() == static_cast<std::size_t>(Kind::Obj) + 1);
  return kNames[static_cast<std::size_t>(kind)];
}

std::string with_article(Kind kind) {
  if (kind == Kind::None) return "None";
  const std::string_view name = type_name(kind);
  const bool vowel = std::string_view("aeio").find(name.front()) != std::string_view::npos;
  return (vowel ? "an " : "a ") + std::string(name);
}

}  // namespace ptsd::pickle
