// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <string>
#include <vector>

#include "archive_around.h"
#include "base/error.h"
#include "base/limits.h"
#include "checkpoint/listing.h"
#include "checkpoint/locate.h"
#include "checkpoint/module_state.h"
#include "checkpoint/nn_module.h"
#include "checkpoint/resolve.h"
#include "checkpoint/value.h"
#include "format/probe.h"
#include "fuzz.h"
#include "operation/sections.h"
#include "operation/totals.h"
#include "operation/weights_only.h"

// Loads a checkpoint and asks of it whatever `ls` and `info` ask. An input that begins with "P" is
// the pickle of a well-formed archive with a few records, so that a mutation need not keep a CRC;
// any other is the file.

namespace ptsd::fuzz {
namespace {

using checkpoint::Checkpoint;
using checkpoint::Entry;
using checkpoint::Listing;
using checkpoint::StorageId;
using checkpoint::Tensor;
using checkpoint::Tensors;

constexpr Limits kLimits = {
    .pickle_bytes = 1 << 20, .directory_bytes = 1 << 20, .depth = 200, .entries = 100'000};

// More paths than this are listed, but not looked up again one by one.
constexpr std::size_t kLookedUp = 64;

void check_tensor(const Tensors& tensors, const Tensor& tensor) {
  require(tensors.tensor_of(tensor.node).has_value());
  const std::uint64_t elements = tensors.element_count(tensor);
  if (elements == 0) require(tensors.byte_count(tensor) == 0);
  tensors.is_contiguous(tensor);
  if (!tensor.storage) return;
  const checkpoint::Storage& storage = tensors[*tensor.storage];
  if (tensors.is_contiguous(tensor)) {
    require(tensors.byte_count(tensor) <= storage.count * storage.item_size());
  }
}

void check_entry(const Checkpoint& checkpoint, const Entry& entry, bool look_up) {
  require(!type_of(checkpoint.names(), entry.node).empty());
  value_of(checkpoint.names(), entry.node);
  if (entry.tensor) check_tensor(checkpoint.tensors(), checkpoint.tensors()[*entry.tensor]);
  if (!look_up) return;
  require(resolve(checkpoint, checkpoint.root(), entry.path).has_value());
  locate(checkpoint.names(), checkpoint.root(), entry.node);
}

void check_listing(const Checkpoint& checkpoint, const Listing& listing) {
  operation::Totalizer totalizer(checkpoint);
  for (std::size_t i = 0; i < listing.tensors().size(); ++i) {
    check_entry(checkpoint, listing.tensors()[i], i < kLookedUp);
    unless_refused([&] { totalizer.add(listing.tensors()[i]); });
  }
  for (std::size_t i = 0; i < listing.others().size(); ++i) {
    check_entry(checkpoint, listing.others()[i], i < kLookedUp);
  }
  const operation::Totals totals = totalizer.finish();
  require(totals.unused_bytes <= totals.storage_bytes);
  const operation::Sharing sharing(checkpoint, listing);
  for (const auto& group : tied_groups(checkpoint, listing, sharing)) {
    require(group.size() > 1 && group[0] < group[1]);
  }
}

void load_and_check(const ByteSource& source) {
  const std::unique_ptr<format::Loaded> loaded = format::load(source, kLimits);
  const Checkpoint& checkpoint = loaded->checkpoint();
  for (const Warning& warning : loaded->warnings()) {
    require(!warning.message.empty());
  }
  for (std::size_t i = 0; i < checkpoint.tensors().storage_count(); ++i) {
    unless_refused([&] { loaded->file_offset(StorageId{static_cast<std::uint32_t>(i)}); });
  }
  unless_refused([&] { loaded->audit(); });
  operation::check_weights_only(checkpoint);
  unless_refused([&] { operation::sections_of(checkpoint, checkpoint.root()); });
  unless_refused([&] {
    check_listing(checkpoint, list(checkpoint, checkpoint.root(), checkpoint::Want::Everything));
  });
  if (!is_nn_module(checkpoint.names(), checkpoint.root())) return;
  unless_refused([&] {
    const pickle::NodeId state = add_module_state(loaded->checkpoint(), checkpoint.root());
    check_listing(checkpoint, list(checkpoint, state, checkpoint::Want::Everything));
  });
}

}  // namespace
}  // namespace ptsd::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ptsd::fuzz;
  const std::string_view text = ptsd::as_text(input_bytes(data, size));
  const bool is_archive = text.starts_with("PK");
  unless_refused([&] {
    load_and_check(text.starts_with("P") && !is_archive ? archive_around(text.substr(1))
                                                        : input_source(data, size));
  });
  return 0;
}
