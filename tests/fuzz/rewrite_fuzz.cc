// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "archive_around.h"
#include "base/byte_sink.h"
#include "base/error.h"
#include "base/limits.h"
#include "checkpoint/listing.h"
#include "checkpoint/state_dict.h"
#include "format/probe.h"
#include "format/torch_zip_save.h"
#include "fuzz.h"
#include "operation/cast.h"
#include "operation/drop.h"
#include "operation/filter.h"
#include "operation/merge.h"
#include "operation/rename.h"
#include "operation/retag.h"

// Loads a checkpoint, edits it as the first byte says, saves and loads again: what could be read
// and edited can be read. The rest of the input is a file, or after a "P" the pickle of a
// well-formed archive.

namespace ptsd::fuzz {
namespace {

using checkpoint::Draft;
using checkpoint::StateDict;

// The second load is allowed more: an edit can make paths and pickles longer.
constexpr Limits kLimits = {.pickle_bytes = 1 << 20,
                            .inflated_bytes = 1 << 20,
                            .directory_bytes = 1 << 20,
                            .depth = 200,
                            .entries = 20'000};
constexpr Limits kWider = {.pickle_bytes = 1 << 24,
                           .inflated_bytes = 1 << 24,
                           .directory_bytes = 1 << 24,
                           .depth = 400,
                           .entries = 2'000'000};

std::vector<StateDict> all_state_dicts(const Draft& draft) {
  return find_state_dicts(draft.base, draft.root);
}

void rename_all(Draft& draft) {
  std::vector<operation::RenameRules::Given> given;
  given.push_back({
      "", operation::PrefixRule{"", "p."}
  });
  given.push_back({
      "", operation::PrefixRule{"p.a", "b"}
  });
  operation::RenameRules rules(std::move(given));
  operation::rename(draft, all_state_dicts(draft), rules, {.allow_unmatched = true});
}

void filter_half(Draft& draft) {
  draft.drop_unused = true;
  bool keep = false;
  operation::filter(draft, all_state_dicts(draft), [&](auto, auto) { return keep = !keep; });
}

void drop_some(Draft& draft) {
  draft.drop_unused = true;
  std::vector<operation::Pattern> patterns;
  patterns.emplace_back("*1*");
  operation::drop(draft, patterns, true);
}

void cast_all(Draft& draft) {
  operation::CastOptions options;
  options.rules.push_back({std::nullopt, tensor::DType::Float8E5M2});
  options.overflow = operation::CastOptions::Overflow::Allow;
  operation::cast(draft, all_state_dicts(draft), options);
}

constexpr auto kEdits = std::to_array<void (*)(Draft&)>({
    [](Draft&) {},
    rename_all,
    filter_half,
    drop_some,
    cast_all,
    [](Draft& draft) { operation::set_location(draft, "cuda:1"); },
    [](Draft& draft) { operation::set_requires_grad(draft, all_state_dicts(draft), true); },
    [](Draft& draft) { draft.pickle_changed = true; },
});

std::vector<std::byte> save(Draft& draft, const format::Loaded& loaded) {
  const std::array<const format::Loaded*, 1> inputs = {&loaded};
  format::TorchZipSave archive(draft, inputs, {});
  MemorySink sink;
  archive.write(sink);
  require(sink.bytes().size() == archive.size());
  return sink.take();
}

void edit(const ByteSource& source, std::uint8_t choice) {
  const std::unique_ptr<format::Loaded> loaded = format::load(source, kLimits);
  checkpoint::Checkpoint& base = loaded->checkpoint();
  Draft draft = {.base = base, .root = base.root(), .protocol = base.pickle().protocol};
  kEdits[choice % kEdits.size()](draft);
  const MemorySource written("written", save(draft, *loaded));
  try {
    const std::unique_ptr<format::Loaded> again = format::load(written, kWider);
    require(again->checkpoint().tensors().storage_count() <= base.tensors().storage_count());
  } catch (const Error&) {
    require(false);
  }
}

}  // namespace
}  // namespace ptsd::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ptsd::fuzz;
  if (size == 0) return 0;
  // A file of testdata/ begins with "P" as well: it is edited as that byte says.
  const bool whole = size > 1 && data[0] == 'P' && data[1] == 'K';
  const std::uint8_t choice = whole ? data[size / 2] : data[0];
  const std::size_t skipped = whole ? 0 : 1;
  const std::string_view text = ptsd::as_text(input_bytes(data + skipped, size - skipped));
  unless_refused([&] {
    if (!whole && text.starts_with('P') && !text.starts_with("PK")) {
      edit(archive_around(text.substr(1)), choice);
    } else {
      edit(input_source(data + skipped, size - skipped), choice);
    }
  });
  return 0;
}
