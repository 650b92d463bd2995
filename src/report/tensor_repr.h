// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "operation/payload.h"
#include "operation/view.h"
#include "report/repr_sink.h"

namespace ptsd::report {

struct ReprStyle {
  bool full = false;  // every element, however many there are
  // A part of a strided tensor instead of the whole: printed as a plain tensor.
  const operation::View* view = nullptr;
};

// The tensor as print() of PyTorch 2.13 shows it with its default options, once torch.load() has
// put it where the file says. Memory does not grow with the tensor: `sink` gets the text in pieces.
// A subclass with a __repr__ of its own is shown as one without.
//
// Throws what reading the payload does, Error::Malformed for components that do not fit together,
// and Error::Unsupported for elements in a form that cannot be read. Only a tensor that
// require_strided() accepts has views.
void write_repr(ReprSink& sink, const operation::Payload& payload, checkpoint::TensorId id,
                const ReprStyle& style);

// Throws Error::Usage, naming the tensor, unless parts of it can be shown.
void require_strided(const operation::Payload& payload, const checkpoint::Tensor& tensor,
                     std::string_view name);

}  // namespace ptsd::report
