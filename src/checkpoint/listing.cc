// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/listing.h"

#include <fmt/format.h>

#include "base/quote.h"
#include "checkpoint/python_repr.h"
#include "checkpoint/value.h"
#include "checkpoint/walk.h"

namespace ptsd::checkpoint {

using pickle::NodeId;

class Lister final : public Visitor {
 public:
  Lister(const Checkpoint& checkpoint, Want want) : checkpoint_(checkpoint), want_(want) {}

  bool enter(std::string_view, NodeId) override { return true; }

  void leaf(std::string_view path, NodeId node, bool cycle) override {
    const std::optional<TensorId> tensor = checkpoint_.tensors().tensor_of(node);
    if (tensor) {
      listing_.tensors_.push_back({.path = keep(path), .node = node, .tensor = tensor});
    } else if (want_ == Want::Everything) {
      listing_.others_.push_back({.path = keep(path), .node = node, .cycle = cycle});
    }
  }

  bool is_value(NodeId node, std::optional<NodeId>& attributes) override {
    const Tensors& tensors = checkpoint_.tensors();
    if (const std::optional<TensorId> id = tensors.tensor_of(node)) {
      const TensorExtra* const extra = tensors.extra(tensors[*id]);
      if (extra != nullptr) attributes = extra->state;
      return true;
    }
    return is_compound_value(checkpoint_.names(), node);
  }

  void repeated_key(std::string_view path, NodeId key) override {
    listing_.warnings_.push_back(
        {checkpoint_.where(key),
         fmt::format("{}: key {} stands more than once, the last value counts", quote(path),
                     escape(repr(checkpoint_.names(), key)))});
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
};

Listing list(const Checkpoint& checkpoint, NodeId root, Want want) {
  Lister lister(checkpoint, want);
  walk(checkpoint.names(), root, checkpoint.origin(), checkpoint.limits(), lister);
  return lister.take();
}

}  // namespace ptsd::checkpoint
