// SPDX-License-Identifier: Apache-2.0
#include "operation/flatten.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <tuple>
#include <unordered_map>

#include <fmt/format.h>

#include "base/quote.h"
#include "base/utf8.h"
#include "checkpoint/elements.h"
#include "checkpoint/listing.h"
#include "checkpoint/mapping.h"
#include "operation/view.h"

namespace ptsd::operation {

using checkpoint::Checkpoint;
using checkpoint::FlatTensor;
using checkpoint::Geometry;
using checkpoint::Pair;
using checkpoint::StateDict;
using checkpoint::StorageId;
using checkpoint::Tensor;
using checkpoint::TensorId;
using checkpoint::TensorKind;

namespace {

// The values of a tensor, gathered, swapped and negated as need be.
class ElementsDerivation final : public checkpoint::Derivation {
 public:
  ElementsDerivation(const Tensor& tensor, const Geometry& geometry, std::uint64_t size,
                     bool big_endian)
      : tensor_(tensor), view_(geometry), size_(size), big_endian_(big_endian) {}

  std::uint64_t size() const override { return size_; }
  std::unique_ptr<ByteSource> over(std::unique_ptr<ByteSource> storage) const override {
    return element_source(tensor_, view_.geometry(), std::move(storage), big_endian_);
  }

 private:
  Tensor tensor_;
  View view_;
  std::uint64_t size_;  // bytes
  bool big_endian_;
};

// What two tensors have in common that are the same elements of one storage.
using Identity = std::tuple<StorageId, std::uint64_t, tensor::DType, std::vector<std::int64_t>,
                            std::vector<std::int64_t>, bool, bool>;

class Flattener {
 public:
  Flattener(const Checkpoint& checkpoint, const FlattenOptions& options)
      : checkpoint_(checkpoint), tensors_(checkpoint.tensors()), options_(options) {}

  void add(const StateDict& state_dict) {
    std::unordered_map<std::string_view, std::size_t> places;
    std::vector<Pair> last;  // of a key that stands twice
    for (const Pair& pair : entries_of(checkpoint_, state_dict)) {
      const auto [place, is_new] =
          places.try_emplace(checkpoint_.graph().text(pair.key), last.size());
      if (is_new) {
        last.push_back(pair);
      } else {
        last[place->second] = pair;
      }
    }
    for (const Pair& pair : last) {
      if (const auto id = tensors_.tensor_of(pair.value)) add_tensor(pair.key, *id);
    }
  }

  Flattened finish() {
    if (!options_.clone_shared) alias();
    return std::move(result_);
  }

 private:
  [[noreturn]] void fail(const Tensor& tensor, std::string_view name, Error::Kind kind,
                         std::string_view what) const {
    checkpoint_.fail_at(tensor.node, kind, fmt::format("{} {}", quote(name), what));
  }

  void check(const Tensor& tensor, std::string_view name) const {
    if (!is_utf8(name)) {
      fail(tensor, name, Error::Kind::Unsupported, "is a name that is not UTF-8");
    }
    const bool plain = tensor.kind == TensorKind::Tensor || tensor.kind == TensorKind::Parameter;
    if (!plain || !tensor.storage) {
      fail(tensor, name, Error::Kind::Unsupported,
           fmt::format("is a {} tensor, which a format of plain elements cannot hold",
                       to_string(tensor.kind)));
    }
    const checkpoint::Storage& storage = tensors_[*tensor.storage];
    const std::uint64_t size = tensors_.byte_count(tensor);
    if (size > storage.count * storage.item_size() && size > checkpoint_.limits().view_bytes) {
      fail(tensor, name, Error::Kind::Limit,
           fmt::format("repeats its elements, and would have {} bytes: --limit view-bytes", size));
    }
  }

  void add_tensor(pickle::NodeId key, TensorId id) {
    const std::string_view name = checkpoint_.graph().text(key);
    const Tensor& tensor = tensors_[id];
    check(tensor, name);
    const tensor::Dims shape = tensors_.shape(tensor);
    const std::uint64_t item = tensor::info(tensor.dtype).item_size;
    FlatTensor flat = {
        .name = std::string(name),
        .dtype = tensor.dtype,
        .shape = {shape.begin(), shape.end()},
        .payload = {.storage = *tensor.storage            },
        .offset = tensor.offset * item
    };
    const bool swapped = options_.big_endian && tensor::component_size(tensor.dtype) > 1;
    if (swapped || tensor.conj || tensor.neg || !tensors_.is_contiguous(tensor)) {
      flat.offset = 0;
      flat.payload.derivation = std::make_shared<ElementsDerivation>(
          tensor, geometry_of(tensors_, tensor), tensors_.byte_count(tensor), options_.big_endian);
    }
    identities_.push_back(identity_of(tensor));
    result_.flat.tensors.push_back(std::move(flat));
  }

  Identity identity_of(const Tensor& tensor) const {
    const tensor::Dims shape = tensors_.shape(tensor);
    const tensor::Dims stride = tensors_.stride(tensor);
    return {
        *tensor.storage,
        tensor.offset,
        tensor.dtype,
        {shape.begin(),  shape.end() },
        {stride.begin(), stride.end()},
        tensor.conj,
        tensor.neg
    };
  }

