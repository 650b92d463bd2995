// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "base/quote.h"
#include "base/read_ahead.h"
#include "checkpoint/storage_items.h"
#include "container/serialization_id.h"
#include "container/zip_placement.h"
#include "container/zip_reader.h"
#include "format/refuse_loss.h"
#include "format/torch_zip_plan.h"
#include "pickle/encoder.h"

namespace ptsd::format {

using checkpoint::Draft;
using checkpoint::Payload;
using checkpoint::Storage;
using checkpoint::StorageId;
using container::Member;
using container::Record;

namespace {

constexpr std::string_view kPickle = "data.pkl";
constexpr std::string_view kStorages = "data/";
constexpr std::string_view kFormatVersion = ".format_version";
constexpr std::string_view kAlignment = ".storage_alignment";
constexpr std::string_view kSerializationId = ".data/serialization_id";

constexpr std::uint64_t kLargestId = 4096;  // bytes

class Planner {
 public:
  Planner(const Draft& draft, Inputs inputs, const SaveOptions& options)
      : draft_(draft),
        inputs_(inputs),
        options_(options),
        records_(*inputs[0]->archive()),
        all_(records_.records()) {}

  ZipPlan plan() {
    refuse_strangers();
    if (draft_.pickle_changed) {
      refuse_loss(inputs_, options_.force);
      encode();
    }
    find_storages();
    plan_.alignment = usable_alignment(options_, inputs_[0]->facts().alignment);
    plan_.checksums = options_.checksums && records_.zip().has_checksums();
    add_records();
    if (!keeps_promise()) drop_promise();
    return std::move(plan_);
  }

 private:
  [[noreturn]] void fail(std::string_view record, std::string message) const {
    throw Error(Error::Kind::Conflict,
                {.file = draft_.base.origin().file, .member = path_of(record)}, std::move(message));
  }

  [[noreturn]] void fail_stranger(const Member& member) const {
    throw Error(Error::Kind::Conflict,
                {.file = draft_.base.origin().file, .member = std::string(member.name)},
                fmt::format("a member outside the root {}, which torch.load refuses",
                            quote(records_.root())));
  }

  // torch.load refuses an archive with members outside its root.
  void refuse_strangers() const {
    for (const Member& member : records_.zip().members()) {
      if (!member.is_directory() && !records_.record_name(member)) fail_stranger(member);
    }
  }

  void encode() {
    encoded_ = pickle::encode(draft_.graph(), draft_.root, draft_.protocol, draft_.base.origin());
  }

  std::string_view key_of(pickle::NodeId persistent) const {
    const pickle::Graph& graph = draft_.graph();
    return graph.text(storage_item(graph, persistent, checkpoint::StorageItem::Key));
  }

  // In the order of their first mention.
  void find_storages() {
    if (!draft_.pickle_changed) {
      const checkpoint::Tensors& tensors = draft_.base.tensors();
      for (std::size_t i = 0; i < tensors.storage_count(); ++i) {
        add_storage(draft_.base.key(tensors[StorageId{static_cast<std::uint32_t>(i)}]));
      }
      return;
    }
    for (const pickle::NodeId node : encoded_.persistent) {
      add_storage(key_of(node));
    }
  }

  void add_storage(std::string_view key) {
    if (!ranks_.try_emplace(std::string(key), storages_.size()).second) return;
    const auto found = draft_.payloads.find(std::string(key));
    storages_.push_back(plan_storage(std::string(key), found != draft_.payloads.end()
                                                           ? found->second
                                                           : Payload{.storage = own_storage(key)}));
  }

  StorageId own_storage(std::string_view key) const {
    const auto found = draft_.base.tensors().find_storage(key);
    if (!found) {
      fail(fmt::format("{}{}", kStorages, key), "the pickle names a storage that does not exist");
    }
    return *found;
  }

  PlannedMember plan_storage(const std::string& key, const Payload& payload) {
    const Loaded& input = *inputs_[payload.input];
    const std::string name = path_of(fmt::format("{}{}", kStorages, key));
    if (payload.derivation || input.archive() == nullptr) return planned(name, payload, inputs_);
    const std::uint32_t record = input.checkpoint().tensors()[payload.storage].record;
    const container::ZipReader& zip = input.archive()->zip();
    return plan_copy(zip, zip.members()[record], name);
  }

  PlannedMember plan_copy(const container::ZipReader& zip, const Member& member, std::string name) {
    const std::uint64_t offset = zip.data_offset(member, headers_.of(zip.source()));
    return {
        .member = {.name = std::move(name),
                   .size = member.size,
                   .compressed_size = member.compressed_size,
                   .method = member.method},
        .content = CopiedRange{&zip.source(),                       offset,     member.crc}
    };
  }

  std::string path_of(std::string_view record) const {
    return fmt::format("{}/{}", records_.root(), record);
  }

  // Storages that are there already keep their places; others follow the last of these. With
  // .format_version all lie in the order of their first mention.
  void add_records() {
    const bool ordered = records_.record(kFormatVersion) != nullptr;
    const std::size_t last = last_storage();
    for (std::size_t i = 0; i < all_.size(); ++i) {
      add_record(all_[i], ordered);
      if (i == last) add_other_storages();
    }
  }

  // The record behind which new storages go: the last storage, or what stands before "version".
  std::size_t last_storage() const {
    std::size_t last = 0;
    bool found = false;
    for (std::size_t i = 0; i < all_.size(); ++i) {
      const bool storage = rank_of(all_[i]).has_value();
      found = found || storage;
      if (storage || (!found && !comes_last(all_[i].name))) last = i;
    }
    return last;
  }

