// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/limits.h"
#include "checkpoint/draft.h"
#include "format/payload_writer.h"

namespace ptsd::format {

// A draft as a checkpoint of its own: what reading it would give, had it been written. Borrows the
// inputs.
std::unique_ptr<Loaded> settle(const checkpoint::Draft& draft, Inputs inputs, const Limits& limits);

}  // namespace ptsd::format
