// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/quote.h"
#include "checkpoint/python_repr.h"
#include "checkpoint/value.h"
#include "report/ls.h"
#include "report/ls_totals.h"
#include "report/numbers.h"
#include "report/table.h"
#include "report/tensor_text.h"
#include "report/value_text.h"

namespace ptsd::report {

using checkpoint::Entry;
using checkpoint::Storage;
using checkpoint::Tensor;

namespace {

std::vector<Column> plain_columns(const LsReport& report, TensorText& text) {
  const checkpoint::Tensors& tensors = report.checkpoint().tensors();
  return {
      {Align::Left,
       [&](std::size_t row, std::string& out) { append_name(out, report.entry(row).path); } },
      {Align::Left,
       [&](std::size_t row, std::string& out) { text.append_type(out, report.tensor(row)); }},
      {Align::Left,
       [&](std::size_t row, std::string& out) {
         const Tensor& tensor = report.tensor(row);
         out += text.shape(tensor.shape, tensors.shape(tensor));
       }                                                         },
      {Align::Right,
       [&](std::size_t row, std::string& out) { out += text.bytes(report.tensor(row)); }    },
  };
}

// Columns of -l: labelled, since numbers alone would not tell what they are.
void add_detail_columns(std::vector<Column>& columns, const LsReport& report, TensorText& text) {
  const checkpoint::Checkpoint& checkpoint = report.checkpoint();
  const checkpoint::Tensors& tensors = checkpoint.tensors();
  const auto storage_of = [&](std::size_t row) -> const Storage* {
    const Tensor& tensor = report.tensor(row);
    return tensor.storage ? &tensors[*tensor.storage] : nullptr;
  };
  columns.push_back({Align::Left, [&](std::size_t row, std::string& out) {
                       const Tensor& tensor = report.tensor(row);
                       if (tensors.stride(tensor).size() != tensors.shape(tensor).size()) return;
                       out += "stride " + text.shape(tensor.stride, tensors.stride(tensor));
                     }});
  columns.push_back({Align::Left, [&, storage_of](std::size_t row, std::string& out) {
                       const Storage* const storage = storage_of(row);
                       if (storage == nullptr) return;
                       out += "storage " + escape(abbreviate(checkpoint.key(*storage), 40));
                       out += fmt::format("+{}", report.tensor(row).offset);
                     }});
  columns.push_back(
      {Align::Left, [&](std::size_t row, std::string& out) {
         out += escape(abbreviate(device_of(tensors, checkpoint.graph(), report.tensor(row)), 40));
       }});
  columns.push_back({Align::Left, [&](std::size_t row, std::string& out) {
                       const Tensor& tensor = report.tensor(row);
                       out += tensor.requires_grad ? "grad" : "-";
                       if (tensor.conj) out += " conj";
                       if (tensor.neg) out += " neg";
                     }});
  columns.push_back({Align::Right, [&](std::size_t row, std::string& out) {
                       const Tensor& tensor = report.tensor(row);
                       if (!tensor.storage) return;
                       const auto offset = report.loaded.file_offset(*tensor.storage);
                       if (offset) {
                         out += fmt::format("at {:#x}", *offset);
                       } else {
                         out += report.loaded.archive() != nullptr ? "deflated" : "derived";
                       }
                     }});
  columns.push_back({Align::Left, [&](std::size_t row, std::string& out) {
                       const Tensor& tensor = report.tensor(row);
                       if (!tensor.storage) return;
                       const auto file = report.loaded.other_file(*tensor.storage);
                       if (file) out += "in " + escape(*file);
                     }});
}

void write_others(Output& output, const LsReport& report) {
  const checkpoint::Names& names = report.checkpoint().names();
  const auto entry = [&](std::size_t row) -> const Entry& {
    return report.listing.others()[report.others[row]];
  };
  write_table(output, report.others.size(),
              {
                  {Align::Left,
                   [&](std::size_t row, std::string& out) { append_name(out, entry(row).path); }},
                  {Align::Left,
                   [&](std::size_t row, std::string& out) {
                     out += escape(abbreviate(checkpoint::type_of(names, entry(row).node), 80));
                   }                                     },
                  {Align::Left,
                   [&](std::size_t row, std::string& out) {
                     out += report.listing.is_cycle(report.others[row])
                                ? "(cycle)"
                                : value_text(names, entry(row).node);
                   }                                     },
  });
}

}  // namespace

void write_ls_totals(Output& output, const LsReport& report, const LsStyle& style) {
  const operation::Totals& totals = report.totals;
  const auto bytes = [&](std::uint64_t count) {
    return style.exact_bytes ? fmt::format("{} B", count) : human_bytes(count);
  };
  std::string line =
      fmt::format("{} · {} · {}", counted(totals.all.tensors, "tensor"),
                  counted(totals.all.parameters, "parameter"), bytes(totals.all.bytes));
  if (totals.storage_bytes != totals.all.bytes) {
    line += fmt::format(" · {} stored", bytes(totals.storage_bytes));
  }
  if (totals.unused_bytes > 0) line += fmt::format(" · {} unused", bytes(totals.unused_bytes));
  if (report.truncated()) line += fmt::format(" · {} shown", grouped(report.shown.size()));
  output.write(output.style().paint(Role::Aside, line) + "\n");
}

void write_ls_text(Output& output, const LsReport& report, const LsStyle& style) {
  TensorText text(report.checkpoint().tensors(), style.exact_bytes);
  std::vector<Column> columns = plain_columns(report, text);
  if (style.details) add_detail_columns(columns, report, text);
  write_table(output, report.shown.size(), columns);
  write_others(output, report);
  write_ls_totals(output, report, style);
}

}  // namespace ptsd::report