  static bool comes_last(std::string_view record) {
    return record == "version" || record == ".data/version" || record == kSerializationId;
  }

  void add_record(const Record& record, bool ordered) {
    if (record.name == kPickle) return add_pickle(record);
    if (record.name == kSerializationId) return add_id(record);
    if (record.name == kAlignment && options_.alignment) {
      return add(in_memory(path_of(kAlignment), fmt::format("{}", plan_.alignment)));
    }
    const auto rank = rank_of(record);
    if (rank && ordered) return;  // add_other_storages() sees to it
    if (rank) return add_storage_record(*rank);
    if (is_unused(record)) return;
    add(plan_copy(records_.zip(), *record.member, std::string(record.member->name)));
  }

  std::optional<std::size_t> rank_of(const Record& record) const {
    if (!record.name.starts_with(kStorages)) return std::nullopt;
    const auto found = ranks_.find(std::string(record.name.substr(kStorages.size())));
    if (found == ranks_.end()) return std::nullopt;
    return found->second;
  }

  // A storage that the edit left without a tensor, or that never had one and is not to be kept.
  bool is_unused(const Record& record) const {
    if (!record.name.starts_with(kStorages)) return false;
    const std::string_view key = record.name.substr(kStorages.size());
    return draft_.drop_unused || draft_.base.tensors().find_storage(key).has_value();
  }

  void add_other_storages() {
    for (std::size_t rank = 0; rank < storages_.size(); ++rank) {
      add_storage_record(rank);
    }
  }

  void add_storage_record(std::size_t rank) {
    if (!placed_.insert(rank).second) return;
    placed_order_.push_back(rank);
    add(std::move(storages_[rank]));
  }

  void add_pickle(const Record& record) {
    if (!draft_.pickle_changed) {
      return add(plan_copy(records_.zip(), *record.member, std::string(record.member->name)));
    }
    add(in_memory(std::string(record.member->name), std::move(encoded_.bytes)));
  }

  void add_id(const Record& record) {
    const container::Contents contents = records_.zip().read(*record.member, kLargestId);
    const auto id = container::parse_serialization_id(as_text(contents.bytes));
    if (!id || id->contents != folded_before(*record.member)) {
      return add(plan_copy(records_.zip(), *record.member, std::string(record.member->name)));
    }
    plan_.names_half = id->names;
    add({
        .member = {.name = std::string(record.member->name),
                   .size = record.member->size,
                   .compressed_size = record.member->size},
        .content = IdRecord{                                     }
    });
  }

  std::uint64_t folded_before(const Member& id) const {
    std::uint64_t folded = 0;
    for (const Member& member : records_.zip().members()) {
      if (&member == &id) break;
      if (member.size > 0) folded = container::fold_crc(folded, member.crc);
    }
    return folded;
  }

  void add(PlannedMember planned) { plan_.members.push_back(std::move(planned)); }

  // What torch computes offsets from (calculate_storage_offsets, FakeTensorMode) must be there.
  bool keeps_promise() const {
    const std::string first = fmt::format("{}/{}0", records_.root(), kStorages);
    bool any = false;
    bool ended = false;
    for (const PlannedMember& planned : plan_.members) {
      const bool storage = is_storage(planned);
      if (!storage) {
        ended = any;
        continue;
      }
      if (!any && planned.member.name != first) return false;
      if (ended || planned.member.method != container::method::kStored) return false;
      any = true;
    }
    return std::ranges::is_sorted(placed_order_) && has_right_sizes() &&
           (options_.alignment || plan_.alignment == inputs_[0]->facts().alignment.value_or(
                                                         container::kDefaultAlignment));
  }

  // One that a tensor uses.
  bool is_storage(const PlannedMember& planned) const {
    const std::string_view name =
        std::string_view(planned.member.name).substr(records_.root().size() + 1);
    return name.starts_with(kStorages) &&
           ranks_.contains(std::string(name.substr(kStorages.size())));
  }

  // A record that is longer than the pickle says moves all that follow it.
  bool has_right_sizes() const {
    const checkpoint::Tensors& tensors = draft_.base.tensors();
    for (std::size_t i = 0; i < tensors.storage_count(); ++i) {
      const Storage& storage = tensors[StorageId{static_cast<std::uint32_t>(i)}];
      const Member& member = records_.zip().members()[storage.record];
      if (member.size != storage.count * storage.item_size()) return false;
    }
    return true;
  }

  void drop_promise() {
    if (records_.record(kFormatVersion) == nullptr) return;
    std::erase_if(plan_.members, [&](const PlannedMember& planned) {
      const std::string_view record =
          std::string_view(planned.member.name).substr(records_.root().size() + 1);
      return record == kFormatVersion || record == kAlignment;
    });
  }

  const Draft& draft_;
  Inputs inputs_;
  const SaveOptions& options_;
  ZipPlan plan_;
  const container::RecordReader& records_;
  std::vector<Record> all_;
  ReadAheads headers_;
  pickle::Encoded encoded_;
  std::vector<PlannedMember> storages_;  // by rank: the order of their first mention
  std::unordered_map<std::string, std::size_t> ranks_;
  std::unordered_set<std::size_t> placed_;
  std::vector<std::size_t> placed_order_;
};

}  // namespace

ZipPlan plan_edit(const Draft& draft, Inputs inputs, const SaveOptions& options) {
  return Planner(draft, inputs, options).plan();
}

}  // namespace ptsd::format
