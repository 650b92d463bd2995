// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "checkpoint/children.h"
#include "checkpoint/mapping.h"
#include "checkpoint/nn_module.h"
#include "checkpoint/value.h"
#include "operation/components.h"
#include "operation/nested.h"
#include "report/cat.h"
#include "report/element_json.h"
#include "report/value_json.h"
#include "report/value_walk.h"

namespace ptsd::report {

using checkpoint::Checkpoint;
using checkpoint::Geometry;
using checkpoint::Known;
using checkpoint::Tensor;
using operation::Payload;
using operation::Values;
using pickle::Kind;
using pickle::NodeId;

namespace {

// What is called to make a sequence or a set, where a pickle has no opcode for it.
constexpr auto kSequences = std::to_array<Known>({Known::Deque, Known::Set, Known::FrozenSet});

Json shape_json(tensor::Dims shape) {
  Json json = Json::array();
  for (const std::int64_t size : shape) {
    json.push_back(size < 0 ? Json() : Json(size));
  }
  return json;
}

// `"dtype":...,"shape":[...]`, and the layout where there is one.
std::string tensor_members(const Checkpoint& checkpoint, const Tensor& tensor, tensor::Dims shape) {
  const checkpoint::TensorExtra* const extra = checkpoint.tensors().extra(tensor);
  Json json = {
      {"type",  "tensor"                  },
      {"dtype", tensor::name(tensor.dtype)},
      {"shape", shape_json(shape)         }
  };
  if (extra != nullptr && !extra->layout.empty()) json["layout"] = safe(extra->layout);
  const std::string text = dump(json);
  return text.substr(1, text.size() - 2);
}

// The elements of a tensor, wherever they are.
class TensorWriter {
 public:
  TensorWriter(Output& output, const Payload& payload)
      : output_(output), payload_(payload), tensors_(payload.checkpoint.tensors()) {}

  void write(const Tensor& tensor) {
    if (operation::find_component(tensors_, tensor, "buffer") != nullptr) return nested(tensor);
    const checkpoint::TensorExtra* const extra = tensors_.extra(tensor);
    if (extra != nullptr && !extra->layout.empty() && !extra->components.empty()) {
      return components(tensor, *extra);
    }
    write(tensor, checkpoint::geometry_of(tensors_, tensor), payload_);
  }

  void write(const Tensor& tensor, const Geometry& geometry, const Payload& payload) {
    if (!operation::has_elements(payload, tensor)) return output_.write("null");
    Values values = {.dtype = tensor.dtype, .elements = nullptr};
    if (std::ranges::find(geometry.shape, 0) == geometry.shape.end()) {
      values = operation::values_of(payload, tensor, operation::whole(geometry),
                                    operation::Quantizer::of(payload.checkpoint, tensor));
    }
    write_elements_json(output_, geometry.shape, values);
  }

 private:
  void components(const Tensor& tensor, const checkpoint::TensorExtra& extra) {
    std::string separator = "{\"";
    for (const checkpoint::Component& component : extra.components) {
      output_.write(separator + std::string(component.role) + "\":");
      const Tensor& part = operation::dense_component(payload_, tensor, component.role);
      write(part, checkpoint::geometry_of(tensors_, part), payload_);
      separator = ",\"";
    }
    output_.write("}");
  }

  void nested(const Tensor& tensor) {
    const operation::NestedParts parts(payload_, tensor);
    output_.write("[");
    for (std::uint64_t i = 0; i < parts.count(); ++i) {
      if (i > 0) output_.write(",");
      write(parts.buffer(), parts.view(i).geometry(), parts.payload());
    }
    output_.write("]");
  }

  Output& output_;
  const Payload& payload_;
  const checkpoint::Tensors& tensors_;
};

// A value that is no tensor. Sequences and sets are arrays, everything else with parts is an
// object; what JSON has no form for is {"type": ..., "value": ...}.
class ValueWriter final : public ValueWalk {
 public:
  ValueWriter(Output& output, const Checkpoint& checkpoint)
      : output_(output), checkpoint_(checkpoint) {}

 private:
  struct Open {
    bool is_array;
    std::string_view end;  // what closes it
    bool has_items = false;
  };

  void open(const Leaf& container) override {
    begin(container);
    const bool is_array = holds_items_only(container.node);
    output_.write(is_array ? "[" : "{");
    open_.push_back({is_array, is_array ? "]" : "}"});
  }

