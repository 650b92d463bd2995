// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "format/open.h"
#include "operation/diff.h"
#include "operation/payload.h"

// What an opened file gives to operations that read elements. Both borrow it.

namespace ptsd::command {

operation::Payload payload_of(const format::Opened& opened);
operation::DiffSide side_of(const format::Opened& opened);

}  // namespace ptsd::command
