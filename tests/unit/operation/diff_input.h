// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/crc32.h"
#include "operation/diff.h"
#include "unit/checkpoint/loading.h"

namespace ptsd::operation {

// Storages of float32, by their keys.
using Numbers = std::map<std::string, std::vector<float>>;

// A checkpoint with what its storages hold. Counts what is read and checked.
class DiffInput {
 public:
  explicit DiffInput(const test::Fragment& root, Numbers numbers = {}, const Limits& limits = {})
      : loading_(root, limits), numbers_(std::move(numbers)) {
    for (const auto& [key, values] : numbers_) {
      ids_.emplace(*checkpoint().tensors().find_storage(key), key);
    }
  }

  const checkpoint::Checkpoint& checkpoint() const { return loading_.checkpoint; }

  Payload payload() const {
    return {
        .checkpoint = checkpoint(),
        .open = [this](checkpoint::StorageId id) { return open(id); },
        .open_unchecked =
            [this](checkpoint::StorageId id) {
              return UncheckedSource{open(id), [this, id](std::uint32_t crc) { check(id, crc); }};
            }};
  }

  DiffSide side() const { return {.payload = payload(), .root = checkpoint().root()}; }

  // The storage has another CRC than the file says.
  std::string damaged = {};
  mutable std::map<std::string, int> checked = {};

 private:
  Bytes bytes(checkpoint::StorageId id) const {
    return std::as_bytes(std::span(numbers_.at(ids_.at(id))));
  }

  std::unique_ptr<ByteSource> open(checkpoint::StorageId id) const {
    const Bytes all = bytes(id);
    return std::make_unique<MemorySource>("m.pt", std::vector(all.begin(), all.end()));
  }

  void check(checkpoint::StorageId id, std::uint32_t crc) const {
    const std::string& key = ids_.at(id);
    ++checked[key];
    if (key == damaged || crc != crc32(bytes(id))) {
      throw Error(Error::Kind::Malformed, {}, "the CRC of " + key);
    }
  }

  checkpoint::Loading loading_;
  Numbers numbers_;
  std::map<checkpoint::StorageId, std::string> ids_;
};

}  // namespace ptsd::operation
