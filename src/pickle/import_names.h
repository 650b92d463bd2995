// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pickle/graph.h"

namespace ptsd::pickle {

// The Python 3 spelling of a global. Picklers write protocols 0 to 2 with Python 2's names, and
// unpicklers map them back (Lib/_compat_pickle.py); torch adds torch.tensor -> torch._tensor.
// Names that have only one spelling come back as they are.
GlobalName canonical(GlobalName name);

}  // namespace ptsd::pickle
