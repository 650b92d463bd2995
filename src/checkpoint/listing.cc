// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/listing.h"

#include <unordered_set>

#include <fmt/format.h>

#include "base/quote.h"
#include "checkpoint/python_repr.h"
#include "checkpoint/value.h"
#include "checkpoint/walk.h"

namespace ptsd::checkpoint {

using pickle::NodeId;

class Lister final : public Visitor {
 public:
  Lister(const Checkpoint& checkpoint, Want want)
      : checkpoint_(checkpoint), want_(want), listed_(checkpoint.tensors().count()) {}

  bool enter(std::string_view, NodeId) override { return true; }

  void leaf(std::string_view path, NodeId node, bool cycle) override {
    const std::optional<TensorId> tensor = checkpoint_.tensors().tensor_of(node);
    if (tensor) {
      listed_[index(*tensor)] = true;
      listing_.tensors_.push_back({.path = keep(path), .node = node, .tensor = *tensor});
    } else if (want_ == Want::Everything) {
      if (cycle) listing_.cycles_.push_back(static_cast<std::uint32_t>(listing_.others_.size()));
      listing_.others_.push_back({.path = keep(path), .node = node});
    }
  }

  bool is_value(std::string_view, NodeId node, std::optional<NodeId>& attributes) override {
    return is_listed_whole(checkpoint_, node, attributes);
  }

  // Once for each container, whatever the number of paths that lead to it.
  void repeated_key(std::string_view path, NodeId key) override {
    if (!repeated_.insert(key).second) return;
    listing_.warnings_.push_back(
        {checkpoint_.where(key),
         fmt::format("{}: key {} stands more than once, the last value counts", quote(path),
                     escape(abbreviate(repr(checkpoint_.names(), key))))});
  }

  // No tensor is left out in silence: not one that is only a dict key, nor one that the stream
  // makes and drops.
  void report_unlisted() {
    const Tensors& tensors = checkpoint_.tensors();
    for (std::size_t i = 0; i < listed_.size(); ++i) {
      const Tensor& tensor = tensors[TensorId{static_cast<std::uint32_t>(i)}];
      if (listed_[i] || tensor.inner) continue;
      listing_.warnings_.push_back({checkpoint_.where(tensor.node),
                                    "a tensor that no path leads to: it is part of a dict key, or "
                                    "the stream drops it"});
    }
  }

  Listing take() { return std::move(listing_); }

 private:
  std::string_view keep(std::string_view path) {
    const std::span<char> kept = listing_.text_.store(path);
    return {kept.data(), kept.size()};
  }

  const Checkpoint& checkpoint_;
  Want want_;
  Listing listing_;
  std::unordered_set<NodeId> repeated_;
  std::vector<bool> listed_;  // by tensor
};

bool is_listed_whole(const Checkpoint& checkpoint, NodeId node, std::optional<NodeId>& attributes) {
  const Tensors& tensors = checkpoint.tensors();
  const std::optional<TensorId> id = tensors.tensor_of(node);
  if (!id) return is_compound_value(checkpoint.names(), node);
  if (const TensorExtra* const extra = tensors.extra(tensors[*id])) attributes = extra->state;
  return true;
}

Listing list(const Checkpoint& checkpoint, NodeId root, Want want) {
  Lister lister(checkpoint, want);
  walk(checkpoint.names(), root, checkpoint.origin(), checkpoint.limits(), lister);
  if (root == checkpoint.root()) lister.report_unlisted();
  return lister.take();
}

}  // namespace ptsd::checkpoint
