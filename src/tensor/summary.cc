// SPDX-License-Identifier: Apache-2.0
#include "tensor/summary.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ptsd::tensor {

// Rounding leaves no spread among equal elements.

double Summary::mean() const {
  if (min == max) return static_cast<double>(min);
  return static_cast<double>(sum / static_cast<long double>(finite));
}

double Summary::standard_deviation() const {
  if (finite < 2) return std::numeric_limits<double>::quiet_NaN();
  if (min == max) return 0;
  return static_cast<double>(std::sqrt(squares / static_cast<long double>(finite - 1)));
}

// Squares as in Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing
// Sample Variances" (1979).
void Summary::merge(const Summary& other) {
  count += other.count;
  zeros += other.zeros;
  nan += other.nan;
  inf += other.inf;
  if (other.finite == 0) return;
  if (finite == 0) {
    min = other.min;
    max = other.max;
    sum = other.sum;
    squares = other.squares;
    finite = other.finite;
    return;
  }
  const auto mine = static_cast<long double>(finite);
  const auto others = static_cast<long double>(other.finite);
  const long double apart = other.sum / others - sum / mine;
  squares += other.squares + apart * apart * (mine * others / (mine + others));
  min = std::min(min, other.min);
  max = std::max(max, other.max);
  sum += other.sum;
  finite += other.finite;
}

}  // namespace ptsd::tensor
