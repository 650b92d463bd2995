// SPDX-License-Identifier: Apache-2.0
#include "operation/same_elements.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "checkpoint/elements.h"

namespace ptsd::operation {
namespace {

std::unique_ptr<ByteSource> source_of(const Elements& elements) {
  const ByteSource& storage = elements.storage;
  return element_source(elements.tensors, elements.tensor,
                        std::make_unique<RangeSource>(storage, 0, storage.size()), false);
}

}  // namespace

bool same_elements(const Elements& a, const Elements& b) {
  return same_bytes(*source_of(a), *source_of(b));
}

bool same_bytes(const ByteSource& a, const ByteSource& b) {
  constexpr std::uint64_t kBlock = std::uint64_t{1} << 20;
  if (a.size() != b.size()) return false;
  std::vector<std::byte> left(std::min(a.size(), kBlock));
  std::vector<std::byte> right(left.size());
  for (std::uint64_t offset = 0; offset < a.size(); offset += left.size()) {
    left.resize(std::min(a.size() - offset, kBlock));
    right.resize(left.size());
    a.read(offset, std::span(left));
    b.read(offset, std::span(right));
    if (left != right) return false;
  }
  return true;
}

}  // namespace ptsd::operation
