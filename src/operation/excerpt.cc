// SPDX-License-Identifier: Apache-2.0
#include "operation/excerpt.h"

namespace ptsd::operation {

Excerpt whole(const checkpoint::Geometry& geometry) {
  const View view(geometry);
  return {view.shape, std::vector<bool>(view.shape.size()), view};
}

Excerpt corners(const checkpoint::Geometry& geometry) {
  constexpr std::int64_t kEdge = Excerpt::kEdge;
  Excerpt excerpt = {};
  excerpt.view.offset = geometry.offset;
  View& view = excerpt.view;
  for (std::size_t i = 0; i < geometry.shape.size(); ++i) {
    const std::int64_t size = geometry.shape[i];
    const bool cut = size > 2 * kEdge;
    excerpt.cut.push_back(cut);
    excerpt.shape.push_back(cut ? 2 * kEdge : size);
    if (cut) {
      // The two edges are a dimension of their own.
      view.shape.push_back(2);
      view.stride.push_back((size - kEdge) * geometry.stride[i]);
    }
    view.shape.push_back(cut ? kEdge : size);
    view.stride.push_back(geometry.stride[i]);
  }
  return excerpt;
}

}  // namespace ptsd::operation
