// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "base/byte_source.h"
#include "operation/chunked.h"
#include "operation/payload.h"

// The elements of the tensors of one input, for those who compute from them, on several threads.
// Every storage that is read is checked against its CRC, once: along the way where a tensor shows
// all of it, in a pass of its own where not.

namespace ptsd::operation {

// The CRC of a run of bytes from those of its chunks.
class ChunkedCrc {
 public:
  void prepare(std::size_t chunks) { parts_.assign(chunks, {}); }
  void set(std::size_t chunk, std::uint32_t crc, std::uint64_t size) {
    parts_[chunk] = {crc, size};
  }
  std::uint32_t total() const;

 private:
  struct Part {
    std::uint32_t crc = 0;
    std::uint64_t size = 0;  // bytes
  };

  std::vector<Part> parts_;
};

// A strided tensor, opened.
class TensorElements {
 public:
  tensor::DType dtype() const { return dtype_; }
  std::uint64_t count() const { return count_; }  // storage elements
  // Whether elements are gathered from places apart: larger blocks are worth their memory then.
  bool is_gathered() const { return gathered_; }
  // From the element `first` on, in row-major order; whole elements.
  void read(std::uint64_t first, std::span<std::byte> out) const;

  // Whether the reader is to compute the CRC of all elements, and to call check() with it.
  bool wants_crc() const { return static_cast<bool>(check_); }
  void check(std::uint32_t crc) const { check_(crc); }

 private:
  friend class TensorOpener;

  tensor::DType dtype_{};
  std::uint64_t count_ = 0;
  bool gathered_ = false;
  std::unique_ptr<ByteSource> elements_;
  std::function<void(std::uint32_t)> check_;
};

class TensorOpener {
 public:
  // Both are borrowed.
  TensorOpener(const Payload& payload, ChunkedRunner& runner)
      : payload_(payload), runner_(runner) {}

  // Of a tensor with a storage. Throws Error::Limit for a view that shows far more elements than
  // its storage holds, Error::Unsupported for packed elements that lie apart.
  TensorElements open(const checkpoint::Tensor& tensor);

 private:
  const Payload& payload_;
  ChunkedRunner& runner_;
  std::set<checkpoint::StorageId> checked_;
};

}  // namespace ptsd::operation
