// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>
#include <utility>

namespace ptsd::report {

// Where the text of a tensor goes, piece by piece. Knows how long the last line is.
class ReprSink {
 public:
  using Write = std::function<void(std::string_view)>;

  explicit ReprSink(Write write) : write_(std::move(write)) {}

  void put(std::string_view text) {
    write_(text);
    const std::size_t newline = text.rfind('\n');
    if (newline == std::string_view::npos) {
      column_ += text.size();
    } else {
      column_ = text.size() - newline - 1;
    }
  }
  // Characters since the last newline, or since the beginning.
  std::size_t column() const { return column_; }

 private:
  Write write_;
  std::size_t column_ = 0;
};

}  // namespace ptsd::report
