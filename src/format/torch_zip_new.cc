// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/crc32.h"
#include "container/serialization_id.h"
#include "format/refuse_loss.h"
#include "format/repack.h"
#include "format/torch_zip_plan.h"
#include "pickle/encoder.h"

namespace ptsd::format {
namespace {

// PyTorch hashes the names with what its standard library has; any number will do.
std::uint64_t fold_names(const ZipPlan& plan) {
  std::uint64_t folded = 0;
  for (const PlannedMember& planned : plan.members) {
    folded = container::fold_crc(folded, crc32(as_bytes(planned.member.name)));
  }
  return folded;
}

}  // namespace

ZipPlan plan_new(const checkpoint::Draft& draft, Inputs inputs, const SaveOptions& options) {
  refuse_loss(inputs, options.force);
  Repacked repacked = repack(draft);
  ZipPlan plan = {.alignment = usable_alignment(options, {}), .checksums = options.checksums};
  const auto name = [&](std::string_view record) {
    return fmt::format("{}/{}", options.root, record);
  };
  const auto add = [&](PlannedMember member) { plan.members.push_back(std::move(member)); };
  const pickle::Pickle& built = *repacked.pickle;
  add(in_memory(
      name("data.pkl"),
      pickle::encode(built.graph, built.root, built.protocol, draft.base.origin()).bytes));
  add(in_memory(name(".format_version"), "1"));
  add(in_memory(name(".storage_alignment"), fmt::format("{}", plan.alignment)));
  add(in_memory(name("byteorder"), inputs[0]->facts().byteorder));
  for (std::size_t i = 0; i < repacked.storages.size(); ++i) {
    add(planned(name(fmt::format("data/{}", i)), repacked.storages[i], inputs));
  }
  add(in_memory(name("version"), "3\n"));
  plan.names_half = fold_names(plan);
  const std::uint64_t size = to_string(container::SerializationId()).size();
  add({
      .member = {.name = name(".data/serialization_id"), .size = size, .compressed_size = size},
      .content = IdRecord{                       }
  });
  return plan;
}

}  // namespace ptsd::format
