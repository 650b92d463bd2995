// SPDX-License-Identifier: Apache-2.0
#include "operation/same_elements.h"

#include <algorithm>
#include <memory>
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
