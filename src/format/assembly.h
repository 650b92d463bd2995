// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/limits.h"
#include "checkpoint/tensor_builder.h"
#include "format/loaded.h"
#include "format/storage_bytes.h"
#include "pickle/builder.h"
#include "pickle/machine.h"

namespace ptsd::format {

// A checkpoint put together here, of a container whose tensors are not described by one pickle
// alone: the graph is that which torch.save would have written of the same objects, so that
// everything above sees one kind of checkpoint. Storages are numbered from "0".
class Assembly {
 public:
  // `origin` names the file in errors.
  Assembly(Where origin, FileFacts facts);
  // Goes on from a graph that mentions storages "0", "1", ...: bind() gives them bytes, in order.
  Assembly(Where origin, FileFacts facts, std::unique_ptr<pickle::Pickle> graph);
  ~Assembly();

  pickle::Builder& builder() { return builder_; }
  checkpoint::TensorBuilder& tensors() { return tensors_; }
  FileFacts& facts() { return facts_; }

  // A persistent id for bytes of this dtype, whose number of elements their size tells.
  pickle::NodeId storage(tensor::DType dtype, std::unique_ptr<StorageBytes> bytes,
                         std::string_view location = "cpu");
  // A row-major tensor with a storage of its own.
  pickle::NodeId tensor(tensor::DType dtype, tensor::Dims shape,
                        std::unique_ptr<StorageBytes> bytes);
  // The key of a new storage, to be put into a persistent id.
  std::string bind(std::unique_ptr<StorageBytes> bytes);

  // Copies another checkpoint into this one; returns the copy of its root. Its storages get keys of
  // this one. Throws Error::Unsupported if its byte order is another. `lies_in_file`: what its
  // storages' offsets speak of is the file.
  pickle::NodeId adopt(std::unique_ptr<Loaded> part, bool lies_in_file = true);
  // The same for some of its values, with the sharing among them.
  std::vector<pickle::NodeId> adopt(std::unique_ptr<Loaded> part,
                                    std::span<const pickle::NodeId> values,
                                    bool lies_in_file = true);

  void warn(Warning warning) { warnings_.push_back(std::move(warning)); }
  // What the bytes of storages borrow, for as long as the checkpoint lives.
  void keep(std::shared_ptr<const void> owned) { kept_.push_back(std::move(owned)); }

  // The checkpoint with this root. Nothing may be added afterwards.
  std::unique_ptr<Loaded> finish(pickle::NodeId root, const Limits& limits);

 private:
  Where origin_;
  FileFacts facts_;
  std::unique_ptr<pickle::Pickle> pickle_;
  pickle::Builder builder_;
  checkpoint::TensorBuilder tensors_;
  std::vector<std::unique_ptr<StorageBytes>> storages_;  // by number
  std::vector<Warning> warnings_;
  std::vector<std::shared_ptr<const void>> kept_;
};

}  // namespace ptsd::format
