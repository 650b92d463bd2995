// SPDX-License-Identifier: Apache-2.0
#include "report/value_tree.h"

#include <string>
#include <string_view>

#include "base/quote.h"
#include "checkpoint/mapping.h"
#include "checkpoint/python_repr.h"
#include "checkpoint/value.h"
#include "report/tensor_text.h"
#include "report/value_text.h"
#include "report/value_walk.h"

namespace ptsd::report {

using checkpoint::Checkpoint;
using pickle::Kind;
using pickle::NodeId;

namespace {

constexpr std::size_t kUnbounded = ~std::size_t{0};

// What is spelled as a literal of Python, so that its type shows.
constexpr pickle::KindSet kLiterals(Kind::None, Kind::False, Kind::True, Kind::Int, Kind::LongBytes,
                                    Kind::LongDigits, Kind::Float, Kind::Bytes, Kind::Tuple,
                                    Kind::List, Kind::Dict);

class TreeWriter final : public ValueWalk {
 public:
  TreeWriter(Output& output, const Checkpoint& checkpoint)
      : output_(output), checkpoint_(checkpoint), text_(checkpoint.tensors(), false) {}

 private:
  void open(const Leaf& container) override {
    line(container, escape(checkpoint::type_of(checkpoint_.names(), container.node)));
  }
  void show(const Leaf& leaf) override {
    std::string text = escape(checkpoint::type_of(checkpoint_.names(), leaf.node));
    if (const auto id = checkpoint_.tensors().tensor_of(leaf.node)) {
      text = tensor(checkpoint_.tensors()[*id]);
    } else if (leaf.cycle) {
      text += " (cycle)";
    } else {
      text = value(leaf.node, text);
    }
    line(leaf, text);
  }
  void close() override {}

  void line(const Leaf& leaf, const std::string& text) {
    std::string line(2 * depth(), ' ');
    if (!leaf.is_root) line += (leaf.label.empty() ? "''" : escape(leaf.label)) + ": ";
    output_.write(line + text + "\n");
  }

  std::string tensor(const checkpoint::Tensor& tensor) {
    std::string text = "tensor ";
    text_.append_type(text, tensor);
    return text + " " + text_.shape(tensor.shape, checkpoint_.tensors().shape(tensor));
  }

  std::string value(NodeId node, const std::string& type) const {
    const pickle::Graph& graph = checkpoint_.graph();
    if (graph.kind(node) == Kind::Str || graph.kind(node) == Kind::ByteStr) {
      return escape_repr(checkpoint::repr_str(graph.text(node)));
    }
    const std::string text = value_text(checkpoint_.names(), node, kUnbounded);
    // An empty mapping, as far as items go.
    if (text.empty()) return pairs_of(checkpoint_.names(), node) ? type + " {}" : type;
    const bool is_literal =
        kLiterals.contains(graph.kind(node)) || type == "bytes" || type == "complex";
    return is_literal ? text : type + " " + text;
  }

  Output& output_;
  const Checkpoint& checkpoint_;
  TensorText text_;
};

}  // namespace

void write_value_tree(Output& output, const Checkpoint& checkpoint, NodeId root) {
  TreeWriter(output, checkpoint).run(checkpoint, root);
}

}  // namespace ptsd::report
