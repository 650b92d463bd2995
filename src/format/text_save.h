// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "format/save.h"

namespace ptsd::format {

// A file that is small and made beforehand: an index.
class TextSave final : public Save {
 public:
  explicit TextSave(std::string text) : text_(std::move(text)) {}

  std::uint64_t size() const override { return text_.size(); }
  void write(ByteSink& sink) override { sink.write(as_bytes(text_)); }
  void verify(const ByteSource& written, bool payload, const Limits& limits) const override;

 private:
  std::string text_;
};

}  // namespace ptsd::format
