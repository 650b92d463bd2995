// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/fold_context.h"

#include <utility>

#include <fmt/format.h>

#include "base/quote.h"
#include "checkpoint/locate.h"
#include "pickle/kind_names.h"

namespace ptsd::checkpoint {

using pickle::Kind;
using pickle::NodeId;

Where FoldContext::where() const {
  Where place = origin_;
  if (graph().stream().empty()) return place;
  place.offset = origin_.offset.value_or(0) + graph().offset(current_);
  return place;
}

std::string FoldContext::subject() const {
  const std::optional<std::string> path = locate(names_, root_, current_);
  return path ? quote(*path) + ": " : "";
}

void FoldContext::fail(std::string message, Error::Kind kind) const {
  throw Error(kind, where(), subject() + message);
}

void FoldContext::warn(std::string message) {
  // To find the path takes a walk through the graph: only the first few are worth it.
  constexpr unsigned kMostPaths = 16;
  const std::string path = warned_++ < kMostPaths ? subject() : "";
  warnings_.push_back({where(), path + message});
}

std::string FoldContext::describe(NodeId node) const {
  const Kind kind = graph().kind(node);
  if (kind == Kind::Int) return fmt::format("{}", graph().int_value(node));
  if (kind == Kind::LongBytes || kind == Kind::LongDigits) return "an int of more than 64 bits";
  if (kind == Kind::Global) {
    const pickle::GlobalName name = graph().global(node);
    return quote(fmt::format("{}.{}", name.module, name.name));
  }
  return pickle::with_article(kind);
}

std::uint64_t FoldContext::count(NodeId node, std::string_view what,
                                 std::optional<std::string_view> of) const {
  if (graph().kind(node) != Kind::Int || graph().int_value(node) < 0) {
    const std::string name = of ? fmt::format("{} {}", what, quote(*of)) : std::string(what);
    fail(fmt::format("{} is {}, expected an int from 0 to 2^63", name, describe(node)));
  }
  return static_cast<std::uint64_t>(graph().int_value(node));
}

bool FoldContext::boolean(NodeId node, std::string_view what) const {
  const Kind kind = graph().kind(node);
  if (kind != Kind::True && kind != Kind::False) {
    fail(fmt::format("{} is {}, expected a bool", what, describe(node)));
  }
  return kind == Kind::True;
}

std::string_view FoldContext::text(NodeId node, std::string_view what) const {
  constexpr pickle::KindSet kText(Kind::Str, Kind::ByteStr, Kind::Bytes);
  if (!kText.contains(graph().kind(node))) {
    fail(fmt::format("{} is {}, expected a str", what, describe(node)));
  }
  return graph().text(node);
}

tensor::DType FoldContext::dtype(NodeId node) const {
  const KnownGlobal known = names_.known(node);
  if (known.what != Known::DType) {
    fail(fmt::format("dtype is {}, expected a torch.dtype", describe(node)));
  }
  return known.dtype;
}

std::string FoldContext::device(NodeId node) const {
  // torch.device("cuda", 0), or its text.
  if (names_.maker(node).what != Known::Device) return std::string(text(node, "device"));
  const NodeSpan args = graph().items(graph().args(node));
  if (args.empty() || args.size() > 2) fail("a torch.device takes 1 or 2 arguments");
  std::string device(text(args[0], "device type"));
  if (args.size() == 2) device += fmt::format(":{}", count(args[1], "device index"));
  return device;
}

std::string FoldContext::layout(NodeId node) const {
  const bool is_layout = names_.maker(node).what == Known::GetLayout;
  const NodeSpan args = is_layout ? graph().items(graph().args(node)) : NodeSpan();
  if (args.size() != 1) fail(fmt::format("layout is {}, expected a torch.layout", describe(node)));
  return std::string(text(args[0], "layout"));
}

NodeSpan FoldContext::tuple(NodeId node, std::string_view what) const {
  if (graph().kind(node) != Kind::Tuple) {
    fail(fmt::format("{} is {}, expected a tuple", what, describe(node)));
  }
  return graph().items(node);
}

NodeSpan FoldContext::sequence(NodeId node, std::string_view what) {
  if (names_.maker(node).what == Known::Size) {
    const NodeSpan args = graph().items(graph().args(node));
    if (args.empty()) return {};
    if (args.size() != 1) fail("torch.Size takes one argument");
    node = args[0];
  }
  if (graph().kind(node) != Kind::List) return tuple(node, what);
  warn(fmt::format("{} is a list, torch writes a tuple", what));
  list_items_.clear();
  for (const pickle::Mutation& mutation : graph().mutations(node)) {
    list_items_.insert(list_items_.end(), mutation.operands.begin(), mutation.operands.end());
  }
  return list_items_;
}

tensor::Dims FoldContext::dims(NodeId node, std::string_view what) {
  const NodeSpan items = sequence(node, what);
  if (items.size() > limits_.dimensions) {
    fail(fmt::format("{} has {} dimensions, the limit is {} (--limit dimensions=N)", what,
                     items.size(), limits_.dimensions),
         Error::Kind::Limit);
  }
  numbers_.clear();
  for (const NodeId item : items) {
    if (graph().kind(item) != Kind::Int || graph().int_value(item) < 0) {
      fail(fmt::format("{}[{}] is {}, expected an int from 0 to 2^63", what, numbers_.size(),
                       describe(item)));
    }
    numbers_.push_back(graph().int_value(item));
  }
  return numbers_;
}

}  // namespace ptsd::checkpoint
