// SPDX-License-Identifier: Apache-2.0
#include "tensor/differences.h"

#include <cmath>

namespace ptsd::tensor {
namespace {

void take_larger(std::optional<Extreme>& into, const std::optional<Extreme>& later) {
  if (later && (!into || is_larger(*later, *into))) into = later;
}

}  // namespace

bool is_larger(const Extreme& a, const Extreme& b) {
  if (std::isnan(b.value)) return false;
  return std::isnan(a.value) || a.value > b.value || a.magnitude > b.magnitude;
}

void Differences::merge(const Differences& later) {
  mismatched += later.mismatched;
  take_larger(max_abs, later.max_abs);
  take_larger(max_rel, later.max_rel);
}

}  // namespace ptsd::tensor