  void alias() {
    std::vector<FlatTensor>& all = result_.flat.tensors;
    std::map<Identity, std::string> kept;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto [first, is_new] = kept.try_emplace(identities_[i], all[i].name);
      if (!is_new && !options_.keep_first) first->second = std::min(first->second, all[i].name);
    }
    std::vector<FlatTensor> rest;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const std::string& name = kept.at(identities_[i]);
      const bool is_empty = std::ranges::find(all[i].shape, 0) != all[i].shape.end();
      if (is_empty || name == all[i].name) {
        rest.push_back(std::move(all[i]));
        continue;
      }
      result_.flat.metadata.emplace_back(all[i].name, name);
      ++result_.aliases;
    }
    all = std::move(rest);
  }

  const Checkpoint& checkpoint_;
  const checkpoint::Tensors& tensors_;
  const FlattenOptions& options_;
  std::vector<Identity> identities_;
  Flattened result_;
};

// What a state dict has besides its entries, and a flat one keeps or can do without: the versions
// of modules, and texts.
bool goes_along(std::string_view path) {
  constexpr auto kAttributes =
      std::to_array<std::string_view>({"~state/_metadata", "~state/__metadata__"});
  return std::ranges::any_of(kAttributes, [&](std::string_view attribute) {
    return path == attribute || path.starts_with(fmt::format("{}/", attribute));
  });
}

// Whether the path is that of a tensor which is an entry of the state dict, or of something that
// only goes with it. A key spells no "/".
bool belongs(std::string_view path, std::string_view prefix, bool is_tensor) {
  if (!path.starts_with(prefix)) return false;
  path.remove_prefix(prefix.size());
  return is_tensor ? path.find('/') == std::string_view::npos : goes_along(path);
}

std::vector<std::string> others_of(const Checkpoint& checkpoint, pickle::NodeId root,
                                   const StateDict& state_dict) {
  const std::string prefix = state_dict.node == root ? "" : state_dict.path + "/";
  std::vector<std::string> paths;
  const checkpoint::Listing listing = list(checkpoint, root, checkpoint::Want::Everything);
  for (const bool tensors : {true, false}) {
    const auto& entries = tensors ? listing.tensors() : listing.others();
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const bool is_empty_root = entries[i].node == root && entries[i].path.empty();
      if (is_empty_root || belongs(entries[i].path, prefix, tensors)) continue;
      paths.emplace_back(entries[i].path);
    }
  }
  return paths;
}

[[noreturn]] void fail_others(const Checkpoint& checkpoint, const std::vector<std::string>& paths) {
  checkpoint.fail(
      Error::Kind::Conflict,
      fmt::format("safetensors holds the tensors of one state dict, and these are none: "
                  "{}; --drop-other leaves them out",
                  quote_some(paths)));
}

using Texts = std::map<std::string, std::string>;

void add_own_metadata(const Checkpoint& checkpoint, pickle::NodeId node, Texts& texts) {
  const auto own = attribute(checkpoint.names(), node, "__metadata__");
  const auto pairs = own ? pairs_of(checkpoint.names(), *own) : std::nullopt;
  if (!pairs) return;
  for (const Pair& pair : *pairs) {
    if (!checkpoint::is_text(checkpoint.graph(), pair.key) ||
        !checkpoint::is_text(checkpoint.graph(), pair.value))
      continue;
    texts.insert_or_assign(std::string(checkpoint.graph().text(pair.key)),
                           std::string(checkpoint.graph().text(pair.value)));
  }
}

}  // namespace

Flattened flatten(const Checkpoint& checkpoint, pickle::NodeId root, const StateDict& state_dict,
                  const FlattenOptions& options,
                  const std::vector<std::pair<std::string, std::string>>& metadata) {
  std::vector<std::string> others = others_of(checkpoint, root, state_dict);
  if (!others.empty() && !options.drop_other) fail_others(checkpoint, others);
  Flattener flattener(checkpoint, options);
  flattener.add(state_dict);
  Flattened result = flattener.finish();
  result.dropped = std::move(others);
  Texts texts;
  add_own_metadata(checkpoint, state_dict.node, texts);
  texts.insert_or_assign("format", "pt");
  for (const auto& [key, value] : metadata) {
    if (std::ranges::find(result.flat.tensors, value, &FlatTensor::name) !=
        result.flat.tensors.end()) {
      checkpoint.fail(Error::Kind::Conflict,
                      fmt::format("--metadata {}: a text that is the name of a tensor makes {} "
                                  "another name of it",
                                  quote(key + "=" + value), quote(key)));
    }
    texts.insert_or_assign(key, value);
  }
  for (const auto& [name, kept] : result.flat.metadata) {
    if (texts.try_emplace(name, kept).second) continue;
    checkpoint.fail(Error::Kind::Conflict,
                    fmt::format("{} is {} under another name, and the metadata have a text of that "
                                "name: --shared clone",
                                quote(name), quote(kept)));
  }
  result.flat.metadata.assign(texts.begin(), texts.end());
  return result;
}

}  // namespace ptsd::operation
