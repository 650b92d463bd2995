// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "operation/same_value.h"

namespace ptsd::operation {

// Whether what two containers hold under paths of one spelling has the same keys there: 1 and '1'
// are spelled alike where the other is not beside it. Items that only one container has do not
// count.
bool same_keys(const ValueOf& a, const ValueOf& b);

}  // namespace ptsd::operation
