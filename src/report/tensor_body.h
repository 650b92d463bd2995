// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "operation/excerpt.h"
#include "operation/values.h"
#include "report/repr_sink.h"

namespace ptsd::report {

inline constexpr std::size_t kLineWidth = 80;  // characters, PyTorch's default

// The numbers of a tensor in nested brackets, as PyTorch prints them behind `indent` characters.
// Reads the values twice, block by block. `values` may be nothing where the excerpt is empty.
void write_body(ReprSink& sink, const operation::Excerpt& excerpt, const operation::Values& values,
                std::size_t indent);

}  // namespace ptsd::report
