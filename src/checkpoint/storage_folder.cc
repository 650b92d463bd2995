// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/storage_folder.h"

#include <fmt/format.h>

#include "base/checked.h"
#include "base/quote.h"

namespace ptsd::checkpoint {

using pickle::NodeId;

namespace {

std::string class_of(const Storage& storage) {
  return storage.untyped ? "UntypedStorage"
                         : std::string(tensor::info(storage.dtype).storage_class);
}

}  // namespace

void StorageFolder::fold(NodeId node) {
  context_.begin(node);
  const Storage storage = parse(node);
  const std::string_view key = context_.graph().text(storage.key);
  std::optional<StorageId> id = tensors_.keys_.find(key);
  if (id) {
    check_same(tensors_[*id], storage);
  } else {
    id = StorageId{static_cast<std::uint32_t>(tensors_.storages_.size())};
    tensors_.storages_.push_back(storage);
    tensors_.keys_.add(key, *id);
  }
  tensors_.numbers_[pickle::index(node)] = static_cast<std::uint32_t>(*id) + 1;
}

Storage StorageFolder::parse(NodeId node) {
  const pickle::Graph& graph = context_.graph();
  const NodeSpan parts = context_.tuple(graph.persistent_id(node), "persistent id");
  const bool without_view =
      parts.size() == kStorageItems + 1 && graph.kind(parts[kStorageItems]) == pickle::Kind::None;
  if (parts.size() != kStorageItems && !without_view) {
    context_.fail(
        fmt::format("persistent id has {} parts, expected 5: ('storage', class, key, "
                    "location, numel)",
                    parts.size()));
  }
  const auto part = [&](StorageItem item) { return parts[index(item)]; };
  if (const std::string_view type = context_.text(part(StorageItem::Type), "persistent id type");
      type != "storage") {
    context_.fail(fmt::format("persistent id is of type {}, expected 'storage'", quote(type)));
  }
  Storage storage = {.id = node,
                     .key = part(StorageItem::Key),
                     .location = part(StorageItem::Location),
                     .dtype = {}};
  set_class(storage, part(StorageItem::Class));
  const std::string_view key = context_.text(storage.key, "storage key");
  context_.text(storage.location, "storage location");
  storage.count = context_.count(part(StorageItem::Count), "numel of storage", key);
  if (!checked_mul(storage.count, storage.item_size())) {
    context_.fail(fmt::format("storage {} of {} elements of {} bytes: more than 2^64 bytes",
                              quote(key), storage.count, storage.item_size()));
  }
  return storage;
}

void StorageFolder::set_class(Storage& storage, NodeId cls) {
  const KnownGlobal known = context_.names().known(cls);
  if (known.what != Known::StorageClass && known.what != Known::UntypedStorage) {
    context_.fail(
        fmt::format("storage class is {}, expected one of torch's", context_.describe(cls)));
  }
  storage.untyped = known.what == Known::UntypedStorage;
  storage.dtype = storage.untyped ? tensor::DType::UInt8 : known.dtype;
}

void StorageFolder::check_same(const Storage& first, const Storage& again) {
  const pickle::Graph& graph = context_.graph();
  if (first.untyped != again.untyped || first.dtype != again.dtype || first.count != again.count) {
    context_.fail(fmt::format("storage {} is a {} of {} elements here, and a {} of {} at +{:#x}",
                              quote(graph.text(first.key)), class_of(again), again.count,
                              class_of(first), first.count, graph.offset(first.id)));
  }
  if (graph.text(first.location) != graph.text(again.location)) {
    context_.warn(fmt::format("storage {} is on {} here, and on {} at +{:#x}; the first counts",
                              quote(graph.text(first.key)), quote(graph.text(again.location)),
                              quote(graph.text(first.location)), graph.offset(first.id)));
  }
}

}  // namespace ptsd::checkpoint
