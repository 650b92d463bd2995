// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "checkpoint/draft.h"
#include "format/payload_writer.h"
#include "pickle/machine.h"

namespace ptsd::format {

// The pickle of a draft for a container that it does not come from.
struct Repacked {
  std::unique_ptr<pickle::Pickle> pickle;     // built, not read
  std::vector<checkpoint::Payload> storages;  // by key: "0", "1", ...
};

// Keys become the numbers in which the pickle mentions the storages first; a persistent id has the
// five items of torch.save's archives, and a class that was one is named as a global. Throws
// Error::Conflict for a key that the draft gives no bytes.
Repacked repack(const checkpoint::Draft& draft);

}  // namespace ptsd::format
