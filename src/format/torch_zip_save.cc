// SPDX-License-Identifier: Apache-2.0
#include "format/torch_zip_save.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "base/crc32.h"
#include "base/quote.h"
#include "checkpoint/storage_items.h"
#include "container/serialization_id.h"
#include "container/zip_reader.h"
#include "container/zip_writer.h"
#include "format/probe.h"
#include "pickle/encoder.h"

namespace ptsd::format {

using checkpoint::Draft;
using checkpoint::Payload;
using checkpoint::Storage;
using checkpoint::StorageId;
using container::Member;
using container::NewMember;
using container::Record;

namespace {

constexpr std::string_view kPickle = "data.pkl";
constexpr std::string_view kStorages = "data/";
constexpr std::string_view kFormatVersion = ".format_version";
constexpr std::string_view kAlignment = ".storage_alignment";
constexpr std::string_view kSerializationId = ".data/serialization_id";

constexpr std::uint64_t kLargestId = 4096;  // bytes

}  // namespace

class TorchZipSave::Planner {
 public:
  Planner(TorchZipSave& save, const Draft& draft, std::span<const Loaded* const> inputs,
          const SaveOptions& options)
      : save_(save),
        draft_(draft),
        inputs_(inputs),
        options_(options),
        records_(archive(0)),
        all_(records_.records()) {}

  void plan() {
    refuse_strangers();
    if (draft_.pickle_changed) {
      refuse_loss();
      encode();
    }
    find_storages();
    save_.alignment_ = alignment();
    save_.checksums_ = options_.checksums && records_.zip().has_checksums();
    add_records();
    if (!keeps_promise()) drop_promise();
    measure();
  }

 private:
  const container::RecordReader& archive(std::size_t input) const {
    if (const container::RecordReader* records = inputs_[input]->archive()) return *records;
    inputs_[input]->checkpoint().fail(
        Error::Kind::Unsupported,
        fmt::format("writing from a {} file is not supported yet", inputs_[input]->facts().format));
  }

  [[noreturn]] void fail(std::string_view record, std::string message) const {
    throw Error(Error::Kind::Conflict,
                {.file = draft_.base.origin().file,
                 .member = fmt::format("{}/{}", records_.root(), record)},
                std::move(message));
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

  // What the graph does not hold would be lost.
  void refuse_loss() const {
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const checkpoint::Checkpoint& input = inputs_[i]->checkpoint();
      if (const auto lost = input.pickle().lost_call) {
        Where where = input.origin();
        where.offset = *lost;
        fail_loss(where, "a call of a state setter, which an edit would lose");
      }
      const Member& pickle = *archive(i).record(kPickle);
      if (pickle.size > input.pickle().size && !options_.force) {
        Where where = input.origin();
        where.offset = input.pickle().size;
        fail_loss(where, fmt::format("{} bytes after the end of the pickle, which an edit would "
                                     "lose: --force goes on",
                                     pickle.size - input.pickle().size));
      }
    }
  }

  [[noreturn]] static void fail_loss(const Where& where, std::string message) {
    throw Error(Error::Kind::Conflict, where, std::move(message));
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
    if (!found) fail(fmt::format("{}{}", kStorages, key), "the pickle names a storage of nowhere");
    return *found;
  }

  Planned plan_storage(const std::string& key, const Payload& payload) {
    const Loaded& input = *inputs_[payload.input];
    const std::string name = fmt::format("{}/{}{}", records_.root(), kStorages, key);
    if (payload.derivation) {
      const std::uint64_t size = payload.derivation->size();
      return {
          .member = {.name = name,             .size = size, .compressed_size = size},
          .content = Derived{payload.derivation->over(input.open_storage(payload.storage))}
      };
    }
    const std::uint32_t record = input.checkpoint().tensors()[payload.storage].record;
    const container::ZipReader& zip = archive(payload.input).zip();
    return plan_copy(zip, zip.members()[record], name);
  }

  Planned plan_copy(const container::ZipReader& zip, const Member& member, std::string name) {
    const std::uint64_t offset = zip.data_offset(member, headers_.of(zip.source()));
    return {
        .member = {.name = std::move(name),
                   .size = member.size,
                   .compressed_size = member.compressed_size,
                   .method = member.method},
        .content = Range{&zip.source(),                       offset,     member.crc}
    };
  }

  Planned plan_memory(std::string_view record, std::vector<std::byte> bytes) const {
    const std::uint64_t size = bytes.size();
    return {
        .member = {.name = fmt::format("{}/{}", records_.root(), record),
                   .size = size,
                   .compressed_size = size},
        .content = Memory{std::move(bytes)                   }
    };
  }

  std::uint64_t alignment() const {
    const std::uint64_t wanted = options_.alignment.value_or(
        inputs_[0]->facts().alignment.value_or(container::kDefaultAlignment));
    const bool usable = wanted <= container::kLargestAlignment;
    if (!usable && options_.alignment) {
      fail_usage(fmt::format("--align: {} is more than the {} that fit a zip archive", wanted,
                             container::kLargestAlignment));
    }
    return usable ? wanted : container::kDefaultAlignment;
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
      return add(plan_memory(kAlignment, text_bytes(fmt::format("{}", save_.alignment_))));
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
    Planned planned = plan_memory(kPickle, std::move(encoded_.bytes));
    planned.member.name = record.member->name;
    add(std::move(planned));
  }