  void show(const Leaf& leaf) override {
    begin(leaf);
    const auto id = checkpoint_.tensors().tensor_of(leaf.node);
    if (id) {
      const Tensor& tensor = checkpoint_.tensors()[*id];
      output_.write("{" + tensor_members(checkpoint_, tensor, checkpoint_.tensors().shape(tensor)));
      if (!leaf.has_attributes) return output_.write("}");
      output_.write(",\"attributes\":{");
      open_.push_back({false, "}}"});
      return;
    }
    output_.write(dump(leaf.cycle ? cycle(leaf.node) : value(leaf.node)));
  }

  void close() override {
    output_.write(open_.back().end);
    open_.pop_back();
  }

  void begin(const Leaf& leaf) {
    if (leaf.is_root) return;
    if (open_.back().has_items) output_.write(",");
    open_.back().has_items = true;
    if (!open_.back().is_array) output_.write(dump(Json(safe(leaf.label))) + ":");
  }

  bool holds_items_only(NodeId node) const {
    const Kind kind = checkpoint_.graph().kind(node);
    if (kind == Kind::List || kind == Kind::Tuple) return true;
    if (kind == Kind::Dict || is_nn_module(checkpoint_.names(), node)) return false;
    const checkpoint::Children children = children_of(checkpoint_.names(), node);
    return std::ranges::all_of(children.list, [](const checkpoint::Child& child) {
      return child.label == checkpoint::Child::Label::Index &&
             child.part == checkpoint::Child::Part::Plain;
    });
  }

  std::string type_of(NodeId node) const {
    return safe(checkpoint::type_of(checkpoint_.names(), node));
  }

  Json cycle(NodeId node) const {
    return {
        {"type",  type_of(node)},
        {"cycle", true         }
    };
  }

  Json value(NodeId node) const {
    switch (checkpoint_.graph().kind(node)) {
      case Kind::None: return nullptr;
      case Kind::False:
      case Kind::True:
      case Kind::Int:
      case Kind::Float:
      case Kind::Str:
      case Kind::ByteStr: return to_json(value_of(checkpoint_.names(), node));
      case Kind::List:
      case Kind::Tuple:
      case Kind::Set:
      case Kind::FrozenSet: return Json::array();
      case Kind::Dict: return Json::object();
      default: break;
    }
    const checkpoint::Value value = value_of(checkpoint_.names(), node);
    if (std::holds_alternative<std::monostate>(value.value)) {
      if (pairs_of(checkpoint_.names(), node)) return Json::object();
      const Known maker = checkpoint_.names().maker(node).what;
      if (std::ranges::find(kSequences, maker) != kSequences.end()) return Json::array();
    }
    return {
        {"type",  type_of(node) },
        {"value", to_json(value)}
    };
  }

  Output& output_;
  const Checkpoint& checkpoint_;
  std::vector<Open> open_;
};

void write_item(Output& output, const CatReport& report, const CatItem& item) {
  const Checkpoint& checkpoint = report.payload.checkpoint;
  Json json = Json::object();
  set_text(json, "path", item.path);
  std::string text = dump(json);
  text.pop_back();
  if (!item.tensor) {
    json = {
        {"type", safe(checkpoint::type_of(checkpoint.names(), item.node))}
    };
    const std::string type = dump(json);
    output.write(text + "," + type.substr(1, type.size() - 2) + ",\"value\":");
    ValueWriter(output, checkpoint).run(checkpoint, item.node);
  } else {
    const Tensor& tensor = checkpoint.tensors()[*item.tensor];
    const tensor::Dims shape =
        item.view ? tensor::Dims(item.view->shape) : checkpoint.tensors().shape(tensor);
    output.write(text + "," + tensor_members(checkpoint, tensor, shape) + ",\"value\":");
    TensorWriter writer(output, report.payload);
    if (item.view) {
      writer.write(tensor, item.view->geometry(), report.payload);
    } else {
      writer.write(tensor);
    }
  }
  output.write("}");
}

}  // namespace

void write_cat_json(Output& output, const CatReport& report) {
  Json file = Json::object();
  set_text(file, "path", report.path);
  file["format"] = report.loaded.facts().format;
  if (!report.subtree.empty()) set_text(file, "subtree", report.subtree);
  output.write("{\"schema\":\"ptsd.cat/1\",\"file\":" + dump(file) + ",\"values\":[");
  for (std::size_t i = 0; i < report.items.size(); ++i) {
    if (i > 0) output.write(",");
    write_item(output, report, report.items[i]);
  }
  output.write("],\"warnings\":" + dump(to_json(report.warnings)) + "}\n");
}

}  // namespace ptsd::report
