// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "base/quote.h"
#include "report/ls.h"
#include "report/ls_totals.h"
#include "report/numbers.h"
#include "report/table.h"
#include "report/tensor_text.h"

namespace ptsd::report {
namespace {

// A segment of the names, between dots and slashes. Children are in the order of the listing.
struct Branch {
  std::string_view segment;
  std::uint32_t depth = 0;
  std::uint32_t first_child = 0;  // 0: none, the root is nobody's child
  std::uint32_t last_child = 0;
  std::uint32_t next = 0;  // sibling
  std::uint64_t tensors = 0;
  std::uint64_t bytes = 0;
  std::optional<std::size_t> row = std::nullopt;  // of the tensor, if it is one
};

class Tree {
 public:
  explicit Tree(const LsReport& report) : report_(report), branches_(1) {
    for (std::size_t row = 0; row < report.shown.size(); ++row) {
      add(row);
    }
  }

  const Branch& operator[](std::uint32_t id) const { return branches_[id]; }

  // The branches in the order of a tree, down to `depth`.
  std::vector<std::uint32_t> visible(std::uint64_t depth) const {
    std::vector<std::uint32_t> order;
    std::vector<std::uint32_t> stack;
    if (branches_[0].first_child != 0) stack.push_back(branches_[0].first_child);
    while (!stack.empty()) {
      const std::uint32_t id = stack.back();
      stack.pop_back();
      order.push_back(id);
      const Branch& branch = branches_[id];
      if (branch.next != 0) stack.push_back(branch.next);
      if (branch.first_child != 0 && branch.depth < depth) stack.push_back(branch.first_child);
    }
    return order;
  }

 private:
  void add(std::size_t row) {
    const std::uint64_t bytes = report_.checkpoint().tensors().byte_count(report_.tensor(row));
    std::string_view rest = report_.entry(row).path;
    std::uint32_t at = 0;
    while (true) {
      const std::size_t end = rest.find_first_of("./");
      if (end == std::string_view::npos) break;
      at = group(at, rest.substr(0, end));
      rest.remove_prefix(end + 1);
      ++branches_[at].tensors;
      branches_[at].bytes += bytes;
    }
    // A tensor may have the name of a group: it is a branch beside it.
    Branch& leaf = branches_[append(at, rest)];
    leaf.bytes = bytes;
    leaf.row = row;
  }

  std::uint32_t group(std::uint32_t parent, std::string_view segment) {
    const auto [found, added] = groups_.try_emplace(fmt::format("{}/{}", parent, segment));
    if (added) found->second = append(parent, segment);
    return found->second;
  }

  std::uint32_t append(std::uint32_t parent, std::string_view segment) {
    const auto number = static_cast<std::uint32_t>(branches_.size());
    Branch branch = {.segment = segment};
    branch.depth = branches_[parent].depth + 1;
    branches_.push_back(branch);
    Branch& above = branches_[parent];
    if (above.first_child == 0) {
      above.first_child = number;
    } else {
      branches_[above.last_child].next = number;
    }
    above.last_child = number;
    return number;
  }

  const LsReport& report_;
  std::vector<Branch> branches_;
  std::unordered_map<std::string, std::uint32_t> groups_;
};

}  // namespace

void write_ls_tree(Output& output, const LsReport& report, const LsStyle& style) {
  const checkpoint::Tensors& tensors = report.checkpoint().tensors();
  const Tree tree(report);
  const std::uint64_t depth = style.depth.value_or(~std::uint64_t{0});
  const std::vector<std::uint32_t> rows = tree.visible(depth);
  TensorText text(tensors, style.exact_bytes);
  write_table(output, rows.size(),
              {
                  {Align::Left,
                   [&](std::size_t row, std::string& out) {
                     const Branch& branch = tree[rows[row]];
                     out.append(2 * (branch.depth - 1), ' ');
                     append_name(out, branch.segment);
                   }},
                  {Align::Left,
                   [&](std::size_t row, std::string& out) {
                     const Branch& branch = tree[rows[row]];
                     if (branch.row) {
                       text.append_type(out, report.tensor(*branch.row));
                     } else {
                       out += counted(branch.tensors, "tensor");
                     }
                   }},
                  {Align::Left,
                   [&](std::size_t row, std::string& out) {
                     const Branch& branch = tree[rows[row]];
                     if (!branch.row) return;
                     const checkpoint::Tensor& tensor = report.tensor(*branch.row);
                     out += text.shape(tensor.shape, tensors.shape(tensor));
                   }},
                  {Align::Right,
                   [&](std::size_t row, std::string& out) {
                     const std::uint64_t bytes = tree[rows[row]].bytes;
                     out += style.exact_bytes ? fmt::format("{}", bytes) : human_bytes(bytes);
                   }},
  });
  write_ls_totals(output, report, style);
}

}  // namespace ptsd::report
