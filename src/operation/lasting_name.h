// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pickle/graph.h"

namespace ptsd::operation {

// What a global is called by the Python and the numpy of today, to compare it with one that others
// wrote: numpy 2 calls the modules of numpy.core numpy._core.
pickle::GlobalName lasting_name(pickle::GlobalName name);

}  // namespace ptsd::operation
