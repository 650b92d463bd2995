// SPDX-License-Identifier: Apache-2.0
#include "operation/totals.h"

#include <algorithm>
#include <tuple>

#include "tensor/layout.h"

namespace ptsd::operation {

using checkpoint::Checkpoint;
using checkpoint::Entry;
using checkpoint::Listing;
using checkpoint::Storage;
using checkpoint::StorageId;
using checkpoint::Tensor;
using checkpoint::TensorId;
using checkpoint::Tensors;

namespace {

// The bytes of its storage that a tensor reaches, from the first to the last.
struct Reach {
  std::uint32_t storage;
  std::uint64_t begin;
  std::uint64_t end;
};

std::uint64_t size_of(const Storage& storage) {
  return storage.count * storage.item_size();
}

Reach reach_of(const Tensors& tensors, const Tensor& tensor) {
  const tensor::DTypeInfo& type = tensor::info(tensor.dtype);
  const auto storage = static_cast<std::uint32_t>(*tensor.storage);
  if (type.elements_per_item > 1) return {storage, 0, size_of(tensors[*tensor.storage])};
  const std::uint64_t end =
      *tensor::end_element(tensor.offset, tensors.shape(tensor), tensors.stride(tensor));
  if (end == 0) return {storage, 0, 0};
  return {storage, tensor.offset * type.item_size, end * type.item_size};
}

}  // namespace

Totalizer::Totalizer(const Checkpoint& checkpoint)
    : checkpoint_(checkpoint), counted_(checkpoint.tensors().storage_count()) {}

void Totalizer::add(const Entry& entry) {
  const Tensors& tensors = checkpoint_.tensors();
  const Tensor& tensor = tensors[*entry.tensor];
  const std::uint64_t parameters = tensors.element_count(tensor);
  const std::uint64_t bytes = tensors.byte_count(tensor);
  DTypeTotals& of_type = totals_.by_dtype[static_cast<std::size_t>(tensor.dtype)];
  for (DTypeTotals* const totals : {&totals_.all, &of_type}) {
    ++totals->tensors;
    totals->parameters += parameters;
    totals->bytes += bytes;
  }
  tensors.each_storage(*entry.tensor, [&](StorageId id) {
    if (counted_[index(id)]) return;
    counted_[index(id)] = true;
    totals_.storage_bytes += size_of(tensors[id]);
  });
}

Totals Totalizer::finish() {
  totals_.unused_bytes = unused_bytes();
  return totals_;
}

std::uint64_t Totalizer::unused_bytes() const {
  const Tensors& tensors = checkpoint_.tensors();
  // Nearly every tensor covers its storage; only the others need sorting.
  std::vector<bool> settled(counted_.size());
  std::vector<Reach> partial;
  for (std::size_t i = 0; i < tensors.count(); ++i) {
    const Tensor& tensor = tensors[TensorId{static_cast<std::uint32_t>(i)}];
    if (!tensor.storage || !counted_[index(*tensor.storage)]) continue;
    const Reach reach = reach_of(tensors, tensor);
    const bool whole = reach.begin == 0 && reach.end == size_of(tensors[*tensor.storage]);
    if (whole) {
      settled[reach.storage] = true;
    } else {
      partial.push_back(reach);
    }
  }
  std::ranges::sort(partial, {}, [](const Reach& r) { return std::tuple(r.storage, r.begin); });
  std::uint64_t unused = 0;
  for (std::size_t i = 0; i < counted_.size(); ++i) {
    const StorageId id{static_cast<std::uint32_t>(i)};
    if (counted_[i] && !settled[i]) unused += size_of(tensors[id]);
  }
  std::uint64_t covered_to = 0;
  for (std::size_t i = 0; i < partial.size(); ++i) {
    const Reach& reach = partial[i];
    if (settled[reach.storage]) continue;
    if (i == 0 || partial[i - 1].storage != reach.storage) covered_to = 0;
    const std::uint64_t begin = std::max(reach.begin, covered_to);
    if (reach.end > begin) unused -= reach.end - begin;
    covered_to = std::max(covered_to, reach.end);
  }
  return unused;
}

Sharing::Sharing(const Checkpoint& checkpoint, const Listing& listing)
    : begins_(checkpoint.tensors().storage_count() + 1) {
  const auto each_use = [&](const auto& use) {
    for (std::size_t i = 0; i < listing.tensors().size(); ++i) {
      checkpoint.tensors().each_storage(*listing.tensors()[i].tensor, [&](StorageId id) {
        use(index(id), static_cast<std::uint32_t>(i));
      });
    }
  };
  // Counting sort by storage: sizes, then places, then the numbers themselves.
  each_use([&](std::size_t storage, std::uint32_t) { ++begins_[storage + 1]; });
  for (std::size_t i = 1; i < begins_.size(); ++i) {
    begins_[i] += begins_[i - 1];
  }
  users_.resize(begins_.back());
  std::vector<std::uint32_t> next(begins_.begin(), begins_.end() - 1);
  each_use([&](std::size_t storage, std::uint32_t entry) { users_[next[storage]++] = entry; });
}

std::span<const std::uint32_t> Sharing::users(StorageId storage) const {
  const std::size_t begin = begins_[index(storage)];
  return std::span(users_).subspan(begin, begins_[index(storage) + 1] - begin);
}

std::vector<std::vector<std::uint32_t>> tied_groups(const Checkpoint& checkpoint,
                                                    const Listing& listing,
                                                    const Sharing& sharing) {
  const Tensors& tensors = checkpoint.tensors();
  const auto view = [&](std::uint32_t entry) {
    const Tensor& tensor = tensors[*listing.tensors()[entry].tensor];
    return std::tuple(tensor.storage, tensor.offset, tensor.shape, tensor.stride, tensor.dtype);
  };
  std::vector<std::vector<std::uint32_t>> groups;
  for (std::size_t i = 0; i < tensors.storage_count(); ++i) {
    const auto users = sharing.users(StorageId{static_cast<std::uint32_t>(i)});
    if (users.size() < 2 || tensors[StorageId{static_cast<std::uint32_t>(i)}].count == 0) continue;
    std::vector<std::uint32_t> sorted(users.begin(), users.end());
    std::ranges::stable_sort(sorted, {}, view);
    for (auto first = sorted.begin(); first != sorted.end();) {
      const auto last = std::find_if(
          first, sorted.end(), [&](std::uint32_t entry) { return view(entry) != view(*first); });
      if (last - first > 1) groups.emplace_back(first, last);
      first = last;
    }
  }
  std::ranges::sort(groups, {}, [](const auto& group) { return group.front(); });
  return groups;
}

}  // namespace ptsd::operation
