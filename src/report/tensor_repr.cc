// SPDX-License-Identifier: Apache-2.0
#include "report/tensor_repr.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/quote.h"
#include "checkpoint/python_repr.h"
#include "operation/components.h"
#include "operation/nested.h"
#include "report/tensor_body.h"
#include "report/tensor_text.h"

// The order and the spelling of the parts are those of torch/_tensor_str.py, _str_intern.

namespace ptsd::report {

using checkpoint::Geometry;
using checkpoint::Known;
using checkpoint::Tensor;
using checkpoint::TensorExtra;
using checkpoint::TensorId;
using operation::Excerpt;
using operation::Payload;
using operation::Quantizer;
using operation::Values;
using operation::View;
using tensor::DType;

namespace {

using Suffixes = std::vector<std::string>;

constexpr std::uint64_t kThreshold = 1000;  // elements, above which the middle is left out

// "(2, 3)", "(2,)".
std::string tuple_text(tensor::Dims shape) {
  std::string text = "(";
  for (const std::int64_t size : shape) {
    if (text.size() > 1) text += ", ";
    // A size that differs from row to row.
    text += size < 0 ? "j1" : fmt::format("{}", size);
  }
  return text + (shape.size() == 1 ? ",)" : ")");
}

bool is_default(DType dtype) {
  return dtype == DType::Float32 || dtype == DType::Complex64 || dtype == DType::Int64 ||
         dtype == DType::Bool;
}

std::string dtype_suffix(DType dtype) {
  return fmt::format("dtype=torch.{}", tensor::name(dtype));
}
std::string size_suffix(tensor::Dims shape) {
  return "size=" + tuple_text(shape);
}

bool is_empty(tensor::Dims shape) {
  return std::ranges::find(shape, 0) != shape.end();
}

void put_suffixes(ReprSink& sink, const Suffixes& suffixes, std::size_t indent,
                  bool force_newline) {
  std::size_t last_line = sink.column() + 2;
  for (const std::string& suffix : suffixes) {
    if (force_newline || last_line + suffix.size() + 2 > kLineWidth) {
      sink.put(",\n" + std::string(indent, ' ') + suffix);
      last_line = indent + suffix.size();
      force_newline = false;
    } else {
      sink.put(", " + suffix);
      last_line += suffix.size() + 2;
    }
  }
  sink.put(")");
}

// How a parameter was made does not show in every kind of tensor.
bool is_parameter(const Payload& payload, const Tensor& tensor) {
  if (tensor.kind == checkpoint::TensorKind::Parameter) return true;
  const Known maker = payload.checkpoint.names().maker(tensor.node).what;
  return maker == Known::RebuildParameter || maker == Known::RebuildParameterWithState ||
         maker == Known::Parameter;
}

class Repr {
 public:
  Repr(ReprSink& sink, const Payload& payload, bool full)
      : sink_(sink), payload_(payload), tensors_(payload.checkpoint.tensors()), full_(full) {}

  void write(TensorId id) {
    const Tensor& tensor = tensors_[id];
    const std::string_view layout = layout_of(tensor);
    if (is_parameter(payload_, tensor)) sink_.put("Parameter containing:\n");
    if (layout == "torch.jagged") return jagged(tensor);
    if (operation::find_component(tensors_, tensor, "buffer")) return nested(tensor);
    if (layout.starts_with("torch.sparse_")) return sparse(tensor);
    if (!operation::has_elements(payload_, tensor)) return without_elements(tensor);
    const Geometry geometry = checkpoint::geometry_of(tensors_, tensor);
    if (const auto quantizer = Quantizer::of(payload_.checkpoint, tensor)) {
      return quantized(tensor, geometry, *quantizer);
    }
    strided(tensor, geometry, tensor.requires_grad);
  }

  // A part of a tensor, as if it were one.
  void write(const Tensor& tensor, const View& view) {
    if (!operation::has_elements(payload_, tensor)) return without_elements(tensor, view.shape);
    if (const auto quantizer = Quantizer::of(payload_.checkpoint, tensor)) {
      return quantized(tensor, view.geometry(), *quantizer);
    }
    strided(tensor, view.geometry(), false);
  }

 private:
  std::string_view layout_of(const Tensor& tensor) const {
    const TensorExtra* const extra = tensors_.extra(tensor);
    return extra == nullptr ? std::string_view() : extra->layout;
  }

  // "tensor(", or the name of the class.
  std::size_t prefix(const Tensor& tensor) {
    const TensorExtra* const extra = tensors_.extra(tensor);
    std::string text = "tensor(";
    if (tensor.kind == checkpoint::TensorKind::Subclass && extra != nullptr &&
        !extra->type.name.empty()) {
      const std::string_view name = extra->type.name;
      text = escape(name.substr(name.rfind('.') + 1)) + "(";
    }
    sink_.put(text);
    return text.size();
  }

