// SPDX-License-Identifier: Apache-2.0
#include "operation/totals.h"

#include <algorithm>
#include <compare>
#include <iterator>
#include <optional>
#include <tuple>

#include "base/checked.h"
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

std::optional<StorageId> first_storage(const Tensors& tensors, TensorId id) {
  std::optional<StorageId> first;
  tensors.each_storage(id, [&](StorageId storage) { first = first.value_or(storage); });
  return first;
}

// Orders tensors by what they read and how; 0 for two that read the same numbers the same way. As
// deep as components go.
std::strong_ordering compare_views(const Tensors& tensors, TensorId a, TensorId b) {
  if (a == b) return std::strong_ordering::equal;
  const auto geometry = [](const Tensor& t) {
    return std::tuple(t.storage, t.offset, t.shape, t.stride, t.dtype, t.conj, t.neg);
  };
  const auto order = geometry(tensors[a]) <=> geometry(tensors[b]);
  if (order != 0) return order;
  const auto components = [&](TensorId id) {
    const checkpoint::TensorExtra* const extra = tensors.extra(tensors[id]);
    return extra == nullptr ? std::span<const checkpoint::Component>() : extra->components;
  };
  const auto parts = components(a);
  const auto others = components(b);
  for (std::size_t i = 0; i < std::min(parts.size(), others.size()); ++i) {
    const auto inner = compare_views(tensors, parts[i].tensor, others[i].tensor);
    if (inner != 0) return inner;
  }
  return parts.size() <=> others.size();
}

[[noreturn]] void fail_total() {
  throw Error(Error::Kind::Limit, {}, "more than 2^64 elements or bytes in total");
}

// Views of one number can have any number of elements.
void add_checked(std::uint64_t& sum, std::uint64_t count) {
  const auto total = checked_add(sum, count);
  if (!total) fail_total();
  sum = *total;
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
    add_checked(totals->parameters, parameters);
    add_checked(totals->bytes, bytes);
  }
  tensors.each_storage(*entry.tensor, [&](StorageId id) {
    if (counted_[index(id)]) return;
    counted_[index(id)] = true;
    add_checked(totals_.storage_bytes, size_of(tensors[id]));
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
  const auto tensor_of = [&](std::uint32_t entry) { return *listing.tensors()[entry].tensor; };
  std::vector<std::vector<std::uint32_t>> groups;
  for (std::size_t i = 0; i < tensors.storage_count(); ++i) {
    const StorageId storage{static_cast<std::uint32_t>(i)};
    const auto users = sharing.users(storage);
    if (users.size() < 2 || tensors[storage].count == 0) continue;
    // A tensor of several storages has its place with the first of them.
    std::vector<std::uint32_t> sorted;
    std::ranges::copy_if(users, std::back_inserter(sorted), [&](std::uint32_t entry) {
      return first_storage(tensors, tensor_of(entry)) == storage;
    });
    // std::ranges::unique of libstdc++ 12 does not compile with clang 14.
    sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
    const auto order = [&](std::uint32_t a, std::uint32_t b) {
      return compare_views(tensors, tensor_of(a), tensor_of(b));
    };
    std::ranges::stable_sort(sorted,
                             [&](std::uint32_t a, std::uint32_t b) { return order(a, b) < 0; });
    for (auto first = sorted.begin(); first != sorted.end();) {
      const auto last = std::find_if(
          first, sorted.end(), [&](std::uint32_t entry) { return order(entry, *first) != 0; });
      if (last - first > 1) groups.emplace_back(first, last);
      first = last;
    }
  }
  std::ranges::sort(groups, {}, [](const auto& group) { return group.front(); });
  return groups;
}

}  // namespace ptsd::operation
