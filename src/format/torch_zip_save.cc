// SPDX-License-Identifier: Apache-2.0
#include "format/torch_zip_save.h"

#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/crc32.h"
#include "container/serialization_id.h"
#include "container/zip_writer.h"
#include "format/probe.h"

namespace ptsd::format {

using checkpoint::Draft;
using container::Member;

namespace {

ZipPlan plan(const Draft& draft, Inputs inputs, const SaveOptions& options) {
  const bool is_archive = inputs[0]->archive() != nullptr;
  return is_archive ? plan_edit(draft, inputs, options) : plan_new(draft, inputs, options);
}

std::uint64_t file_size(const ZipPlan& plan) {
  std::vector<container::NewMember> members;
  for (const PlannedMember& planned : plan.members) {
    members.push_back(planned.member);
  }
  return container::plan(members, plan.alignment).size;
}

}  // namespace

TorchZipSave::TorchZipSave(const Draft& draft, Inputs inputs, const SaveOptions& options)
    : inputs_(inputs.begin(), inputs.end()),
      plan_(plan(draft, inputs, options)),
      size_(file_size(plan_)) {}

std::uint32_t TorchZipSave::checksum(Bytes bytes) const {
  return plan_.checksums ? crc32(bytes) : 0;
}

std::uint32_t TorchZipSave::write(const PlannedMember& planned, ByteSink& data,
                                  std::uint64_t folded, Sources& from) const {
  if (const auto* range = std::get_if<CopiedRange>(&planned.content)) {
    const std::uint64_t size = planned.member.compressed_size;
    const bool is_small = size <= ReadAhead::kLargest;
    data.copy(is_small ? from.small.of(*range->source) : *range->source, range->offset, size);
    return plan_.checksums ? range->crc : 0;
  }
  if (const auto* streamed = std::get_if<StreamedPayload>(&planned.content)) {
    std::uint32_t crc = 0;
    write_payload(data, streamed->payload, 0, planned.member.size, from.storages, [&](Bytes block) {
      if (plan_.checksums) crc = crc32(block, crc);
    });
    return crc;
  }
  if (const auto* memory = std::get_if<InMemory>(&planned.content)) {
    data.write(memory->bytes);
    return checksum(memory->bytes);
  }
  const std::string id = to_string(container::SerializationId{plan_.names_half, folded});
  data.write(as_bytes(id));
  return checksum(as_bytes(id));
}

void TorchZipSave::write(ByteSink& sink) {
  container::ZipWriter writer(sink, plan_.alignment);
  std::uint64_t folded = 0;
  Sources from = {.storages = CheckedStorages(inputs_)};
  for (PlannedMember& planned : plan_.members) {
    planned.crc = write(planned, writer.begin(planned.member), folded, from);
    writer.end(planned.crc);
    if (planned.member.size > 0) folded = container::fold_crc(folded, planned.crc);
  }
  writer.finish();
}

void TorchZipSave::verify(const container::ZipReader& zip, const Member& member,
                          const PlannedMember& planned, bool payload) const {
  const ByteSource& written = zip.source();
  const Where where = {.file = written.name(), .member = planned.member.name};
  if (member.name != planned.member.name || member.size != planned.member.size ||
      member.crc != planned.crc) {
    fail_read_back(where, "another name, size or CRC than was written");
  }
  if (const auto* memory = std::get_if<InMemory>(&planned.content)) {
    const std::vector<std::byte> bytes = written.read(zip.data_offset(member), member.size);
    if (bytes != memory->bytes) fail_read_back(where, "other bytes");
  }
  if (!payload || member.crc == 0 || member.method != container::method::kStored) return;
  const std::uint32_t crc = crc32(written, zip.data_offset(member), member.size);
  if (crc != planned.crc) {
    fail_read_back(where, fmt::format("the CRC is {:#010x}, expected {:#010x}", crc, planned.crc));
  }
}

void TorchZipSave::verify(const ByteSource& written, bool payload, const Limits& limits) const {
  const container::ZipReader zip(written, limits);
  if (zip.members().size() != plan_.members.size()) {
    fail_read_back(
        {.file = written.name()},
        fmt::format("{} members, expected {}", zip.members().size(), plan_.members.size()));
  }
  for (std::size_t i = 0; i < plan_.members.size(); ++i) {
    verify(zip, zip.members()[i], plan_.members[i], payload);
  }
  load(written, limits);
}

}  // namespace ptsd::format
