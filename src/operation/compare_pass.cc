// SPDX-License-Identifier: Apache-2.0
#include "operation/compare_pass.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "base/crc32.h"
#include "tensor/compare.h"
#include "tensor/promote.h"

namespace ptsd::operation {
namespace {

// Bytes of one side that are read at once: both sides stay in the second-level cache.
constexpr std::uint64_t kBlock = std::uint64_t{128} << 10;
constexpr std::uint64_t kGatheredBlock = std::uint64_t{2} << 20;

// Memory that is not zeroed first.
class Buffer {
 public:
  explicit Buffer(std::uint64_t size) : bytes_(std::make_unique_for_overwrite<std::byte[]>(size)) {}
  std::span<std::byte> first(std::uint64_t size) const { return {bytes_.get(), size}; }

 private:
  std::unique_ptr<std::byte[]> bytes_;
};

// One of the two tensors.
class Side {
 public:
  Side(TensorElements elements, tensor::DType dtype)
      : elements_(std::move(elements)), dtype_(dtype) {}

  const TensorElements& elements() const { return elements_; }
  std::uint64_t item_size() const { return tensor::info(elements_.dtype()).item_size; }
  void prepare(std::size_t chunks) { crc_.prepare(chunks); }
  void set_crc(const Chunk& chunk, std::uint32_t crc) {
    crc_.set(chunk.number, crc, chunk.count * item_size());
  }
  void finish() const {
    if (elements_.wants_crc()) elements_.check(crc_.total());
  }

  // The elements in the dtype of the comparison; `converted` is where, if that is another.
  Bytes in_common(Bytes block, std::vector<std::byte>& converted) const {
    if (elements_.dtype() == dtype_) return block;
    converted.resize(block.size() / item_size() * tensor::info(dtype_).item_size);
    tensor::convert_promoted(elements_.dtype(), dtype_, block, converted);
    return converted;
  }

 private:
  TensorElements elements_;
  tensor::DType dtype_;
  ChunkedCrc crc_;
};

class ComparePass final : public Chunked {
 public:
  ComparePass(TensorElements a, TensorElements b, const ComparePlan& plan,
              tensor::Differences& result)
      : a_(std::move(a), plan.dtype), b_(std::move(b), plan.dtype), plan_(plan), result_(result) {
    bytes_suffice_ = a_.elements().dtype() == b_.elements().dtype() &&
                     tensor::equal_bytes_suffice(plan.dtype, plan.rules);
    const bool gathered = a_.elements().is_gathered() || b_.elements().is_gathered();
    block_ = (gathered ? kGatheredBlock : kBlock) / std::max(a_.item_size(), b_.item_size());
  }

  std::uint64_t count() const override { return a_.elements().count(); }
  std::uint64_t item_size() const override { return a_.item_size() + b_.item_size(); }

  void prepare(std::size_t chunks) override {
    found_.assign(chunks, {});
    a_.prepare(chunks);
    b_.prepare(chunks);
  }

  void run(const Chunk& chunk) override {
    const std::uint64_t most = std::min(block_, chunk.count);
    const Buffer a(most * a_.item_size());
    const Buffer b(most * b_.item_size());
    Crcs crcs;
    for (std::uint64_t done = 0; done < chunk.count && !stopped();) {
      const std::uint64_t now = std::min(most, chunk.count - done);
      const std::uint64_t first = chunk.first + done;
      const std::span<std::byte> left = a.first(now * a_.item_size());
      const std::span<std::byte> right = b.first(now * b_.item_size());
      a_.elements().read(first, left);
      b_.elements().read(first, right);
      const bool same =
          left.size() == right.size() && std::memcmp(left.data(), right.data(), left.size()) == 0;
      follow(crcs, left, right, same);
      if (!same || !bytes_suffice_) compare(first, left, right, found_[chunk.number]);
      done += now;
    }
    a_.set_crc(chunk, crcs.a);
    b_.set_crc(chunk, crcs.b);
  }

  void finish() override {
    for (const tensor::Differences& found : found_) {
      result_.merge(found);
    }
    // What was skipped has no CRC.
    if (stopped()) return;
    a_.finish();
    b_.finish();
  }

 private:
  struct Crcs {
    std::uint32_t a = 0;
    std::uint32_t b = 0;
  };

  bool stopped() const { return plan_.stop != nullptr && *plan_.stop; }

  // As long as both sides are the same, so are their CRCs.
  void follow(Crcs& crcs, Bytes left, Bytes right, bool same) const {
    const bool one = same && crcs.a == crcs.b;
    const std::uint32_t before = crcs.b;
    if (a_.elements().wants_crc()) crcs.a = crc32(left, crcs.a);
    if (!b_.elements().wants_crc()) return;
    crcs.b = one && a_.elements().wants_crc() ? crcs.a : crc32(right, before);
  }

  void compare(std::uint64_t first, Bytes left, Bytes right, tensor::Differences& found) const {
    std::vector<std::byte> converted_left;
    std::vector<std::byte> converted_right;
    tensor::compare(plan_.dtype, a_.in_common(left, converted_left),
                    b_.in_common(right, converted_right), first, plan_.rules, found);
    if (plan_.stop != nullptr && found.mismatched > 0) *plan_.stop = true;
  }

  Side a_;
  Side b_;
  ComparePlan plan_;
  tensor::Differences& result_;
  bool bytes_suffice_ = false;
  std::uint64_t block_ = 0;  // elements
  std::vector<tensor::Differences> found_;
};

}  // namespace

std::unique_ptr<Chunked> compare_pass(TensorElements a, TensorElements b, const ComparePlan& plan,
                                      tensor::Differences& result) {
  return std::make_unique<ComparePass>(std::move(a), std::move(b), plan, result);
}

}  // namespace ptsd::operation