  Suffixes device_suffix(const Tensor& tensor) const {
    const std::string_view device = device_of(tensors_, payload_.checkpoint.graph(), tensor);
    if (device.empty() || device == "cpu") return {};
    return {fmt::format("device='{}'", escape(device))};
  }

  Excerpt excerpt_of(const Geometry& geometry) const {
    const std::uint64_t count = tensor::element_count(geometry.shape).value_or(0);
    if (count <= kThreshold || full_) return operation::whole(geometry);
    Excerpt excerpt = operation::corners(geometry);
    const std::uint64_t limit = payload_.checkpoint.limits().entries;
    if (tensor::element_count(excerpt.shape).value_or(limit) > limit) {
      // A few bytes can describe many dimensions of two.
      payload_.checkpoint.fail(
          Error::Kind::Limit,
          fmt::format("a summary of more than {} elements (--limit entries=N)", limit));
    }
    return excerpt;
  }

  void body(const Tensor& tensor, const Geometry& geometry, std::size_t indent,
            const std::optional<Quantizer>& quantizer = {}) {
    const Excerpt excerpt = excerpt_of(geometry);
    Values values = {.dtype = tensor.dtype, .elements = nullptr};
    if (!is_empty(excerpt.shape))
      values = operation::values_of(payload_, tensor, excerpt, quantizer);
    write_body(sink_, excerpt, values, indent);
  }

  void finish(Suffixes suffixes, bool requires_grad, std::size_t indent,
              bool force_newline = false) {
    if (requires_grad) suffixes.push_back("requires_grad=True");
    put_suffixes(sink_, suffixes, indent, force_newline);
  }

  void strided(const Tensor& tensor, const Geometry& geometry, bool requires_grad) {
    const std::size_t indent = prefix(tensor);
    Suffixes suffixes = device_suffix(tensor);
    if (is_empty(geometry.shape)) {
      if (geometry.shape.size() != 1) suffixes.push_back(size_suffix(geometry.shape));
      if (tensor.dtype != DType::Float32) suffixes.push_back(dtype_suffix(tensor.dtype));
    } else if (!is_default(tensor.dtype)) {
      suffixes.push_back(dtype_suffix(tensor.dtype));
    }
    body(tensor, geometry, indent);
    finish(std::move(suffixes), requires_grad, indent);
  }

  void without_elements(const Tensor& tensor) {
    without_elements(tensor, tensors_.shape(tensor), tensor.requires_grad);
  }
  void without_elements(const Tensor& tensor, tensor::Dims shape, bool requires_grad = false) {
    const std::size_t indent = prefix(tensor);
    Suffixes suffixes = device_suffix(tensor);
    suffixes.push_back(size_suffix(shape));
    if (tensor.dtype != DType::Float32) suffixes.push_back(dtype_suffix(tensor.dtype));
    sink_.put("...");
    finish(std::move(suffixes), requires_grad, indent);
  }

  void quantized(const Tensor& tensor, const Geometry& geometry, const Quantizer& quantizer) {
    const std::size_t indent = prefix(tensor);
    Suffixes suffixes = device_suffix(tensor);
    suffixes.push_back(size_suffix(geometry.shape));
    suffixes.push_back(dtype_suffix(tensor.dtype));
    suffixes.push_back("quantization_scheme=torch." + escape(quantizer.scheme()));
    if (quantizer.per_channel()) {
      suffixes.push_back("scale=" + channels(quantizer.scales(payload_)));
      suffixes.push_back("zero_point=" + channels(quantizer.zero_points(payload_)));
      suffixes.push_back(fmt::format("axis={}", quantizer.axis()));
    } else {
      suffixes.push_back("scale=" + checkpoint::repr(quantizer.scale()));
      suffixes.push_back(fmt::format("zero_point={}", quantizer.zero_point()));
    }
    body(tensor, geometry, indent, quantizer);
    finish(std::move(suffixes), tensor.requires_grad, indent);
  }

  // In memory: there are not many channels.
  std::string channels(operation::ChannelNumbers numbers) const {
    std::string text;
    ReprSink sink([&text](std::string_view piece) { text += piece; });
    Tensor plain = {};
    plain.dtype = numbers.dtype;
    const std::vector<std::int64_t> shape = {static_cast<std::int64_t>(
        numbers.elements->size() / tensor::info(numbers.dtype).item_size)};
    const std::vector<std::int64_t> stride = {1};
    const Excerpt excerpt = excerpt_of({0, shape, stride});
    const Values values = {numbers.dtype,
                           checkpoint::element_source(plain, excerpt.view.geometry(),
                                                      std::move(numbers.elements), false)};
    sink.put("tensor(");
    write_body(sink, excerpt, values, sink.column());
    Suffixes suffixes;
    const bool shown = is_empty(shape) ? plain.dtype == DType::Float32 : is_default(plain.dtype);
    if (!shown) suffixes.push_back(dtype_suffix(plain.dtype));
    put_suffixes(sink, suffixes, std::string_view("tensor(").size(), false);
    return text;
  }

