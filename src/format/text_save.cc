// SPDX-License-Identifier: Apache-2.0
#include "format/text_save.h"

#include <vector>

namespace ptsd::format {

void TextSave::verify(const ByteSource& written, bool /*payload*/, const Limits& /*limits*/) const {
  const bool same =
      written.size() == text_.size() && as_text(written.read(0, text_.size())) == text_;
  if (!same) fail_read_back({.file = written.name()}, "another text than was written");
}

}  // namespace ptsd::format
