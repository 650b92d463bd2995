// SPDX-License-Identifier: Apache-2.0
#include "operation/lasting_name.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "pickle/import_names.h"

namespace ptsd::operation {
namespace {

constexpr std::string_view kOld = "numpy.core.";
constexpr std::string_view kNew = "numpy._core.";

// Those that pickles name.
constexpr auto kModules = std::to_array<std::string_view>({
    "numpy._core._internal",
    "numpy._core._multiarray_umath",
    "numpy._core.memmap",
    "numpy._core.multiarray",
    "numpy._core.numeric",
    "numpy._core.records",
});

}  // namespace

pickle::GlobalName lasting_name(pickle::GlobalName name) {
  name = pickle::canonical(name);
  if (!name.module.starts_with(kOld)) return name;
  const std::string_view rest = name.module.substr(kOld.size());
  const auto* const found = std::ranges::find(
      kModules, rest, [](std::string_view module) { return module.substr(kNew.size()); });
  if (found != kModules.end()) name.module = *found;
  return name;
}

}  // namespace ptsd::operation
