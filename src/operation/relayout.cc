// SPDX-License-Identifier: Apache-2.0
#include "operation/relayout.h"

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/checked.h"
#include "base/quote.h"
#include "checkpoint/gather_source.h"
#include "checkpoint/locate.h"
#include "checkpoint/storage_items.h"
#include "operation/compaction.h"
#include "operation/tensor_users.h"

namespace ptsd::operation {

using checkpoint::ChainDerivation;
using checkpoint::Checkpoint;
using checkpoint::Draft;
using checkpoint::GatherDerivation;
using checkpoint::Geometry;
using checkpoint::Payload;
using checkpoint::Piece;
using checkpoint::StateDict;
using checkpoint::Storage;
using checkpoint::StorageId;
using checkpoint::StorageItem;
using checkpoint::Tensor;
using pickle::NodeId;

namespace {

constexpr std::size_t kOffset = 1;  // arguments of all functions that rebuild strided tensors
constexpr std::size_t kStride = 3;

constexpr std::uint64_t kGrowth = 16;
constexpr std::uint64_t kLargestGrowth = std::uint64_t{1} << 30;  // bytes
constexpr std::uint64_t kMostRuns = std::uint64_t{1} << 20;       // in all storages

using Users = std::vector<const User*>;

// Geometry of one tensor in another storage.
struct Place {
  const User* user;
  std::uint64_t offset;
  std::vector<std::int64_t> stride;
};

class Relayouter {
 public:
  Relayouter(Draft& draft, const RelayoutOptions& options)
      : draft_(draft),
        base_(draft.base),
        graph_(draft.base.graph()),
        options_(options),
        builder_(graph_, draft.protocol) {}

  Relaid run(const std::vector<StateDict>& state_dicts) {
    const TensorUsers all = find_users(draft_, state_dicts, options_.untie);
    changed_ = all.cloned > 0;
    find_ids();
    std::map<StorageId, Users> by_storage;
    for (const User& user : all.users) {
      by_storage[*tensor_of(user).storage].push_back(&user);
    }
    for (auto& [storage, users] : by_storage) {
      const auto chosen = [](const User* user) { return user->chosen; };
      if (std::ranges::none_of(users, chosen)) continue;
      begin(storage, all.bare.contains(storage));
      if (options_.untie) untie(users);
      if (options_.contiguous) make_contiguous(users);
      if (options_.shrink) shrink(users);
    }
    draft_.pickle_changed = draft_.pickle_changed || changed_;
    return done_;
  }

 private:
  const Tensor& tensor_of(const User& user) const { return base_.tensors()[user.tensor]; }

  Geometry view_of(const User& user) const { return geometry_of(base_.tensors(), tensor_of(user)); }

  bool is_contiguous(const User& user) const {
    return base_.tensors().is_contiguous(tensor_of(user));
  }

  bool is_same_view(const User& a, const User& b) const {
    const Geometry mine = view_of(a);
    const Geometry other = view_of(b);
    return mine.offset == other.offset && tensor_of(a).dtype == tensor_of(b).dtype &&
           std::ranges::equal(mine.shape, other.shape) &&
           std::ranges::equal(mine.stride, other.stride);
  }

  std::string name_of(const User& user) const {
    const std::optional<std::string> path = locate(base_.names(), draft_.root, user.node);
    return path ? quote(*path) : "a tensor";
  }

  [[noreturn]] void fail(const User& user, Error::Kind kind, std::string_view what) const {
    base_.fail_at(tensor_of(user).node, kind, fmt::format("{} {}", name_of(user), what));
  }

  // The persistent ids of each storage.
  void find_ids() {
    each_storage_id(base_,
                    [this](NodeId node, StorageId storage) { ids_[storage].push_back(node); });
  }

