// SPDX-License-Identifier: Apache-2.0
#include "report/tensor_body.h"

#include <algorithm>
#include <string>
#include <vector>

#include "report/element_format.h"

namespace ptsd::report {
namespace {

using operation::Excerpt;
using operation::Values;

template <class Use>
void each_scalar(const Values& values, const Use& use) {
  const tensor::ReadScalar read = tensor::scalar_reader(values.dtype);
  const std::size_t item_size = tensor::info(values.dtype).item_size;
  each_block(*values.elements, 0, values.elements->size(), [&](Bytes block) {
    for (std::size_t at = 0; at < block.size(); at += item_size) {
      use(read(block.data() + at));
    }
  });
}

class BodyWriter {
 public:
  BodyWriter(ReprSink& sink, const Excerpt& excerpt, const ElementFormat& format,
             std::size_t indent)
      : sink_(sink),
        excerpt_(excerpt),
        format_(format),
        indent_(indent),
        index_(excerpt.shape.size()),
        per_line_(elements_per_line()) {
    text_.append(index_.size(), '[');
  }

  void element(const tensor::Scalar& value) {
    if (started_) next();
    started_ = true;
    format_.append(text_, value);
    constexpr std::size_t kEnough = 4096;
    if (text_.size() > kEnough) flush();
  }

  void finish() {
    text_.append(index_.size(), ']');
    flush();
  }

 private:
  std::size_t elements_per_line() const {
    if (index_.empty()) return 1;
    // The innermost bracket stands behind those of the dimensions around it.
    const std::size_t taken = indent_ + index_.size() - 1;
    const std::size_t room = kLineWidth > taken ? kLineWidth - taken : 0;
    return std::max<std::size_t>(1, room / (format_.width() + 2));
  }

  // Moves on to the next position and writes what stands before it.
  void next() {
    std::size_t at = index_.size() - 1;
    while (++index_[at] == excerpt_.shape[at]) {
      index_[at--] = 0;
    }
    const std::size_t closed = index_.size() - 1 - at;
    text_.append(closed, ']');
    const bool gap = excerpt_.cut[at] && index_[at] == Excerpt::kEdge;
    if (closed == 0) {
      if (gap) between_elements(" ...");
      between_elements("");
      return;
    }
    column_ = 0;
    between_rows(at);
    if (gap) {
      text_ += "...";
      between_rows(at);
    }
    text_.append(closed, '[');
  }

  void between_elements(std::string_view then) {
    const bool wrap = ++column_ % per_line_ == 0;
    text_ += wrap ? "," : ", ";
    if (wrap) new_line(index_.size());
    text_ += then;
  }

  void between_rows(std::size_t dimension) {
    text_ += ',';
    text_.append(index_.size() - dimension - 2, '\n');
    new_line(dimension + 1);
  }

  void new_line(std::size_t brackets) {
    text_ += '\n';
    text_.append(indent_ + brackets, ' ');
  }

  void flush() {
    sink_.put(text_);
    text_.clear();
  }

  ReprSink& sink_;
  const Excerpt& excerpt_;
  const ElementFormat& format_;
  std::size_t indent_;
  std::vector<std::int64_t> index_;
  std::size_t per_line_;
  std::size_t column_ = 0;  // elements written in the innermost dimension, "..." being one
  bool started_ = false;
  std::string text_;
};

}  // namespace

void write_body(ReprSink& sink, const Excerpt& excerpt, const Values& values, std::size_t indent) {
  if (std::ranges::find(excerpt.shape, 0) != excerpt.shape.end()) return sink.put("[]");
  ElementFormat format(values.dtype);
  each_scalar(values, [&](const tensor::Scalar& value) { format.see(value); });
  format.settle();
  BodyWriter writer(sink, excerpt, format, indent);
  each_scalar(values, [&](const tensor::Scalar& value) { writer.element(value); });
  writer.finish();
}

}  // namespace ptsd::report