  void add_id(const Record& record) {
    const container::Contents contents = records_.zip().read(*record.member, kLargestId);
    const auto id = container::parse_serialization_id(as_text(contents.bytes));
    if (!id || id->contents != folded_before(*record.member)) {
      return add(plan_copy(records_.zip(), *record.member, std::string(record.member->name)));
    }
    save_.names_half_ = id->names;
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

  void add(Planned planned) { save_.members_.push_back(std::move(planned)); }

  // What torch computes offsets from (calculate_storage_offsets, FakeTensorMode) must be there.
  bool keeps_promise() const {
    const std::string first = fmt::format("{}/{}0", records_.root(), kStorages);
    bool any = false;
    bool ended = false;
    for (const Planned& planned : save_.members_) {
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
           (options_.alignment || save_.alignment_ == inputs_[0]->facts().alignment.value_or(
                                                          container::kDefaultAlignment));
  }

  // One that a tensor uses.
  bool is_storage(const Planned& planned) const {
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
    std::erase_if(save_.members_, [&](const Planned& planned) {
      const std::string_view record =
          std::string_view(planned.member.name).substr(records_.root().size() + 1);
      return record == kFormatVersion || record == kAlignment;
    });
  }

  void measure() {
    std::vector<NewMember> members;
    for (const Planned& planned : save_.members_) {
      members.push_back(planned.member);
    }
    save_.size_ = container::plan(members, save_.alignment_).size;
  }

  static std::vector<std::byte> text_bytes(std::string_view text) {
    const Bytes bytes = as_bytes(text);
    return {bytes.begin(), bytes.end()};
  }

  TorchZipSave& save_;
  const Draft& draft_;
  std::span<const Loaded* const> inputs_;
  const SaveOptions& options_;
  const container::RecordReader& records_;
  std::vector<Record> all_;
  ReadAheads headers_;
  pickle::Encoded encoded_;
  std::vector<Planned> storages_;  // by rank: the order of their first mention
  std::unordered_map<std::string, std::size_t> ranks_;
  std::unordered_set<std::size_t> placed_;
  std::vector<std::size_t> placed_order_;
};

TorchZipSave::TorchZipSave(const Draft& draft, std::span<const Loaded* const> inputs,
                           const SaveOptions& options) {
  Planner(*this, draft, inputs, options).plan();
}

std::uint32_t TorchZipSave::checksum(Bytes bytes) const {
  return checksums_ ? crc32(bytes) : 0;
}

std::uint32_t TorchZipSave::write(const Planned& planned, ByteSink& data, std::uint64_t folded,
                                  ReadAheads& small) const {
  if (const auto* range = std::get_if<Range>(&planned.content)) {
    const std::uint64_t size = planned.member.compressed_size;
    const bool is_small = size <= ReadAhead::kLargest;
    data.copy(is_small ? small.of(*range->source) : *range->source, range->offset, size);
    return checksums_ ? range->crc : 0;
  }
  if (const auto* derived = std::get_if<Derived>(&planned.content)) {
    std::uint32_t crc = 0;
    each_block(*derived->source, 0, planned.member.size, [&](Bytes block) {
      if (checksums_) crc = crc32(block, crc);
      data.write(block);
    });
    return crc;
  }
  if (const auto* memory = std::get_if<Memory>(&planned.content)) {
    data.write(memory->bytes);
    return checksum(memory->bytes);
  }
  const std::string id = to_string(container::SerializationId{names_half_, folded});
  data.write(as_bytes(id));
  return checksum(as_bytes(id));
}

void TorchZipSave::write(ByteSink& sink) {
  container::ZipWriter writer(sink, alignment_);
  std::uint64_t folded = 0;
  ReadAheads small;
  for (Planned& planned : members_) {
    planned.crc = write(planned, writer.begin(planned.member), folded, small);
    writer.end(planned.crc);
    if (planned.member.size > 0) folded = container::fold_crc(folded, planned.crc);
  }
  writer.finish();
}

namespace {

[[noreturn]] void fail_check(const ByteSource& written, const std::string& member,
                             std::string message) {
  throw Error(Error::Kind::Io, {.file = written.name(), .member = member},
              "read back: " + std::move(message));
}

std::uint32_t crc_of(const ByteSource& source, std::uint64_t offset, std::uint64_t size) {
  std::uint32_t crc = 0;
  each_block(source, offset, size, [&](Bytes block) { crc = crc32(block, crc); });
  return crc;
}

}  // namespace

void TorchZipSave::verify(const container::ZipReader& zip, const Member& member,
                          const Planned& planned, bool payload) const {
  const ByteSource& written = zip.source();
  if (member.name != planned.member.name || member.size != planned.member.size ||
      member.crc != planned.crc) {
    fail_check(written, planned.member.name, "another name, size or CRC than was written");
  }
  if (const auto* memory = std::get_if<Memory>(&planned.content)) {
    const std::vector<std::byte> bytes = written.read(zip.data_offset(member), member.size);
    if (bytes != memory->bytes) fail_check(written, planned.member.name, "other bytes");
  }
  if (!payload || member.crc == 0 || member.method != container::method::kStored) return;
  const std::uint32_t crc = crc_of(written, zip.data_offset(member), member.size);
  if (crc != planned.crc) {
    fail_check(written, planned.member.name,
               fmt::format("the CRC is {:#010x}, expected {:#010x}", crc, planned.crc));
  }
}

void TorchZipSave::verify(const ByteSource& written, bool payload, const Limits& limits) const {
  const container::ZipReader zip(written, limits);
  if (zip.members().size() != members_.size()) {
    fail_check(written, "",
               fmt::format("{} members, expected {}", zip.members().size(), members_.size()));
  }
  for (std::size_t i = 0; i < members_.size(); ++i) {
    verify(zip, zip.members()[i], members_[i], payload);
  }
  load(written, limits);
}

}  // namespace ptsd::format
