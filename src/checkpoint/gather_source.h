// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "checkpoint/draft.h"

namespace ptsd::checkpoint {

struct Stride {
  std::uint64_t size = 0;  // steps
  std::uint64_t step = 0;  // elements of the source; 0: the same ones again

  bool operator==(const Stride&) const = default;
};

// Elements of a storage, in row-major order of the strides: the last runs fastest.
struct Piece {
  std::uint64_t offset = 0;  // elements
  std::vector<Stride> strides = {};

  std::uint64_t count() const;  // elements
};

// The elements of the pieces, one behind the other, as a storage of their own. Nothing is held:
// what is read is gathered from the source then, in memory of at most some MiB.
class GatherDerivation final : public Derivation {
 public:
  // Elements of 1, 2, 4, 8 or 16 bytes. The pieces lie in the source, and the bytes of all fit 64
  // bits.
  GatherDerivation(std::uint64_t item_size, std::vector<Piece> pieces);

  std::uint64_t size() const override { return count_ * item_size_; }
  std::unique_ptr<ByteSource> over(std::unique_ptr<ByteSource> storage) const override;

 private:
  std::uint64_t item_size_;  // bytes
  std::uint64_t count_ = 0;
  std::vector<Piece> pieces_;
};

// One derivation of what another makes.
class ChainDerivation final : public Derivation {
 public:
  using Step = std::shared_ptr<const Derivation>;

  ChainDerivation(Step first, Step second) : first_(std::move(first)), second_(std::move(second)) {}

  std::uint64_t size() const override { return second_->size(); }
  std::unique_ptr<ByteSource> over(std::unique_ptr<ByteSource> storage) const override {
    return second_->over(first_->over(std::move(storage)));
  }

 private:
  Step first_;
  Step second_;
};

}  // namespace ptsd::checkpoint
