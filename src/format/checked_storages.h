// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <set>
#include <span>
#include <utility>

#include "base/byte_source.h"
#include "format/loaded.h"

namespace ptsd::format {

using Inputs = std::span<const Loaded* const>;  // in the order of the command line

// The storages of several inputs, for one who opens some of them often: the CRC of each is checked
// when it is opened first, and then no more. A whole model can lie in one. Borrows the inputs.
class CheckedStorages {
 public:
  explicit CheckedStorages(Inputs inputs) : inputs_(inputs) {}

  Inputs inputs() const { return inputs_; }

  std::unique_ptr<ByteSource> open(std::size_t input, checkpoint::StorageId storage) {
    if (checked_.emplace(input, storage).second) return inputs_[input]->open_storage(storage);
    return inputs_[input]->open_unchecked(storage).source;
  }

 private:
  Inputs inputs_;
  std::set<std::pair<std::size_t, checkpoint::StorageId>> checked_;
};

}  // namespace ptsd::format
