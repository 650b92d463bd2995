// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "checkpoint/listing.h"
#include "format/loaded.h"
#include "operation/sections.h"
#include "operation/totals.h"
#include "operation/weights_only.h"
#include "report/output.h"

namespace ptsd::report {

// What `ptsd info` has to say. Borrows what it refers to.
struct InfoReport {
  std::string path;     // of the file
  std::string subtree;  // the address within it; empty: all of it
  const format::Loaded& loaded;
  const checkpoint::Listing& listing;
  std::vector<operation::Section> sections;
  operation::Totals totals;
  std::vector<std::vector<std::uint32_t>> tied;  // numbers of entries
  operation::WeightsOnly weights_only;
  std::vector<Warning> warnings;

  const checkpoint::Checkpoint& checkpoint() const { return loaded.checkpoint(); }
};

// A global under its Python 3 name.
struct GlobalUse {
  std::string name;
  std::uint64_t count = 0;
  bool weights_only = false;  // allowed by default
};

std::vector<GlobalUse> globals_of(const checkpoint::Checkpoint& checkpoint);

void write_info_text(Output& output, const InfoReport& report, bool verbose);
void write_info_json(Output& output, const InfoReport& report);

}  // namespace ptsd::report