  // A cast may have changed the size of its elements, of all in the storage alike.
  void begin(StorageId id, bool bare) {
    const Storage& storage = base_.tensors()[id];
    const std::string key(base_.key(storage));
    storage_ = id;
    bare_ = bare;
    const auto cast = draft_.payloads.find(key);
    payload_ = cast == draft_.payloads.end() ? Payload{.storage = id} : cast->second;
    old_size_ = storage.count * storage.item_size();
    size_ = payload_.derivation ? payload_.derivation->size() : old_size_;
    unit_ = storage.item_size();
    if (!payload_.derivation || storage.count == 0) return;
    const NodeId count = storage_item(graph_, storage.id, StorageItem::Count);
    unit_ = size_ / static_cast<std::uint64_t>(graph_.int_value(count));
  }

  std::uint64_t old_item_size(const User& user) const {
    return tensor::info(tensor_of(user).dtype).item_size;
  }

  std::uint64_t item_size(const User& user) const {
    const std::uint64_t item = old_item_size(user);
    return old_size_ < item ? item : size_ / (old_size_ / item);
  }

  void refuse_packed(const User& user) const {
    if (tensor::info(tensor_of(user).dtype).elements_per_item == 1) return;
    fail(user, Error::Kind::Unsupported,
         fmt::format("is a packed {}, whose layout cannot be changed",
                     tensor::name(tensor_of(user).dtype)));
  }

  // Its elements row by row.
  static Piece rows_of(const Geometry& view) {
    Piece piece = {.offset = view.offset, .strides = {}};
    for (std::size_t i = 0; i < view.shape.size(); ++i) {
      piece.strides.push_back(
          {static_cast<std::uint64_t>(view.shape[i]), static_cast<std::uint64_t>(view.stride[i])});
    }
    return piece;
  }

  void refuse_growth(const User& user) {
    const std::uint64_t grown =
        checked_mul(base_.tensors().element_count(tensor_of(user)), item_size(user))
            .value_or(std::numeric_limits<std::uint64_t>::max());
    if (grown / kGrowth <= size_) return;
    if (grown <= kLargestGrowth - grown_) {
      grown_ += grown;
      return;
    }
    fail(user, Error::Kind::Limit,
         fmt::format("repeats its elements: from {} bytes it would grow to {}", size_, grown));
  }

  void untie(Users& users) {
    if (users.size() < 2 && !bare_) return;
    const bool all = !bare_ && std::ranges::all_of(users, [](auto* user) { return user->chosen; });
    Users rest;
    for (const User* user : users) {
      if (!user->chosen) {
        rest.push_back(user);
        continue;
      }
      ++done_.untied;
      refuse_packed(*user);
      refuse_growth(*user);
      const Geometry view = view_of(*user);
      const bool keeps = all && user == users.front();
      emit({rows_of(view)}, {row_major(*user, view)}, !keeps);
    }
    users = std::move(rest);
  }

  static Place row_major(const User& user, const Geometry& view) {
    return {&user, 0, tensor::contiguous_stride(view.shape)};
  }

  void make_contiguous(Users& users) {
    const auto strided = std::ranges::find_if(
        users, [this](auto* user) { return user->chosen && !is_contiguous(*user); });
    if (strided == users.end()) return;
    const User& first = **strided;
    refuse_packed(first);
    if (bare_) {
      fail(first, Error::Kind::Conflict, "shares its storage with a storage object; see --untie");
    }
    std::vector<Place> places;
    const Geometry view = view_of(first);
    for (const User* user : users) {
      if (!is_same_view(first, *user)) {
        fail(first, Error::Kind::Conflict,
             fmt::format("is not contiguous, and shares its storage with {}; see --untie",
                         name_of(*user)));
      }
      places.push_back(row_major(*user, view));
    }
    refuse_growth(first);
    done_.contiguous += places.size();
    emit({rows_of(view)}, places, false);
    users.clear();
  }

  void shrink(const Users& users) {
    if (bare_ || std::ranges::none_of(users, [](auto* user) { return user->chosen; })) return;
    const std::uint64_t item = old_item_size(*users.front());
    std::vector<Geometry> views;
    for (const User* user : users) {
      // A packed tensor that is alone fills its storage, or is looked at no further.
      if (users.size() == 1 && is_contiguous(*user) &&
          base_.tensors().byte_count(tensor_of(*user)) == old_size_) {
        return;
      }
      refuse_packed(*user);
      if (old_item_size(*user) != item) {
        fail(*user, Error::Kind::Unsupported,
             fmt::format("shares its storage with {}, whose elements have another size",
                         name_of(*users.front())));
      }
      views.push_back(view_of(*user));
    }
    const Compaction compaction(views, runs_left_);
    if (compaction.count() * item == old_size_) return;
    std::vector<Place> places;
    for (std::size_t i = 0; i < users.size(); ++i) {
      places.push_back({users[i], compaction.offset(views[i]), compaction.stride(views[i])});
    }
    ++done_.shrunk;
    emit(compaction.pieces(), places, false);
  }

