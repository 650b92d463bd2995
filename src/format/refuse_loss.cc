// SPDX-License-Identifier: Apache-2.0
#include "format/refuse_loss.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "container/record_reader.h"
#include "format/legacy.h"

namespace ptsd::format {
namespace {

[[noreturn]] void fail_loss(const checkpoint::Checkpoint& input,
                            std::optional<std::uint64_t> offset, std::string message) {
  Where where = input.origin();
  where.offset = offset;
  throw Error(Error::Kind::Conflict, where, std::move(message));
}

void refuse_rest(const Loaded& input) {
  if (input.archive() == nullptr) return;
  const std::uint64_t size = input.archive()->record("data.pkl")->size;
  const std::uint64_t used = input.checkpoint().pickle().size;
  if (size <= used) return;
  fail_loss(input.checkpoint(), used,
            fmt::format("{} bytes after the end of the pickle, which an edit would lose: --force "
                        "goes on",
                        size - used));
}

// Most often another object.
void refuse_more(const Loaded& input) {
  const LegacyLayout* const layout = input.legacy();
  if (layout == nullptr || layout->source->size() <= layout->end) return;
  fail_loss(input.checkpoint(), layout->end,
            fmt::format("{} bytes after the last storage, which another container has no place "
                        "for: --force goes on",
                        layout->source->size() - layout->end));
}

}  // namespace

void refuse_loss(Inputs inputs, bool force, const Loaded* stream) {
  for (const Loaded* input : inputs) {
    if (const auto lost = input->checkpoint().pickle().lost_call) {
      fail_loss(input->checkpoint(), *lost, "a call of a state setter, which an edit would lose");
    }
    if (force) continue;
    refuse_rest(*input);
    if (input != stream) refuse_more(*input);
    if (const std::string& left_out = input->facts().left_out; !left_out.empty()) {
      fail_loss(input->checkpoint(), std::nullopt,
                left_out + ", and would be lost: --force goes on");
    }
  }
}

}  // namespace ptsd::format
