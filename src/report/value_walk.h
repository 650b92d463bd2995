// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "checkpoint/walk.h"

namespace ptsd::report {

// Goes through a value as a tree: every container is opened and closed, what is in it comes
// between. Labels are the segments of paths. What a cycle leads back to is a leaf; depth and number
// of values are bounded by the limits of the checkpoint.
class ValueWalk : private checkpoint::Visitor {
 public:
  // Throws Error::Limit, before anything is opened or shown.
  void run(const checkpoint::Checkpoint& checkpoint, pickle::NodeId root);

 protected:
  struct Leaf {
    std::string_view label;  // empty for the root
    pickle::NodeId node;
    bool is_root = false;
    bool cycle = false;           // a container that this is in
    bool has_attributes = false;  // which follow, until close()
  };

  // How many containers are open.
  std::size_t depth() const { return frames_.size(); }

 private:
  struct Frame {
    std::string path;
    bool is_module;
  };

  virtual void open(const Leaf& container) = 0;
  virtual void show(const Leaf& leaf) = 0;
  virtual void close() = 0;

  bool enter(std::string_view path, pickle::NodeId node) final;
  void leaf(std::string_view path, pickle::NodeId node, bool cycle) final;
  bool is_value(std::string_view path, pickle::NodeId node,
                std::optional<pickle::NodeId>& attributes) final;
  void repeated_key(std::string_view, pickle::NodeId) final {}

  void close_until(std::string_view path);
  void push(std::string_view path, bool is_module);
  Leaf at(std::string_view path, pickle::NodeId node) const;

  const checkpoint::Checkpoint* checkpoint_ = nullptr;
  std::vector<Frame> frames_;
  bool has_attributes_ = false;
};

}  // namespace ptsd::report
