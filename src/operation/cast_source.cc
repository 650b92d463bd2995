// SPDX-License-Identifier: Apache-2.0
#include "operation/cast_source.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/quote.h"
#include "tensor/convert.h"

namespace ptsd::operation {
namespace {

std::uint64_t item_size(tensor::DType dtype) {
  return tensor::info(dtype).item_size;
}

class CastSource final : public ByteSource {
 public:
  CastSource(CastPlan plan, std::unique_ptr<ByteSource> storage)
      : plan_(std::move(plan)), storage_(std::move(storage)) {}

  using ByteSource::read;
  const std::string& name() const override { return storage_->name(); }
  std::uint64_t size() const override { return plan_.count * item_size(plan_.to); }

  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    const std::uint64_t item = item_size(plan_.to);
    if (offset % item == 0 && out.size() % item == 0) {
      return convert(offset / item, out.size() / item, out);
    }
    // Around elements that are cut.
    const std::uint64_t first = offset / item;
    const std::uint64_t last = (offset + out.size() + item - 1) / item;
    std::vector<std::byte> whole((last - first) * item);
    convert(first, last - first, whole);
    const auto begin = whole.begin() + static_cast<std::ptrdiff_t>(offset - first * item);
    std::copy_n(begin, out.size(), out.begin());
  }

 private:
  void convert(std::uint64_t first, std::uint64_t count, std::span<std::byte> out) const {
    constexpr std::uint64_t kBlock = 1 << 16;  // elements: source and result stay in the cache
    const std::uint64_t from = item_size(plan_.from);
    const std::uint64_t to = item_size(plan_.to);
    std::vector<std::byte> block(std::min(count, kBlock) * from);
    for (std::uint64_t done = 0; done < count;) {
      const std::uint64_t now = std::min(count - done, kBlock);
      const std::span<std::byte> in(block.data(), now * from);
      storage_->read((first + done) * from, in);
      const auto overflow = plan_.saturate ? tensor::Overflow::Saturate : tensor::Overflow::Keep;
      const std::uint64_t lost =
          tensor::convert(plan_.from, plan_.to, in, out.subspan(done * to, now * to), overflow);
      if (lost > 0 && !plan_.allow) fail_overflow();
      done += now;
    }
  }

  [[noreturn]] void fail_overflow() const {
    storage_->fail(Error::Kind::Conflict,
                   fmt::format("{} holds values that {} cannot hold; --saturate makes them the "
                               "largest it has, --allow-inf infinite",
                               quote(plan_.name), tensor::name(plan_.to)));
  }

  CastPlan plan_;
  std::unique_ptr<ByteSource> storage_;
};

}  // namespace

std::uint64_t CastDerivation::size() const {
  return plan_.count * item_size(plan_.to);
}

std::unique_ptr<ByteSource> CastDerivation::over(std::unique_ptr<ByteSource> storage) const {
  return std::make_unique<CastSource>(plan_, std::move(storage));
}

}  // namespace ptsd::operation
