// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/draft.h"

#include <fmt/format.h>

namespace ptsd::checkpoint {

std::string Draft::fresh_key() {
  std::string key;
  do {
    key = fmt::format("{}", next_key++);
  } while (base.tensors().find_storage(key) || payloads.contains(key) || taken_keys.contains(key));
  return key;
}

}  // namespace ptsd::checkpoint
