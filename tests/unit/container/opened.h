// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/byte_source.h"
#include "base/error.h"
#include "base/limits.h"
#include "container/zip_reader.h"
#include "support/zip_assembler.h"

namespace ptsd::test {

// An archive made in the test and opened.
struct Opened {
  explicit Opened(const ZipAssembler& made) : Opened(made.source()) {}
  explicit Opened(MemorySource memory) : source(std::move(memory)), zip(source, limits) {}

  const container::Member& operator[](std::string_view name) const { return *zip.find(name); }
  std::string read(std::string_view name) const {
    return std::string(as_text(zip.read((*this)[name], 1 << 20).bytes));
  }

  MemorySource source;
  Limits limits;
  container::ZipReader zip;
};

// "malformed: m.pt: +0x10: the message", or "no error".
template <class Work>
std::string error_of(Work work) {
  try {
    work();
  } catch (const Error& error) {
    return std::string(to_string(error.kind())) + ": " + error.what();
  }
  return "no error";
}

inline std::string error_of_opening(const ZipAssembler& made) {
  return error_of([&made] { const Opened opened(made); });
}

inline std::string error_of_reading(const ZipAssembler& made, std::string_view name) {
  return error_of([&] { Opened(made).read(name); });
}

// All of them, one a line: "+0x10: the message".
inline std::string text_of(std::span<const Warning> warnings) {
  std::string text;
  for (const Warning& warning : warnings) {
    text += to_string(Where{.offset = warning.where.offset}) + ": " + warning.message + "\n";
  }
  return text;
}

}  // namespace ptsd::test
