// SPDX-License-Identifier: Apache-2.0
#include "report/tensor_text.h"

#include <fmt/format.h>

#include "base/quote.h"
#include "report/numbers.h"

namespace ptsd::report {

using checkpoint::Tensor;
using checkpoint::TensorExtra;
using checkpoint::TensorKind;

void append_name(std::string& out, std::string_view path) {
  if (path.empty()) {
    out += "''";
  } else {
    append_escaped(out, path);
  }
}

std::string shape_text(tensor::Dims dims) {
  std::string text = "[";
  for (const std::int64_t dim : dims) {
    if (text.size() > 1) text += ", ";
    text += dim < 0 ? "?" : fmt::format("{}", dim);
  }
  return text + "]";
}

const std::string& TensorText::shape(checkpoint::DimsId dims, tensor::Dims sizes) {
  const auto [found, added] = shapes_.try_emplace(static_cast<std::uint32_t>(dims));
  if (added) found->second = shape_text(sizes);
  return found->second;
}

const std::string& TensorText::bytes(const Tensor& tensor) {
  const std::uint64_t bytes = tensors_.byte_count(tensor);
  const auto [found, added] = bytes_.try_emplace(bytes);
  if (added) found->second = exact_bytes_ ? fmt::format("{}", bytes) : human_bytes(bytes);
  return found->second;
}

void TensorText::append_type(std::string& out, const Tensor& tensor) const {
  out += tensor::name(tensor.dtype);
  const TensorExtra* const extra = tensors_.extra(tensor);
  if (extra != nullptr && !extra->layout.empty()) {
    std::string_view layout = extra->layout;
    if (layout.starts_with("torch.")) layout.remove_prefix(6);
    out += ' ';
    out += escape(layout);
  } else if (tensor.kind == TensorKind::Nested || tensor.kind == TensorKind::Meta) {
    out += ' ';
    out += checkpoint::to_string(tensor.kind);
  }
  if (tensor.kind == TensorKind::Subclass && extra != nullptr && !extra->type.name.empty()) {
    out += ' ';
    out += escape(extra->type.name);
  }
}

}  // namespace ptsd::report
