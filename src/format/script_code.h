// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "format/assembly.h"
#include "format/zip_archive.h"
#include "pickle/graph.h"

namespace ptsd::format {

// What the code of a TorchScript archive says about a class, in the words of its lines
// (torch/csrc/jit/serialization/python_print.cpp):
//
//   class Linear(Module):
//     __parameters__ = ["weight", "bias", ]
//     __buffers__ = []
struct ScriptClass {
  bool is_module = false;
  bool has_code = true;
  std::set<std::string, std::less<>> parameters = {};
  std::set<std::string, std::less<>> buffers = {};
};

// Borrows both. Code is read, never run; what is not understood is left out.
class ScriptCode {
 public:
  ScriptCode(const ZipArchive& archive, Assembly& assembly)
      : archive_(archive), assembly_(assembly) {}

  // Null for a class of which there is no code.
  const ScriptClass* find(pickle::GlobalName name);

 private:
  using Classes = std::map<std::string, ScriptClass, std::less<>>;

  const Classes& classes_in(const std::string& record);

  const ZipArchive& archive_;
  Assembly& assembly_;
  std::map<std::string, Classes, std::less<>> files_;
};

}  // namespace ptsd::format
