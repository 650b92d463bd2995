// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace ptsd::file {

// Lets this process have as many files open as the system allows it. A checkpoint of 1,024 ranks
// has more than the 1,024 that are usual.
void raise_open_limit();

}  // namespace ptsd::file
