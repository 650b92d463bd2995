// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "base/byte_source.h"
#include "checkpoint/checkpoint.h"

// A checkpoint about to be written: the graph of an input, edited, and where the bytes of its
// storages come from. Operations make drafts; a format writes them. Only what is not as in the
// input is said here: a storage without a Payload keeps the bytes of the record that its key names.

namespace ptsd::checkpoint {

// Makes the bytes of a storage from those of another. Borrows nothing.
class Derivation {
 public:
  virtual ~Derivation() = default;
  // Of the result, in bytes.
  virtual std::uint64_t size() const = 0;
  // The result, read as it is asked for; safe to read from several threads if `storage` is.
  virtual std::unique_ptr<ByteSource> over(std::unique_ptr<ByteSource> storage) const = 0;
};

struct Payload {
  std::size_t input = 0;  // which of the inputs, in the order of the command line
  StorageId storage{};    // of that input
  std::shared_ptr<const Derivation> derivation = {};  // null: the bytes as they are
};

struct Draft {
  Checkpoint& base;  // of the first input; its graph is edited, and the rest speaks of the input
  pickle::NodeId root{};
  bool pickle_changed = false;  // otherwise the pickle is copied byte for byte
  bool drop_unused = false;     // leave out the records that no tensor uses
  unsigned protocol = 0;        // to encode with
  // Takes the place of the input's graph, if set; `root` is in it.
  std::shared_ptr<const pickle::Graph> converted = {};
  std::unordered_map<std::string, Payload> payloads = {};  // by storage key
  // Keys of records that the container has and no storage of `base` uses.
  std::unordered_set<std::string> taken_keys = {};
  std::uint64_t next_key = 0;

  // A key for another storage, as torch numbers them, which nothing has; a new one for every call.
  std::string fresh_key();
  const pickle::Graph& graph() const { return converted ? *converted : base.graph(); }
};

}  // namespace ptsd::checkpoint
