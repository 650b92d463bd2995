// SPDX-License-Identifier: Apache-2.0
// What most files include, parsed once for a library: a quarter of the time that a build takes. It
// is no umbrella: nobody includes it but its like for the unit tests, and each file still says what
// it needs (-Db_pch=false compiles).

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>
