// SPDX-License-Identifier: Apache-2.0
#include "operation/cast_source.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/quote.h"
#include "checkpoint/element_source.h"
#include "tensor/convert.h"

namespace ptsd::operation {
namespace {

std::uint64_t item_size_of(tensor::DType dtype) {
  return tensor::info(dtype).item_size;
}

class CastSource final : public checkpoint::ElementSource {
 public:
  CastSource(CastPlan plan, std::unique_ptr<ByteSource> storage)
      : checkpoint::ElementSource(item_size_of(plan.to), plan.count, std::move(storage)),
        plan_(std::move(plan)) {}

 private:
  void make(std::uint64_t first, std::span<std::byte> out) const override {
    constexpr std::uint64_t kBlock = 1 << 16;  // elements: source and result stay in the cache
    const std::uint64_t from = item_size_of(plan_.from);
    const std::uint64_t count = out.size() / item_size();
    std::vector<std::byte> block(std::min(count, kBlock) * from);
    for (std::uint64_t done = 0; done < count;) {
      const std::uint64_t now = std::min(count - done, kBlock);
      const std::span<std::byte> in(block.data(), now * from);
      storage().read((first + done) * from, in);
      const auto overflow = plan_.saturate ? tensor::Overflow::Saturate : tensor::Overflow::Keep;
      const std::uint64_t lost = tensor::convert(
          plan_.from, plan_.to, in, out.subspan(done * item_size(), now * item_size()), overflow);
      if (lost > 0 && !plan_.allow) fail_overflow();
      done += now;
    }
  }

  [[noreturn]] void fail_overflow() const {
    fail(Error::Kind::Conflict,
         fmt::format("{} holds values that {} cannot hold; --saturate makes them the "
                     "largest it has, --allow-inf infinite",
                     quote(plan_.name), tensor::name(plan_.to)));
  }

  CastPlan plan_;
};

}  // namespace

std::uint64_t CastDerivation::size() const {
  return plan_.count * item_size_of(plan_.to);
}

std::unique_ptr<ByteSource> CastDerivation::over(std::unique_ptr<ByteSource> storage) const {
  return std::make_unique<CastSource>(plan_, std::move(storage));
}

}  // namespace ptsd::operation
