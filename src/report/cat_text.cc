// SPDX-License-Identifier: Apache-2.0
#include "base/quote.h"
#include "report/cat.h"
#include "report/tensor_repr.h"
#include "report/value_tree.h"

namespace ptsd::report {

void write_cat_text(Output& output, const CatReport& report) {
  bool first = true;
  for (const CatItem& item : report.items) {
    if (report.items.size() > 1) {
      const std::string heading = "==> " + escape(item.path) + " <==";
      output.write((first ? "" : "\n") + output.style().paint(Role::Heading, heading) + "\n");
    }
    first = false;
    if (!item.tensor) {
      write_value_tree(output, report.payload.checkpoint, item.node);
      continue;
    }
    ReprSink sink([&](std::string_view text) { output.write(text); });
    write_repr(sink, report.payload, *item.tensor,
               {.full = report.full, .view = item.view ? &*item.view : nullptr});
    output.write("\n");
  }
}

}  // namespace ptsd::report
