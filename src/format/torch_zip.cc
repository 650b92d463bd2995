// SPDX-License-Identifier: Apache-2.0
#include "format/torch_zip.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/quote.h"
#include "checkpoint/locate.h"
#include "container/record_reader.h"
#include "container/zip_reader.h"

namespace ptsd::format {

using checkpoint::Storage;
using checkpoint::StorageId;
using container::Member;

namespace {

// Small records are text of a few bytes.
constexpr std::uint64_t kLargestFact = 4096;
constexpr std::uint64_t kDefaultAlignment = 64;
constexpr std::string_view kStorages = "data/";

class TorchZip final : public Loaded {
 public:
  TorchZip(std::unique_ptr<ZipArchive> archive, const Limits& limits)
      : archive_(std::move(archive)),
        source_(archive_->source),
        limits_(limits),
        zip_(archive_->zip),
        records_(archive_->records()) {
    facts_.format = "torch-zip";
    facts_.bytes = source_.size();
    facts_.root = records_.root();
    facts_.has_checksums = zip_.has_checksums();
    read_facts();
    read_pickle();
    bind_storages();
    count_orphans();
  }

  const FileFacts& facts() const override { return facts_; }
  const checkpoint::Checkpoint& checkpoint() const override { return *checkpoint_; }
  checkpoint::Checkpoint& checkpoint() override { return *checkpoint_; }
  const container::RecordReader* archive() const override { return &records_; }

  std::unordered_set<std::string> orphan_keys() const override {
    std::unordered_set<std::string> keys;
    each_orphan([&](const Member&, std::string_view key) { keys.emplace(key); });
    return keys;
  }

  std::optional<std::uint64_t> file_offset(StorageId id) const override {
    const Member& member = zip_.members()[checkpoint_->tensors()[id].record];
    if (member.method != 0) return std::nullopt;
    const std::uint64_t alignment = facts_.alignment.value_or(kDefaultAlignment);
    const auto predicted = zip_.predicted_data_offset(member, alignment);
    return predicted ? predicted : zip_.data_offset(member);
  }

  std::optional<StoredRange> range(StorageId id) const override {
    const Member& member = zip_.members()[checkpoint_->tensors()[id].record];
    if (member.method != container::method::kStored) return std::nullopt;
    return StoredRange{.source = &source_,
                       .offset = zip_.data_offset(member),
                       .size = member.size,
                       .crc = facts_.has_checksums ? std::optional(member.crc) : std::nullopt};
  }

  std::unique_ptr<ByteSource> open_storage(StorageId id) const override {
    const Member& member = zip_.members()[checkpoint_->tensors()[id].record];
    return zip_.open(member, limits_.inflated_bytes);
  }

  UncheckedSource open_unchecked(StorageId id) const override {
    const Member& member = zip_.members()[checkpoint_->tensors()[id].record];
    return zip_.open_unchecked(member, limits_.inflated_bytes);
  }

  std::vector<Warning> warnings() const override {
    std::vector<Warning> all = warnings_;
    all.insert(all.end(), zip_.warnings().begin(), zip_.warnings().end());
    all.insert(all.end(), records_.warnings().begin(), records_.warnings().end());
    all.insert(all.end(), checkpoint_->warnings().begin(), checkpoint_->warnings().end());
    return all;
  }

  std::vector<Warning> audit() const override {
    container::Account account = zip_.account();
    std::vector<Warning> findings = std::move(account.warnings);
    for (const container::Slack& slack : account.slack) {
      const std::string ghost =
          slack.ghost.empty()
              ? ""
              : fmt::format(", which begin with the header of {}", quote(slack.ghost));
      findings.push_back({
          .where = {.file = source_.name(), .offset = slack.offset},
          .message = fmt::format("{} bytes belong to no record{}", slack.size, ghost)
      });
    }
    return findings;
  }

 private:
  [[noreturn]] void fail(Error::Kind kind, std::string_view record, std::string message) const {
    throw Error(kind, {.file = source_.name(), .member = path_of(record)}, std::move(message));
  }

  void warn(std::string_view record, std::string message) {
    warnings_.push_back({
        .where = {.file = source_.name(), .member = path_of(record)},
        .message = std::move(message)
    });
  }

  std::string path_of(std::string_view record) const {
    if (record.empty()) return "";
    return fmt::format("{}/{}", records_.root(), record);
  }

  // The small records around the pickle.

  std::optional<std::string> read_fact(std::string_view record) {
    const Member* const member = records_.record(record);
    if (member == nullptr) return std::nullopt;
    container::Contents contents = zip_.read(*member, kLargestFact);
    if (contents.warning) warnings_.push_back(std::move(*contents.warning));
    return std::string(as_text(contents.bytes));
  }

  void read_facts() {
    warnings_ = archive_->version_warnings();
    read_byteorder();
    read_alignment();
    facts_.writer = writer();
  }

  void read_byteorder() {
    const std::optional<std::string> text = read_fact("byteorder");
    facts_.byteorder_recorded = text.has_value();
    if (!text) return;
    if (*text != "little" && *text != "big") {
      fail(Error::Kind::Malformed, "byteorder",
           fmt::format("byte order is {}, expected 'little' or 'big'", quote(*text)));
    }
    facts_.byteorder = *text;
  }

