// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "base/quote.h"
#include "checkpoint/value.h"
#include "pickle/import_names.h"
#include "report/info.h"
#include "report/ls_totals.h"
#include "report/messages.h"
#include "report/numbers.h"
#include "report/table.h"
#include "report/tensor_text.h"
#include "report/value_text.h"

namespace ptsd::report {

using operation::Section;

namespace {

// One screen: of what can be long, this many lines are shown without -v.
constexpr std::size_t kMostLines = 12;

class Writer {
 public:
  Writer(Output& output, const InfoReport& report, bool verbose)
      : output_(output), report_(report), most_(verbose ? ~std::size_t{0} : kMostLines) {}

  void write() {
    write_file();
    write_sections();
    write_totals();
    write_tied();
    if (report_.loaded.facts().has_pickle) {
      write_globals();
      write_weights_only();
    }
    write_warnings();
  }

 private:
  void line(std::string_view text) { output_.write(std::string(text) + "\n"); }
  void heading(std::string_view text, Role role = Role::Heading) {
    output_.write("\n" + paint(role, text) + "\n");
  }
  std::string paint(Role role, std::string_view text) const {
    return output_.style().paint(role, text);
  }

  void fact(std::string_view name, std::string_view value) {
    line(fmt::format("  {:<12}{}", name, value));
  }

  std::size_t shown(std::size_t count) const { return std::min(count, most_); }

  void write_rest(std::size_t count, std::string_view noun) {
    if (count > shown(count)) {
      line(fmt::format("  … and {} more (-v shows all)", counted(count - shown(count), noun)));
    }
  }

  void write_file() {
    const format::FileFacts& facts = report_.loaded.facts();
    const std::string subtree = report_.subtree.empty() ? "" : "#" + report_.subtree;
    line(paint(Role::Heading, escape(report_.path + subtree)));
    fact("format", fmt::format("{}, {} ({} bytes)", facts.format, human_bytes(facts.bytes),
                               grouped(facts.bytes)));
    if (!facts.writer.empty()) fact("writer", facts.writer);
    if (!facts.root.empty()) fact("root", escape(abbreviate(facts.root, 60)));
    if (facts.has_pickle) fact("pickle", fmt::format("protocol {}", facts.protocol));
    fact("byteorder",
         facts.byteorder + (facts.byteorder_recorded ? "" : " (not recorded, assumed)"));
    if (facts.alignment) fact("alignment", fmt::format("{}", *facts.alignment));
    if (!facts.has_checksums) fact("checksums", "none stored");
  }

  void write_sections() {
    const checkpoint::Names& names = report_.checkpoint().names();
    const std::vector<Section>& sections = report_.sections;
    heading("sections");
    write_table(
        output_, shown(sections.size()),
        {
            {Align::Left,
             [&](std::size_t row, std::string& out) {
               out += sections[row].path.empty() ? "(root)" : escape(sections[row].path);
             }                                            },
            {Align::Left,
             [&](std::size_t row, std::string& out) {
               out += escape(abbreviate(checkpoint::type_of(names, sections[row].node), 40));
             }                                            },
            {Align::Left,
             [&](std::size_t row, std::string& out) { append_content(out, sections[row]); }},
    },
        "  ");
    write_rest(sections.size(), "section");
  }

  void append_content(std::string& out, const Section& section) {
    if (section.tensors > 0) {
      out += fmt::format("{}, {}", counted(section.tensors, "tensor"), human_bytes(section.bytes));
    } else if (section.is_container) {
      out += "no tensors";
    } else {
      out += fit(value_text(report_.checkpoint().names(), section.node), 40);
    }
  }

  void write_totals() {
    const operation::Totals& totals = report_.totals;
    heading("totals");
    fact("tensors", grouped(totals.all.tensors));
    fact("parameters", grouped(totals.all.parameters));
    fact("bytes", fmt::format("{}, {} stored", human_bytes(totals.all.bytes),
                              human_bytes(totals.storage_bytes)));
    if (totals.unused_bytes > 0) {
      fact("unused", fmt::format("{} that no tensor uses", human_bytes(totals.unused_bytes)));
    }
  }

  void write_tied() {
    if (report_.tied.empty()) return;
    heading("tied");
    for (std::size_t i = 0; i < shown(report_.tied.size()); ++i) {
      std::string text = "  ";
      const auto& group = report_.tied[i];
      for (std::size_t j = 0; j < shown(group.size()); ++j) {
        if (j > 0) text += " = ";
        append_name(text, report_.listing.tensors()[group[j]].path);
      }
      if (group.size() > shown(group.size())) text += fmt::format(" … ({})", group.size());
      line(text);
    }
    write_rest(report_.tied.size(), "group");
  }

  void write_globals() {
    const std::vector<GlobalUse> globals = globals_of(report_.checkpoint());
    heading("globals");
    write_table(output_, shown(globals.size()),
                {
                    {Align::Left,            [&](std::size_t row,
                     std::string& out) { append_name(out, globals[row].name); }         },
                    {           Align::Right,   [&](std::size_t row,
                     std::string& out) { out += grouped(globals[row].count); }        },
                    { Align::Left,
                     [&](std::size_t row, std::string& out) {
                       if (!globals[row].weights_only) out += "not allowed by weights_only";
                     }, [](std::size_t) { return Role::Warning; }},
    },
                "  ");
    write_rest(globals.size(), "global");
  }

  void write_weights_only() {
    heading("torch.load(weights_only=True)");
    if (report_.weights_only.loads()) return line("  loads");
    for (std::size_t i = 0; i < shown(report_.weights_only.refused.size()); ++i) {
      const operation::Refusal& refusal = report_.weights_only.refused[i];
      line(fmt::format("  {} {} (at {:#x})", paint(Role::Error, "refuses"),
                       escape(abbreviate(refusal.what)), refusal.offset));
    }
    write_rest(report_.weights_only.refused.size(), "refusal");
  }

  void write_warnings() {
    if (report_.warnings.empty()) return;
    heading("warnings", Role::Warning);
    for (std::size_t i = 0; i < shown(report_.warnings.size()); ++i) {
      Where where = report_.warnings[i].where;
      where.file.clear();
      const std::string place = to_string(where);
      line(fmt::format("  {}{}{}", place, place.empty() ? "" : ": ",
                       printable(report_.warnings[i].message)));
    }
    write_rest(report_.warnings.size(), "warning");
  }

  Output& output_;
  const InfoReport& report_;
  std::size_t most_;
};

}  // namespace

std::vector<GlobalUse> globals_of(const checkpoint::Checkpoint& checkpoint) {
  const pickle::Graph& graph = checkpoint.graph();
  std::vector<GlobalUse> uses;
  for (std::size_t i = 0; i < graph.globals().size(); ++i) {
    const pickle::GlobalName name = pickle::canonical(graph.globals()[i]);
    uses.push_back({.name = fmt::format("{}.{}", name.module, name.name),
                    .count = graph.global_counts()[i],
                    .weights_only = operation::weights_only_allows(name)});
  }
  return uses;
}

void write_info_text(Output& output, const InfoReport& report, bool verbose) {
  Writer(output, report, verbose).write();
}

}  // namespace ptsd::report
