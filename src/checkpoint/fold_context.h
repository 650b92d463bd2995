// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/limits.h"
#include "checkpoint/names.h"
#include "checkpoint/tensors.h"

// What folding a node into a tensor or a storage needs: the graph, checked readers for the kinds
// of argument that torch pickles, and errors that name the place twice: the offset in the pickle,
// and the path of the tensor in the checkpoint.

namespace ptsd::checkpoint {

using NodeSpan = std::span<const pickle::NodeId>;

class FoldContext {
 public:
  FoldContext(const Names& names, pickle::NodeId root, const Where& origin, const Limits& limits,
              std::vector<Warning>& warnings)
      : names_(names), root_(root), origin_(origin), limits_(limits), warnings_(warnings) {}

  const Names& names() const { return names_; }
  const pickle::Graph& graph() const { return names_.graph(); }

  // The node that errors are about, until the next call.
  void begin(pickle::NodeId node) { current_ = node; }
  [[noreturn]] void fail(std::string message, Error::Kind kind = Error::Kind::Malformed) const;
  void warn(std::string message);

  // `what` names the argument: "storage offset"; `of` is the key or name of what it belongs to.
  std::uint64_t count(pickle::NodeId node, std::string_view what,
                      std::optional<std::string_view> of = {}) const;
  bool boolean(pickle::NodeId node, std::string_view what) const;
  std::string_view text(pickle::NodeId node, std::string_view what) const;
  tensor::DType dtype(pickle::NodeId node) const;
  std::string device(pickle::NodeId node) const;
  std::string layout(pickle::NodeId node) const;
  NodeSpan tuple(pickle::NodeId node, std::string_view what) const;
  // Sizes or strides: a tuple, a torch.Size, or (as torch takes it too) a list. Good until the
  // next call.
  tensor::Dims dims(pickle::NodeId node, std::string_view what);
  // "an int", "a torch.FloatStorage" for messages.
  std::string describe(pickle::NodeId node) const;

 private:
  NodeSpan sequence(pickle::NodeId node, std::string_view what);
  Where where() const;
  std::string subject() const;

  const Names& names_;
  pickle::NodeId root_;
  const Where& origin_;
  const Limits& limits_;
  std::vector<Warning>& warnings_;
  unsigned warned_ = 0;
  pickle::NodeId current_{};
  std::vector<std::int64_t> numbers_;
  std::vector<pickle::NodeId> list_items_;
};

}  // namespace ptsd::checkpoint
