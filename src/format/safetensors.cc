// SPDX-License-Identifier: Apache-2.0
#include "format/safetensors.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/quote.h"
#include "format/assembly.h"
#include "format/safetensors_header.h"

namespace ptsd::format {

using pickle::NodeId;

namespace {

constexpr std::string_view kFormatKey = "format";  // what Hugging Face's loaders look for

class Assembler {
 public:
  Assembler(const ByteSource& source, SafetensorsHeader header)
      : source_(source),
        header_(std::move(header)),
        assembly_({.file = source.name()}, facts_of(source)),
        may_have_aliases_(std::ranges::any_of(
            header_.metadata, [](const auto& text) { return text.first != kFormatKey; })) {}

  std::unique_ptr<Loaded> assemble(const Limits& limits) {
    for (const SafetensorsEntry& entry : header_.tensors) {
      add(entry);
    }
    add_metadata();
    for (Warning& warning : header_.warnings) {
      assembly_.warn(std::move(warning));
    }
    return assembly_.finish(root(), limits);
  }

 private:
  // What an alias repeats.
  struct Kept {
    std::string key;  // of the storage
    tensor::DType dtype;
    std::vector<std::int64_t> shape;
    std::uint64_t count;  // elements
  };

  static FileFacts facts_of(const ByteSource& source) {
    return {.format = "safetensors",
            .bytes = source.size(),
            .has_pickle = false,
            .has_checksums = false};
  }

  // The shape as torch counts it.
  std::vector<std::int64_t> shape_of(const SafetensorsEntry& entry) const {
    std::vector<std::int64_t> shape = entry.shape;
    if (elements_per_item(*entry.type) == 1) return shape;
    if (shape.empty() || shape.back() % 2 != 0) {
      fail(entry, fmt::format("an odd number of {} in the last dimension, torch has pairs of them",
                              entry.type->name));
    }
    shape.back() /= 2;
    return shape;
  }

  void add(const SafetensorsEntry& entry) {
    if (!entry.type->dtype) fail(entry, fmt::format("torch has no {}", entry.type->name));
    const std::uint64_t size = entry.end - entry.begin;
    Kept kept = {
        .key = assembly_.bind(std::make_unique<RangeBytes>(source_, entry.begin, size)),
        .dtype = *entry.type->dtype,
        .shape = shape_of(entry),
        .count = size / tensor::info(*entry.type->dtype).item_size,
    };
    add_item(entry.name, kept);
    if (may_have_aliases_) kept_.emplace(entry.name, std::move(kept));
  }

  void add_item(std::string_view name, const Kept& kept) {
    const NodeId storage = assembly_.tensors().storage(kept.dtype, kept.key, kept.count);
    items_.push_back(assembly_.builder().str(name));
    items_.push_back(assembly_.tensors().view(storage, kept.dtype, 0, kept.shape,
                                              tensor::contiguous_stride(kept.shape)));
  }

  // Null for what is no alias. What "format" says is never one.
  const Kept* kept_for(const std::string& key, const std::string& value) const {
    const auto found = kept_.find(value);
    if (key == kFormatKey || found == kept_.end() || kept_.contains(key)) return nullptr;
    return &found->second;
  }

  void add_metadata() {
    for (const auto& [key, value] : header_.metadata) {
      if (const Kept* const kept = kept_for(key, value)) {
        add_item(key, *kept);
      } else {
        metadata_.push_back(assembly_.builder().str(key));
        metadata_.push_back(assembly_.builder().str(value));
      }
    }
  }

  NodeId root() {
    pickle::Builder& builder = assembly_.builder();
    if (metadata_.empty()) return builder.dict(items_);
    const NodeId dict = assembly_.tensors().ordered_dict();
    if (!items_.empty()) builder.graph().mutate(dict, pickle::Change::SetItems, items_);
    const NodeId state[] = {builder.str(kSafetensorsMetadata), builder.dict(metadata_)};
    const NodeId attributes[] = {builder.dict(state)};
    builder.graph().mutate(dict, pickle::Change::Build, attributes);
    return dict;
  }

  [[noreturn]] void fail(const SafetensorsEntry& entry, std::string message) const {
    source_.fail_at(entry.key, Error::Kind::Unsupported,
                    quote(entry.name) + ": " + std::move(message));
  }

  const ByteSource& source_;
  SafetensorsHeader header_;
  Assembly assembly_;
  bool may_have_aliases_;
  std::map<std::string, Kept, std::less<>> kept_;
  std::vector<NodeId> items_;     // name, tensor, name, tensor, ...
  std::vector<NodeId> metadata_;  // key, value, key, value, ...
};

}  // namespace

std::unique_ptr<Loaded> load_safetensors(const Input& input, const Limits& limits) {
  return Assembler(input.source, read_safetensors_header(input.source, limits)).assemble(limits);
}

}  // namespace ptsd::format
