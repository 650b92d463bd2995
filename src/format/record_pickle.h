// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/names.h"
#include "format/assembly.h"
#include "format/zip_archive.h"
#include "pickle/graph_copier.h"
#include "pickle/machine.h"

namespace ptsd::format {

// The records of an archive that hold storages: "data/<key>". A key means one storage, whichever
// pickle names it.
struct StorageRecords {
  std::string folder;                                         // "data/"
  std::string suffix = {};                                    // ".storage"
  std::map<std::string, std::string, std::less<>> keys = {};  // there, in the assembly
  std::set<const container::Member*> used = {};
};

// One pickle of an archive that holds several, copied into an assembly. The dialect of PyTorch's
// C++ pickler (torch/csrc/jit/serialization/pickler.cpp) becomes the forms that Python's torch.save
// writes of the same values: lists and dicts without their type tags, sparse tensors, storages of
// dtypes that have no class in Python.
class RecordPickle {
 public:
  // Reads a record. Borrows the archive, the storages and the assembly. Throws Error::Malformed.
  RecordPickle(const ZipArchive& archive, std::string_view record, StorageRecords& storages,
               Assembly& assembly, const Limits& limits);
  RecordPickle(const RecordPickle&) = delete;
  RecordPickle& operator=(const RecordPickle&) = delete;

  // What was read.
  const pickle::Graph& graph() const { return pickle_.graph; }
  pickle::NodeId root() const { return pickle_.root; }
  bool is_tensor(pickle::NodeId node) const;
  // Puts what was read into the assembly.
  pickle::NodeId copy(pickle::NodeId node) { return copier_.copy(node); }

  [[noreturn]] void fail(pickle::NodeId node, std::string message,
                         Error::Kind kind = Error::Kind::Malformed) const;

 private:
  using NodeSpan = std::span<const pickle::NodeId>;

  void translate();
  void translate_storage(pickle::NodeId node);
  void translate_call(pickle::NodeId node);
  void translate_tensor(pickle::NodeId node);
  void translate_sparse(pickle::NodeId node);
  tensor::DType dtype_of(pickle::NodeId node, pickle::NodeId cls) const;
  std::string_view text_of(pickle::NodeId node, pickle::NodeId text) const;
  std::string key_of(pickle::NodeId node, pickle::NodeId key) const;
  // The key of the storage in the assembly.
  std::string bind(pickle::NodeId node, const std::string& key, std::uint64_t size);

  const ZipArchive& archive_;
  std::string record_;
  StorageRecords& storages_;
  Assembly& assembly_;
  Limits limits_;
  std::vector<std::byte> stream_;
  pickle::Pickle pickle_;
  checkpoint::Names names_;
  pickle::GraphCopier copier_;
  std::map<pickle::NodeId, tensor::DType> classless_;  // storages, by what names them
};

}  // namespace ptsd::format
