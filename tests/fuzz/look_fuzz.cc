// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <string>
#include <vector>

#include "archive_around.h"
#include "base/error.h"
#include "base/limits.h"
#include "format/probe.h"
#include "fuzz.h"
#include "operation/diff.h"
#include "operation/stat.h"
#include "report/tensor_repr.h"

// Loads a checkpoint and looks into its tensors, as `cat`, `diff` and `stat` do. Compared with
// itself it is the same. An input that begins with "P" is the pickle of a well-formed archive with
// a few records, so that a mutation need not keep a CRC; any other is the file.

namespace ptsd::fuzz {
namespace {

using checkpoint::Checkpoint;
using checkpoint::StorageId;
using checkpoint::TensorId;

constexpr Limits kLimits = {.pickle_bytes = 1 << 20,
                            .inflated_bytes = 1 << 20,
                            .directory_bytes = 1 << 20,
                            .depth = 200,
                            .entries = 10'000,
                            .view_bytes = 1 << 16};

// Elements of a tensor that is printed in full.
constexpr std::uint64_t kPrinted = 1 << 12;

void print(const operation::Payload& payload, TensorId id, bool full) {
  std::uint64_t size = 0;
  report::ReprSink sink([&](std::string_view text) { size += text.size(); });
  report::write_repr(sink, payload, id, {.full = full});
  require(size > 0);
}

void summarise(const operation::Payload& payload, TensorId id) {
  const std::vector<TensorId> ids = {id};
  for (const operation::TensorStat& stat : operation::stat(payload, ids, {.bins = 3})) {
    if (!stat.summary) continue;
    const tensor::Summary& summary = *stat.summary;
    require(summary.finite + summary.nan + summary.inf == summary.count);
    require(summary.zeros <= summary.finite);
    require(summary.finite == 0 || summary.min <= summary.max);
    std::uint64_t counted = 0;
    for (const std::uint64_t count : stat.histogram) {
      counted += count;
    }
    require(counted == summary.finite);
  }
}

void look(const ByteSource& source) {
  const std::unique_ptr<format::Loaded> loaded = format::load(source, kLimits);
  const Checkpoint& checkpoint = loaded->checkpoint();
  const operation::Payload payload = {
      .checkpoint = checkpoint,
      .open = [&](StorageId id) { return loaded->open_storage(id); },
      .open_unchecked = [&](StorageId id) { return loaded->open_unchecked(id); },
      .big_endian = loaded->facts().byteorder == "big",
  };
  for (std::size_t i = 0; i < checkpoint.tensors().count(); ++i) {
    const TensorId id{static_cast<std::uint32_t>(i)};
    const std::uint64_t count = checkpoint.tensors().element_count(checkpoint.tensors()[id]);
    unless_refused([&] { print(payload, id, count <= kPrinted); });
    unless_refused([&] { summarise(payload, id); });
  }
  const operation::DiffSide side = {.payload = payload, .root = checkpoint.root()};
  for (const bool bits : {false, true}) {
    unless_refused([&] {
      require(
          operation::diff(side, side, {.rules = {.bits = bits}, .strict_layout = true}).equal());
    });
  }
}

}  // namespace
}  // namespace ptsd::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ptsd::fuzz;
  const std::string_view text = ptsd::as_text(input_bytes(data, size));
  const bool is_archive = text.starts_with("PK");
  unless_refused([&] {
    look(text.starts_with("P") && !is_archive ? archive_around(text.substr(1))
                                              : input_source(data, size));
  });
  return 0;
}
