// SPDX-License-Identifier: Apache-2.0
#include "operation/same_elements.h"

#include <algorithm>
#include <vector>

namespace ptsd::operation {
namespace {

constexpr std::uint64_t kBlock = std::uint64_t{1} << 16;  // elements

// Hands out the elements of a tensor in row-major order, a block at a time.
class ElementReader {
 public:
  explicit ElementReader(const Elements& elements)
      : elements_(elements),
        item_size_(tensor::info(elements.tensor.dtype).item_size),
        contiguous_(elements.tensors.is_contiguous(elements.tensor)),
        index_(elements.tensors.shape(elements.tensor).size()),
        next_(elements.tensor.offset) {}

  std::uint64_t item_size() const { return item_size_; }

  void read(std::span<std::byte> out) {
    if (contiguous_) {
      elements_.storage.read(next_ * item_size_, out);
      next_ += out.size() / item_size_;
      return;
    }
    for (std::size_t at = 0; at < out.size(); at += item_size_) {
      elements_.storage.read(next_ * item_size_, out.subspan(at, item_size_));
      advance();
    }
  }

 private:
  void advance() {
    const tensor::Dims shape = elements_.tensors.shape(elements_.tensor);
    const tensor::Dims stride = elements_.tensors.stride(elements_.tensor);
    for (std::size_t i = index_.size(); i-- > 0;) {
      next_ += static_cast<std::uint64_t>(stride[i]);
      if (++index_[i] < shape[i]) return;
      next_ -= static_cast<std::uint64_t>(stride[i] * shape[i]);
      index_[i] = 0;
    }
  }

  const Elements& elements_;
  std::uint64_t item_size_;
  bool contiguous_;
  std::vector<std::int64_t> index_;
  std::uint64_t next_;  // element of the storage
};

}  // namespace

bool same_elements(const Elements& a, const Elements& b) {
  ElementReader left(a);
  ElementReader right(b);
  const std::uint64_t bytes = a.tensors.byte_count(a.tensor);
  const std::uint64_t block = kBlock * left.item_size();
  std::vector<std::byte> mine(std::min(bytes, block));
  std::vector<std::byte> other(mine.size());
  for (std::uint64_t done = 0; done < bytes;) {
    const std::uint64_t now = std::min(bytes - done, block);
    left.read(std::span(mine).first(now));
    right.read(std::span(other).first(now));
    if (!std::equal(mine.begin(), mine.begin() + static_cast<std::ptrdiff_t>(now), other.begin())) {
      return false;
    }
    done += now;
  }
  return true;
}

bool same_bytes(const ByteSource& a, const ByteSource& b) {
  if (a.size() != b.size()) return false;
  bool same = true;
  std::uint64_t offset = 0;
  std::vector<std::byte> other;
  each_block(a, 0, a.size(), [&](Bytes block) {
    other.resize(block.size());
    b.read(offset, std::span(other));
    same = same && std::ranges::equal(block, other);
    offset += block.size();
  });
  return same;
}

}  // namespace ptsd::operation
