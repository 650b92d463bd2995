// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "format/loaded.h"
#include "operation/payload.h"
#include "operation/view.h"
#include "report/output.h"

namespace ptsd::report {

struct CatItem {
  std::string path;
  pickle::NodeId node;
  std::optional<checkpoint::TensorId> tensor = {};
  std::optional<operation::View> view = {};  // a part of the tensor, where one was asked for
};

struct CatReport {
  std::string path;     // of the file, as it was typed
  std::string subtree;  // of FILE#PATH
  const format::Loaded& loaded;
  operation::Payload payload;
  std::vector<CatItem> items;
  bool full = false;
  std::vector<Warning> warnings = {};
};

// Tensors as PyTorch prints them, other values as trees; of several, each behind a line that names
// it, "==> path <==".
void write_cat_text(Output& output, const CatReport& report);

// "ptsd.cat/1", with every element of every tensor, written as it is read.
void write_cat_json(Output& output, const CatReport& report);

}  // namespace ptsd::report
