// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "report/style.h"

// Standard output, where the answer goes and nothing else. Buffered, and checked: a full disk or
// a closed descriptor is Error::Io. A reader that has gone away is no error: the process ends as
// SIGPIPE would end it, even where that signal is ignored.
//
// finish() must be called once the answer is complete; what is not finished may never appear, so
// that an answer cut short by an error is not mistaken for a whole one.

namespace ptsd::report {

class Output final {
 public:
  // Standard output unless a test says otherwise. The descriptor is borrowed. `color` is for text;
  // JSON has no colours.
  explicit Output(Color color = Color::Never, int descriptor = 1);
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  void write(std::string_view text);
  // Writes what is buffered and closes the descriptor: some file systems report a full disk only
  // then.
  void finish();

  bool is_terminal() const { return is_terminal_; }
  // The width of the terminal; 0 where there is none, and nothing need be cut.
  unsigned columns() const { return columns_; }
  const Style& style() const { return style_; }

 private:
  void flush();

  int descriptor_;
  bool is_terminal_;
  unsigned columns_;
  Style style_;
  std::string buffer_;
};

}  // namespace ptsd::report