  void sparse(const Tensor& tensor) {
    const bool coo = layout_of(tensor) == "torch.sparse_coo";
    const std::size_t indent = prefix(tensor);
    Suffixes suffixes = device_suffix(tensor);
    suffixes.push_back(size_suffix(tensors_.shape(tensor)));
    suffixes.push_back(fmt::format("nnz={}", operation::specified_count(payload_, tensor)));
    if (!is_default(tensor.dtype)) suffixes.push_back(dtype_suffix(tensor.dtype));
    bool first = true;
    for (const checkpoint::Component& component : tensors_.extra(tensor)->components) {
      if (!first) sink_.put("),\n" + std::string(indent, ' '));
      first = false;
      component_body(tensor, component.role, indent);
    }
    sink_.put(")");
    suffixes.push_back("layout=" + std::string(layout_of(tensor)));
    finish(std::move(suffixes), tensor.requires_grad, indent, coo);
  }

  // "values=tensor([...]": the bracket is closed by the caller.
  void component_body(const Tensor& whole, std::string_view role, std::size_t indent) {
    const Tensor& tensor = operation::dense_component(payload_, whole, role);
    const std::string text = fmt::format("{}=tensor(", role);
    sink_.put(text);
    const Geometry geometry = checkpoint::geometry_of(tensors_, tensor);
    body(tensor, geometry, indent + text.size());
    if (is_empty(geometry.shape)) sink_.put(", size=" + tuple_text(geometry.shape));
  }

  void jagged(const Tensor& tensor) {
    sink_.put("NestedTensor(size=" + tuple_text(tensors_.shape(tensor)) + ", offsets=");
    const Tensor& offsets = operation::dense_component(payload_, tensor, "offsets");
    const Tensor& values = operation::dense_component(payload_, tensor, "values");
    // A tensor of its own: its lines are as long as if it began at the margin.
    ReprSink own([&](std::string_view piece) { sink_.put(piece); });
    Repr(own, payload_, full_).strided(offsets, checkpoint::geometry_of(tensors_, offsets), false);
    if (tensor.requires_grad) sink_.put(", requires_grad=True");
    const bool contiguous =
        !operation::find_component(tensors_, tensor, "lengths") && tensors_.is_contiguous(values);
    sink_.put(contiguous ? ", contiguous=True)" : ", contiguous=False)");
  }

  void nested(const Tensor& tensor) {
    constexpr std::string_view kPrefix = "nested_tensor(";
    sink_.put(kPrefix);
    sink_.put("[\n");
    const operation::NestedParts parts(payload_, tensor);
    const bool requires_grad = parts.buffer().requires_grad;
    for (std::uint64_t i = 0; i < parts.count(); ++i) {
      if (i > 0) sink_.put(",\n");
      ReprSink inner = indented();
      Repr(inner, parts.payload(), full_)
          .strided(parts.buffer(), parts.view(i).geometry(), requires_grad);
    }
    sink_.put("\n]");
    Suffixes suffixes = device_suffix(tensor);
    // Loading makes it from the buffer, which autograd notes.
    if (requires_grad) suffixes.push_back("grad_fn=<NestedViewFromBufferBackward0>");
    finish(std::move(suffixes), tensor.requires_grad && !requires_grad, kPrefix.size());
  }

  // Every line behind two blanks, which do not count for its length.
  ReprSink indented() {
    sink_.put("  ");
    return ReprSink([this](std::string_view piece) {
      while (true) {
        const std::size_t newline = piece.find('\n');
        if (newline == std::string_view::npos) return sink_.put(piece);
        sink_.put(piece.substr(0, newline + 1));
        sink_.put("  ");
        piece.remove_prefix(newline + 1);
      }
    });
  }

  ReprSink& sink_;
  const Payload& payload_;
  const checkpoint::Tensors& tensors_;
  bool full_;
};

}  // namespace

void require_strided(const Payload& payload, const Tensor& tensor, std::string_view name) {
  const checkpoint::Tensors& tensors = payload.checkpoint.tensors();
  const TensorExtra* const extra = tensors.extra(tensor);
  const bool has_layout = extra != nullptr && !extra->layout.empty();
  if (has_layout || operation::find_component(tensors, tensor, "buffer") != nullptr) {
    fail_usage("--slice of " + quote(name) + ", a sparse or nested tensor: it has no strides");
  }
  const auto quantizer = Quantizer::of(payload.checkpoint, tensor);
  if (quantizer && quantizer->per_channel()) {
    fail_usage("--slice of " + quote(name) + ", which is quantised by channels");
  }
}

void write_repr(ReprSink& sink, const Payload& payload, TensorId id, const ReprStyle& style) {
  Repr repr(sink, payload, style.full);
  if (style.view == nullptr) return repr.write(id);
  repr.write(payload.checkpoint.tensors()[id], *style.view);
}

}  // namespace ptsd::report