  // Gives the tensors a storage of these pieces: another one, or that which they have.
  void emit(std::vector<Piece> pieces, const std::vector<Place>& places, bool another) {
    const std::uint64_t item = item_size(*places.front().user);
    auto gather = std::make_shared<GatherDerivation>(item, std::move(pieces));
    const std::uint64_t size = gather->size();
    if (!another && size == size_ && is_unmoved(places)) return;
    Payload payload = payload_;
    if (payload.derivation) {
      payload.derivation = std::make_shared<ChainDerivation>(payload.derivation, std::move(gather));
    } else {
      payload.derivation = std::move(gather);
    }
    const std::string key = another ? draft_.fresh_key() : std::string(storage_key());
    draft_.payloads.insert_or_assign(key, std::move(payload));
    const NodeId count = builder_.integer(static_cast<std::int64_t>(size / unit_));
    if (!another) resize_ids(count);
    for (const Place& place : places) {
      rebuild(place, another ? std::optional(new_id(key, count)) : std::nullopt);
    }
    changed_ = true;
  }

  bool is_unmoved(const std::vector<Place>& places) const {
    return std::ranges::all_of(places, [this](const Place& place) {
      return tensor_of(*place.user).offset == place.offset &&
             (is_contiguous(*place.user) ||
              std::ranges::equal(view_of(*place.user).stride, place.stride));
    });
  }

  std::string_view storage_key() const { return base_.key(base_.tensors()[storage_]); }

  void resize_ids(NodeId count) {
    for (const NodeId node : ids_.at(storage_)) {
      graph_.replace_persistent_id(node, checkpoint::with_items(builder_, node,
                                                                {
                                                                    {StorageItem::Count, count}
      }));
    }
  }

  NodeId new_id(const std::string& key, NodeId count) {
    const NodeId first = ids_.at(storage_).front();
    return builder_.persistent(checkpoint::with_items(
        builder_, first,
        {
            {StorageItem::Key,   builder_.str(key)},
            {StorageItem::Count, count            }
    }));
  }

  void rebuild(const Place& place, std::optional<NodeId> storage) {
    RebuildCall call = *RebuildCall::of(base_.names(), place.user->node);
    if (storage) call.args[0] = *storage;
    call.args[kOffset] = builder_.integer(static_cast<std::int64_t>(place.offset));
    std::vector<NodeId> stride;
    for (const std::int64_t step : place.stride) {
      stride.push_back(builder_.integer(step));
    }
    call.args[kStride] = builder_.tuple(stride);
    call.put_back(graph_, builder_);
  }

  Draft& draft_;
  const Checkpoint& base_;
  pickle::Graph& graph_;
  const RelayoutOptions& options_;
  pickle::Builder builder_;
  std::map<StorageId, std::vector<NodeId>> ids_;
  std::uint64_t runs_left_ = kMostRuns;
  std::uint64_t grown_ = 0;  // bytes
  bool changed_ = false;
  Relaid done_;

  // Of the storage that is looked at; sizes in bytes.
  StorageId storage_{};
  Payload payload_;             // as the draft had it
  bool bare_ = false;           // something else than a tensor uses it
  std::uint64_t old_size_ = 0;  // in the input
  std::uint64_t size_ = 0;
  std::uint64_t unit_ = 1;  // of the count in persistent ids
};

}  // namespace

Relaid relayout(Draft& draft, const std::vector<StateDict>& state_dicts,
                const RelayoutOptions& options) {
  return Relayouter(draft, options).run(state_dicts);
}

}  // namespace ptsd::operation
