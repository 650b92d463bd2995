// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "format/loaded.h"
#include "format/save.h"

namespace ptsd::format {

// A file as it is.
class CopySave final : public Save {
 public:
  // Borrows the source.
  explicit CopySave(const ByteSource& source) : source_(source) {}

  std::uint64_t size() const override { return source_.size(); }
  void write(ByteSink& sink) override { sink.copy(source_, 0, source_.size()); }
  void verify(const ByteSource& written, bool payload, const Limits& limits) const override;

 private:
  const ByteSource& source_;
};

}  // namespace ptsd::format
