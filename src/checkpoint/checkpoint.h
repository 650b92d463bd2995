// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "base/error.h"
#include "base/limits.h"
#include "checkpoint/names.h"
#include "checkpoint/tensors.h"
#include "pickle/machine.h"

namespace ptsd::checkpoint {

// What a checkpoint is: the graph of its pickle, and the tensors and storages found in it. Where
// the bytes of a storage lie is the format's business. Borrows the stream; cannot be copied or
// moved, since its parts refer to one another.
class Checkpoint {
 public:
  // `origin` names the stream in errors.
  Checkpoint(Bytes stream, Where origin, const Limits& limits);
  // A graph that was built and not read: errors tell no offsets.
  Checkpoint(pickle::Pickle pickle, Where origin, const Limits& limits);
  Checkpoint(const Checkpoint&) = delete;
  Checkpoint& operator=(const Checkpoint&) = delete;

  const Where& origin() const { return origin_; }
  const Limits& limits() const { return limits_; }
  const pickle::Pickle& pickle() const { return pickle_; }
  const pickle::Graph& graph() const { return pickle_.graph; }
  // To be edited before it is written. Names and tensors go on speaking of what was read.
  pickle::Graph& graph() { return pickle_.graph; }
  pickle::NodeId root() const { return pickle_.root; }
  const Names& names() const { return names_; }
  const Tensors& tensors() const { return tensors_; }
  Tensors& tensors() { return tensors_; }
  std::string_view key(const Storage& storage) const { return graph().text(storage.key); }

  const std::vector<Warning>& warnings() const { return warnings_; }
  void warn(Warning warning) { warnings_.push_back(std::move(warning)); }

  // The place of a node in the stream.
  Where where(pickle::NodeId node) const;
  [[noreturn]] void fail_at(pickle::NodeId node, Error::Kind kind, std::string message) const;
  // About the file as a whole.
  [[noreturn]] void fail(Error::Kind kind, std::string message) const;

 private:
  Where origin_;
  Limits limits_;
  pickle::Pickle pickle_;
  std::vector<Warning> warnings_;
  Names names_;
  Tensors tensors_;
};

}  // namespace ptsd::checkpoint
