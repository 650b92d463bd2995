// SPDX-License-Identifier: Apache-2.0
#include "format/storage_views.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "base/quote.h"

namespace ptsd::format {

std::optional<std::string> shared_bytes(std::vector<StorageView> views,
                                        const std::function<bool(std::string_view)>& is_used) {
  std::erase_if(views, [](const StorageView& view) { return view.count == 0; });
  std::ranges::sort(views, {}, [](const StorageView& view) {
    return std::tie(view.root, view.offset, view.key);
  });
  std::vector<const StorageView*> shared;
  std::uint64_t end = 0;  // of those before it
  for (std::size_t i = 0; i < views.size(); ++i) {
    const StorageView& view = views[i];
    if (i == 0 || views[i - 1].root != view.root) end = is_used(view.root) ? UINT64_MAX : 0;
    if (view.offset < end) shared.push_back(&view);
    end = std::max(end, view.offset + view.count);
  }
  if (shared.empty()) return std::nullopt;
  return fmt::format(
      "storages that share bytes with others, until they are written anew: {}, the first is {}, a "
      "view of {}",
      shared.size(), quote(shared.front()->key), quote(shared.front()->root));
}

}  // namespace ptsd::format
