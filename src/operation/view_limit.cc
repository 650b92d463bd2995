// SPDX-License-Identifier: Apache-2.0
#include "operation/view_limit.h"

#include <fmt/format.h>

namespace ptsd::operation {

void check_view_size(const checkpoint::Checkpoint& checkpoint, const checkpoint::Tensor& tensor,
                     std::uint64_t bytes) {
  const checkpoint::Storage& storage = checkpoint.tensors()[*tensor.storage];
  const std::uint64_t most = checkpoint.limits().view_bytes;
  if (bytes <= most || bytes <= storage.count * storage.item_size()) return;
  checkpoint.fail_at(tensor.node, Error::Kind::Limit,
                     fmt::format("a view of {} bytes, more than its storage holds and than {} "
                                 "(--limit view-bytes=N)",
                                 bytes, most));
}

}  // namespace ptsd::operation
