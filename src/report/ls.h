// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/listing.h"
#include "format/loaded.h"
#include "operation/totals.h"
#include "report/output.h"

namespace ptsd::report {

// What `ptsd ls` has to say. Borrows what it refers to.
struct LsReport {
  std::string path;     // of the file
  std::string subtree;  // the address within it; empty: all of it
  const format::Loaded& loaded;
  const checkpoint::Listing& listing;
  std::vector<std::uint32_t> shown;   // entries of listing.tensors(), in the order to show them
  std::vector<std::uint32_t> others;  // likewise of listing.others()
  std::uint64_t selected = 0;         // tensors, before -n cut them
  operation::Totals totals;
  std::vector<Warning> warnings;

  bool truncated() const { return shown.size() < selected; }
  const checkpoint::Checkpoint& checkpoint() const { return loaded.checkpoint(); }
  const checkpoint::Entry& entry(std::size_t row) const { return listing.tensors()[shown[row]]; }
  const checkpoint::Tensor& tensor(std::size_t row) const {
    return checkpoint().tensors()[*entry(row).tensor];
  }
};

struct LsStyle {
  bool details = false;      // storage, offset, strides, device, requires_grad, file offset
  bool exact_bytes = false;  // no units
  bool tree = false;
  std::optional<std::uint64_t> depth;  // of the tree; deeper groups are one line
};

void write_ls_text(Output& output, const LsReport& report, const LsStyle& style);
void write_ls_tree(Output& output, const LsReport& report, const LsStyle& style);
void write_ls_json(Output& output, const LsReport& report, bool with_others);

}  // namespace ptsd::report
