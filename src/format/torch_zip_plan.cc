// SPDX-License-Identifier: Apache-2.0
#include "format/torch_zip_plan.h"

#include <utility>

#include <fmt/format.h>

#include "base/error.h"

namespace ptsd::format {

using checkpoint::Payload;

PlannedMember planned(std::string name, const Payload& payload, Inputs inputs) {
  const std::uint64_t size = payload_size(payload, inputs);
  PlannedMember result = {
      .member = {.name = std::move(name),  .size = size, .compressed_size = size},
      .content = StreamedPayload{payload}
  };
  if (payload.derivation) return result;
  const std::optional<StoredRange> range = inputs[payload.input]->range(payload.storage);
  if (range && range->crc && range->size == size) {
    result.content = CopiedRange{range->source, range->offset, *range->crc};
  }
  return result;
}

PlannedMember in_memory(std::string name, std::vector<std::byte> bytes) {
  const std::uint64_t size = bytes.size();
  return {
      .member = {.name = std::move(name),  .size = size, .compressed_size = size},
      .content = InMemory{std::move(bytes)}
  };
}

PlannedMember in_memory(std::string name, std::string_view text) {
  const Bytes bytes = as_bytes(text);
  return in_memory(std::move(name), std::vector<std::byte>(bytes.begin(), bytes.end()));
}

std::uint64_t usable_alignment(const SaveOptions& options, std::optional<std::uint64_t> input) {
  const std::uint64_t wanted =
      options.alignment.value_or(input.value_or(container::kDefaultAlignment));
  const bool usable = wanted <= container::kLargestAlignment;
  if (!usable && options.alignment) {
    fail_usage(fmt::format("--align: {} is more than the {} that fit a zip archive", wanted,
                           container::kLargestAlignment));
  }
  return usable ? wanted : container::kDefaultAlignment;
}

}  // namespace ptsd::format
