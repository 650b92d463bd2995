// SPDX-License-Identifier: Apache-2.0
// What most unit tests include, parsed once for a folder of them; see src/precompiled.h.

#include <doctest/doctest.h>

#include "../../src/precompiled.h"
