// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdio>
#include <exception>
#include <string>

#include <fmt/format.h>

#include "format/legacy_save.h"
#include "format/open.h"

// to_legacy IN OUT: writes a checkpoint as a legacy stream, every pickle anew.

namespace ptsd {
namespace {

void run(const std::string& in, const std::string& out) {
  const Limits limits;
  format::Opened opened({.file = in, .path = ""}, limits);
  checkpoint::Checkpoint& base = opened.checkpoint();
  const checkpoint::Draft draft = {.base = base,
                                   .root = base.root(),
                                   .pickle_changed = true,
                                   .protocol = base.pickle().protocol};
  const std::array<const format::Loaded*, 1> inputs = {&opened.loaded()};
  format::LegacySave save(draft, inputs);
  MemorySink sink;
  save.write(sink);
  save.verify(MemorySource(out, sink.bytes()), true, limits);
  std::FILE* const file = std::fopen(out.c_str(), "wb");
  if (file == nullptr) fail_usage("cannot be written", out);
  std::fwrite(sink.bytes().data(), 1, sink.bytes().size(), file);
  std::fclose(file);
}

}  // namespace
}  // namespace ptsd

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  try {
    ptsd::run(argv[1], argv[2]);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
  }
}
