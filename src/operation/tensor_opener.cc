// SPDX-License-Identifier: Apache-2.0
#include "operation/tensor_opener.h"

#include <algorithm>
#include <utility>

#include "base/crc32.h"
#include "checkpoint/elements.h"
#include "operation/view_limit.h"

namespace ptsd::operation {

using checkpoint::Tensor;
using checkpoint::Tensors;

namespace {

constexpr std::uint64_t kBlock = std::uint64_t{128} << 10;  // bytes

// A pass over a storage for the sake of its CRC.
class CrcPass final : public Chunked {
 public:
  explicit CrcPass(UncheckedSource storage) : storage_(std::move(storage)) {}

  std::uint64_t count() const override { return storage_.source->size(); }
  std::uint64_t item_size() const override { return 1; }
  void prepare(std::size_t chunks) override { crc_.prepare(chunks); }

  void run(const Chunk& chunk) override {
    std::vector<std::byte> block(std::min(chunk.count, kBlock));
    std::uint32_t crc = 0;
    for (std::uint64_t done = 0; done < chunk.count;) {
      const std::span<std::byte> part(block.data(), std::min(kBlock, chunk.count - done));
      storage_.source->read(chunk.first + done, part);
      crc = crc32(part, crc);
      done += part.size();
    }
    crc_.set(chunk.number, crc, chunk.count);
  }

  void finish() override { storage_.check(crc_.total()); }

 private:
  UncheckedSource storage_;
  ChunkedCrc crc_;
};

}  // namespace

std::uint32_t ChunkedCrc::total() const {
  std::uint32_t crc = 0;
  for (const Part& part : parts_) {
    crc = crc32_combine(crc, part.crc, part.size);
  }
  return crc;
}

void TensorElements::read(std::uint64_t first, std::span<std::byte> out) const {
  elements_->read(first * tensor::info(dtype_).item_size, out);
}

TensorElements TensorOpener::open(const Tensor& tensor) {
  const Tensors& tensors = payload_.checkpoint.tensors();
  const std::uint64_t bytes = tensors.byte_count(tensor);
  check_view_size(payload_.checkpoint, tensor, bytes);
  UncheckedSource storage = payload_.open_unchecked(*tensor.storage);
  const tensor::DTypeInfo& type = tensor::info(tensor.dtype);
  TensorElements opened;
  opened.dtype_ = tensor.dtype;
  opened.count_ = bytes / type.item_size;
  const bool contiguous = tensors.is_contiguous(tensor);
  const bool plain = contiguous && !payload_.big_endian && !tensor.conj && !tensor.neg;
  const bool whole = plain && tensor.offset == 0 && bytes == storage.source->size();
  const bool first = checked_.insert(*tensor.storage).second;
  if (first && storage.check && whole) {
    opened.check_ = std::move(storage.check);
  } else if (first && storage.check) {
    runner_.add(std::make_unique<CrcPass>(payload_.open_unchecked(*tensor.storage)));
  }
  opened.gathered_ = !contiguous;
  if (whole) {
    opened.elements_ = std::move(storage.source);
  } else if (type.elements_per_item == 1) {
    opened.elements_ =
        element_source(tensors, tensor, std::move(storage.source), payload_.big_endian);
  } else if (contiguous && tensor.offset == 0) {
    opened.elements_ = std::move(storage.source);
  } else {
    payload_.checkpoint.fail_at(tensor.node, Error::Kind::Unsupported,
                                "packed elements that do not lie at the storage's beginning, "
                                "one behind the other");
  }
  return opened;
}

}  // namespace ptsd::operation
