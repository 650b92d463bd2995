// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "operation/values.h"
#include "report/output.h"

namespace ptsd::report {

// Elements of a shape as nested arrays of JSON, written as they are read: numbers with all their
// digits, NaN and the infinities as strings, complex numbers as [real, imaginary].
// Without values, as for an empty tensor, "[]".
void write_elements_json(Output& output, tensor::Dims shape, const operation::Values& values);

}  // namespace ptsd::report
