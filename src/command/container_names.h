// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "command/options.h"

namespace ptsd::command {

// Containers that can be written, and what FileFacts calls them.
struct ContainerName {
  std::string_view format;
  Container container;
};

inline constexpr auto kContainerNames = std::to_array<ContainerName>({
    {"torch-zip",    Container::Zip        },
    {"torch-legacy", Container::Legacy     },
    {"safetensors",  Container::Safetensors},
});

inline std::string_view format_of(Container container) {
  return std::ranges::find(kContainerNames, container, &ContainerName::container)->format;
}

inline std::optional<Container> find_container(std::string_view format) {
  const auto* const found = std::ranges::find(kContainerNames, format, &ContainerName::format);
  if (found == kContainerNames.end()) return std::nullopt;
  return found->container;
}

}  // namespace ptsd::command
