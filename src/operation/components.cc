// SPDX-License-Identifier: Apache-2.0
#include "operation/components.h"

#include <string>

#include "operation/values.h"

namespace ptsd::operation {

using checkpoint::Tensor;

const Tensor* find_component(const checkpoint::Tensors& tensors, const Tensor& tensor,
                             std::string_view role) {
  const checkpoint::TensorExtra* const extra = tensors.extra(tensor);
  if (extra == nullptr) return nullptr;
  for (const checkpoint::Component& component : extra->components) {
    if (component.role == role) return &tensors[component.tensor];
  }
  return nullptr;
}

const Tensor& dense_component(const Payload& payload, const Tensor& tensor, std::string_view role) {
  const Tensor* const found = find_component(payload.checkpoint.tensors(), tensor, role);
  if (found == nullptr || !has_elements(payload, *found)) {
    payload.checkpoint.fail_at(tensor.node, Error::Kind::Unsupported,
                               "a tensor whose " + std::string(role) + " are no plain tensor");
  }
  return *found;
}

std::uint64_t specified_count(const Payload& payload, const Tensor& tensor) {
  const checkpoint::Tensors& tensors = payload.checkpoint.tensors();
  const bool coo = tensors.extra(tensor)->layout == "torch.sparse_coo";
  if (coo) {
    const tensor::Dims values = tensors.shape(dense_component(payload, tensor, "values"));
    return values.empty() ? 1 : static_cast<std::uint64_t>(values.front());
  }
  const bool by_row = find_component(tensors, tensor, "col_indices") != nullptr;
  const tensor::Dims plain =
      tensors.shape(dense_component(payload, tensor, by_row ? "col_indices" : "row_indices"));
  return plain.empty() ? 0 : static_cast<std::uint64_t>(plain.back());
}

}  // namespace ptsd::operation
