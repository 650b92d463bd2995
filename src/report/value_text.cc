// SPDX-License-Identifier: Apache-2.0
#include "report/value_text.h"

#include <variant>

#include <fmt/format.h>

#include "base/quote.h"
#include "checkpoint/python_repr.h"
#include "checkpoint/value.h"
#include "report/tensor_text.h"

namespace ptsd::report {

using checkpoint::Value;
using pickle::Kind;

namespace {

std::string text_of(std::monostate, bool) {
  return "";
}
std::string text_of(bool value, bool) {
  return value ? "True" : "False";
}
std::string text_of(std::int64_t value, bool) {
  return fmt::format("{}", value);
}
std::string text_of(double value, bool) {
  return checkpoint::repr(value);
}
std::string text_of(const std::string& value, bool is_str) {
  return is_str ? checkpoint::repr_str(value) : value;
}
std::string text_of(const std::vector<std::int64_t>& value, bool) {
  return shape_text(value);
}

std::string_view empty_container(Kind kind) {
  switch (kind) {
    case Kind::None: return "None";
    case Kind::Tuple: return "()";
    case Kind::List: return "[]";
    case Kind::Dict: return "{}";
    default: return "";
  }
}

}  // namespace

std::string value_text(const checkpoint::Names& names, pickle::NodeId node, std::size_t longest) {
  const Value value = checkpoint::value_of(names, node);
  if (std::holds_alternative<std::monostate>(value.value)) {
    return std::string(empty_container(names.graph().kind(node)));
  }
  const std::string text =
      std::visit([&](const auto& held) { return text_of(held, value.is_str); }, value.value);
  return escape_repr(abbreviate(text, longest));
}

}  // namespace ptsd::report