  void read_alignment() {
    const std::optional<std::string> text = read_fact(".storage_alignment");
    if (!text) return;
    std::uint64_t alignment = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), alignment);
    if (error != std::errc() || alignment == 0) {
      return warn(".storage_alignment", fmt::format("alignment is {}", quote(*text)));
    }
    facts_.alignment = alignment;
  }

  std::string writer() const {
    if (records_.record(".format_version") != nullptr) return "torch 2.7 or later";
    if (records_.record("byteorder") != nullptr) return "torch 2.1 to 2.6";
    if (records_.record("version") == nullptr) return "unknown";
    const std::optional<std::string_view> first = records_.record_name(zip_.members().front());
    return first == "version" ? "torch 1.4 or 1.5" : "torch 1.6 to 2.0";
  }

  // The pickle and its storages.

  void read_pickle() {
    const Member* const found = records_.record("data.pkl");
    if (found == nullptr) {
      fail(Error::Kind::Unsupported, "",
           fmt::format("a zip archive without {}: not written by torch.save",
                       quote(path_of("data.pkl"))));
    }
    const Member& member = *found;
    container::Contents contents = archive_->read_pickle(member);
    if (contents.warning) warnings_.push_back(std::move(*contents.warning));
    pickle_bytes_ = std::move(contents.bytes);
    const Where origin = {.file = source_.name(), .member = std::string(member.name)};
    checkpoint_.emplace(pickle_bytes_, origin, limits_);
    facts_.protocol = checkpoint_->pickle().protocol;
    if (const std::uint64_t more = pickle_bytes_.size() - checkpoint_->pickle().size; more > 0) {
      warn("data.pkl", fmt::format("{} bytes after the end of the pickle", more));
    }
  }

  void bind_storages() {
    checkpoint::Tensors& tensors = checkpoint_->tensors();
    used_.resize(zip_.members().size());
    std::string name;
    for (std::size_t i = 0; i < tensors.storage_count(); ++i) {
      Storage& storage = tensors[StorageId{static_cast<std::uint32_t>(i)}];
      name.assign(kStorages).append(checkpoint_->key(storage));
      const Member* const member = records_.record(name);
      if (member == nullptr) fail_storage(storage, name, "there is no such record");
      check_size(storage, name, *member);
      storage.record = static_cast<std::uint32_t>(member - zip_.members().data());
      // Case does not count in names of records, and does in keys.
      if (used_[storage.record]) fail_storage(storage, name, "another key names this record");
      used_[storage.record] = true;
    }
  }

  void check_size(const Storage& storage, const std::string& name, const Member& member) {
    const std::uint64_t declared = storage.count * storage.item_size();
    if (member.size == declared) return;
    const std::string message =
        fmt::format("the record holds {} bytes, the pickle declares {} ({} elements of {})",
                    member.size, declared, storage.count, storage.item_size());
    if (member.size < declared) fail_storage(storage, name, message);
    warn(name, message);
  }

  [[noreturn]] void fail_storage(const Storage& storage, const std::string& name,
                                 std::string_view message) const {
    const std::optional<std::string> user =
        checkpoint::locate(checkpoint_->names(), checkpoint_->root(), storage.id);
    fail(Error::Kind::Malformed, name,
         fmt::format("{}{}", user ? "storage of " + quote(*user) + ": " : "", message));
  }

  // Calls `use` with the record of each key that the pickle does not mention.
  template <class Use>
  void each_orphan(const Use& use) const {
    for (std::size_t i = 0; i < used_.size(); ++i) {
      const Member& member = zip_.members()[i];
      if (used_[i]) continue;
      const std::string_view record = records_.record_name(member).value_or("");
      if (record.starts_with(kStorages)) use(member, record.substr(kStorages.size()));
    }
  }

  void count_orphans() {
    each_orphan([this](const Member& member, std::string_view) {
      ++facts_.orphan_records;
      facts_.orphan_bytes += member.size;
    });
    if (facts_.orphan_records > 0) warn("", orphans_text(facts_));
  }

  std::unique_ptr<ZipArchive> archive_;
  const ByteSource& source_;
  Limits limits_;
  const container::ZipReader& zip_;
  const container::RecordReader& records_;
  FileFacts facts_;
  std::vector<Warning> warnings_;
  std::vector<std::byte> pickle_bytes_;
  std::optional<checkpoint::Checkpoint> checkpoint_;
  std::vector<bool> used_;  // members that a storage is bound to
};

}  // namespace

bool begins_as_zip(const ByteSource& source) {
  constexpr std::string_view kBegin = "PK\x03\x04";
  return source.size() >= kBegin.size() && as_text(source.read(0, kBegin.size())) == kBegin;
}

std::unique_ptr<Loaded> load_torch_zip(const Input& input, const Limits& limits) {
  return load_torch_zip(std::make_unique<ZipArchive>(input.source, limits), limits);
}

std::unique_ptr<Loaded> load_torch_zip(std::unique_ptr<ZipArchive> archive, const Limits& limits) {
  return std::make_unique<TorchZip>(std::move(archive), limits);
}

}  // namespace ptsd::format
