// SPDX-License-Identifier: Apache-2.0
#include "operation/state_entries.h"

#include <unordered_map>

namespace ptsd::operation {

std::vector<StateEntry> state_entries(const checkpoint::Checkpoint& checkpoint,
                                      const checkpoint::StateDict& state_dict) {
  const checkpoint::Tensors& tensors = checkpoint.tensors();
  std::vector<StateEntry> entries;
  std::unordered_map<std::string_view, std::size_t> numbers;
  const std::vector<checkpoint::Pair> pairs = entries_of(checkpoint, state_dict);
  entries.reserve(pairs.size());
  numbers.reserve(pairs.size());
  for (const checkpoint::Pair& pair : pairs) {
    StateEntry entry = {.name = checkpoint.graph().text(pair.key), .value = pair.value};
    if (const auto id = tensors.tensor_of(pair.value)) {
      entry.shape = tensors.shape(tensors[*id]);
      entry.dtype = tensors[*id].dtype;
    }
    const auto [found, added] = numbers.try_emplace(entry.name, entries.size());
    if (added) {
      entries.push_back(entry);
    } else {
      entries[found->second] = entry;
    }
  }
  return entries;
}

}  // namespace ptsd::operation
