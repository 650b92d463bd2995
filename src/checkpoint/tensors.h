// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/limits.h"
#include "base/segmented.h"
#include "checkpoint/dims_pool.h"
#include "checkpoint/names.h"
#include "checkpoint/storage.h"
#include "checkpoint/storage_keys.h"
#include "checkpoint/tensor.h"

// The storages and tensors of one graph, inner ones too, in the order in which the stream makes
// them. Every claim the pickle makes of a tensor has been checked: kinds of arguments, sizes and
// strides not negative, no product that wraps, no element outside its storage.

namespace ptsd::checkpoint {

class Tensors {
 public:
  std::size_t count() const { return tensors_.size(); }
  std::size_t storage_count() const { return storages_.size(); }
  const Tensor& operator[](TensorId id) const { return tensors_[index(id)]; }
  Storage& operator[](StorageId id) { return storages_[index(id)]; }
  const Storage& operator[](StorageId id) const { return storages_[index(id)]; }

  // The tensor that this node is, if it is one.
  std::optional<TensorId> tensor_of(pickle::NodeId node) const;
  // The storage that this persistent id names, if it is one.
  std::optional<StorageId> storage_of(pickle::NodeId node) const;

  tensor::Dims shape(const Tensor& tensor) const { return dims_[tensor.shape]; }
  tensor::Dims stride(const Tensor& tensor) const { return dims_[tensor.stride]; }
  // Null for most.
  const TensorExtra* extra(const Tensor& tensor) const;
  // Logical elements and bytes; a nested tensor counts those of its buffer.
  std::uint64_t element_count(const Tensor& tensor) const;
  std::uint64_t byte_count(const Tensor& tensor) const;
  // Whether the elements lie in row-major order, one behind the other.
  bool is_contiguous(const Tensor& tensor) const;

  std::optional<StorageId> find_storage(std::string_view key) const { return keys_.find(key); }

  // Calls `use` for the storage of the tensor, and for those of its components.
  template <class Use>
  void each_storage(TensorId id, const Use& use) const {
    const Tensor& tensor = (*this)[id];
    if (tensor.storage) use(*tensor.storage);
    const TensorExtra* const more = extra(tensor);
    if (more == nullptr) return;
    for (const Component& part : more->components) {
      each_storage(part.tensor, use);  // folding allows three levels
    }
  }

 private:
  friend class StorageFolder;
  friend class TensorFolder;
  friend Tensors fold_tensors(const Names&, pickle::NodeId, const Where&, const Limits&,
                              std::vector<Warning>&);

  // A node that an edit added is neither.
  std::uint32_t number_of(pickle::NodeId node) const {
    return pickle::index(node) < numbers_.size() ? numbers_[pickle::index(node)] : 0;
  }

  // By node, from 1; 0: neither a tensor nor a storage.
  std::vector<std::uint32_t> numbers_;
  SegmentedVector<Storage> storages_;
  SegmentedVector<Tensor> tensors_;
  std::deque<TensorExtra> extras_;
  DimsPool dims_;
  StorageKeys keys_;
};

// "cpu", "cuda:0", "meta".
std::string_view device_of(const Tensors& tensors, const pickle::Graph& graph,
                           const Tensor& tensor);

// Throws Error::Malformed naming the tensor, the dimension and the value; Error::Unsupported for
// forms that are understood but cannot be read yet.
Tensors fold_tensors(const Names& names, pickle::NodeId root, const Where& origin,
                     const Limits& limits, std::vector<Warning>& warnings);

}  // namespace ptsd::checkpoint
