// SPDX-License-Identifier: Apache-2.0
#include "report/element_json.h"

#include <cmath>
#include <complex>
#include <iterator>
#include <string>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "tensor/scalar.h"

namespace ptsd::report {
namespace {

void append(std::string& out, bool value) {
  out += value ? "true" : "false";
}
void append(std::string& out, std::int64_t value) {
  fmt::format_to(std::back_inserter(out), "{}", value);
}
void append(std::string& out, std::uint64_t value) {
  fmt::format_to(std::back_inserter(out), "{}", value);
}
void append(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "\"NaN\"";
  } else if (std::isinf(value)) {
    out += value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  } else {
    const std::size_t begin = out.size();
    fmt::format_to(std::back_inserter(out), "{}", value);
    // Stays a float where it is read.
    if (out.find_first_of(".e", begin) == std::string::npos) out += ".0";
  }
}
void append(std::string& out, const std::complex<double>& value) {
  out += '[';
  append(out, value.real());
  out += ',';
  append(out, value.imag());
  out += ']';
}

// Brackets and commas of nested arrays, as the index runs through a shape.
class Brackets {
 public:
  explicit Brackets(tensor::Dims shape) : shape_(shape), index_(shape.size()) {}

  void open(std::string& out) const { out.append(index_.size(), '['); }
  // What stands before the next element.
  void next(std::string& out) {
    std::size_t at = index_.size() - 1;
    while (++index_[at] == shape_[at]) {
      index_[at--] = 0;
    }
    const std::size_t closed = index_.size() - 1 - at;
    out.append(closed, ']');
    out += ',';
    out.append(closed, '[');
  }
  void close(std::string& out) const { out.append(index_.size(), ']'); }

 private:
  tensor::Dims shape_;
  std::vector<std::int64_t> index_;
};

}  // namespace

void write_elements_json(Output& output, tensor::Dims shape, const operation::Values& values) {
  if (values.elements == nullptr) return output.write("[]");
  const tensor::ReadScalar read = tensor::scalar_reader(values.dtype);
  const std::size_t item_size = tensor::info(values.dtype).item_size;
  Brackets brackets(shape);
  std::string text;
  brackets.open(text);
  bool first = true;
  each_block(*values.elements, 0, values.elements->size(), [&](Bytes block) {
    constexpr std::size_t kEnough = 4096;
    for (std::size_t at = 0; at < block.size(); at += item_size) {
      if (!first) brackets.next(text);
      first = false;
      std::visit([&](const auto& value) { append(text, value); }, read(block.data() + at));
      if (text.size() < kEnough) continue;
      output.write(text);
      text.clear();
    }
  });
  brackets.close(text);
  output.write(text);
}

}  // namespace ptsd::report
