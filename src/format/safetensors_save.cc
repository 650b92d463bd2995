// SPDX-License-Identifier: Apache-2.0
#include "format/safetensors_save.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/checked.h"
#include "base/crc32.h"
#include "base/quote.h"
#include "format/json_text.h"
#include "format/safetensors_header.h"
#include "tensor/layout.h"

namespace ptsd::format {

using checkpoint::FlatCheckpoint;
using checkpoint::FlatTensor;

namespace {

constexpr std::uint64_t kAlignment = 8;  // bytes; of the data in the file

std::string prefix_of(std::uint64_t size) {
  std::string bytes;
  for (unsigned i = 0; i < kSafetensorsPrefix; ++i) {
    bytes += static_cast<char>(size >> 8 * i & 0xFF);
  }
  return bytes;
}

void append_string(std::string& out, std::string_view text) {
  append_json_string(out, text, JsonEscapes::Few);
}

// The storage that was opened last: to open one can be to inflate it.
class OpenedStorage {
 public:
  const ByteSource& get(const checkpoint::Payload& payload, CheckedStorages& storages) {
    if (!source_ || payload.input != input_ || payload.storage != storage_) {
      source_ = storages.open(payload.input, payload.storage);
      input_ = payload.input;
      storage_ = payload.storage;
    }
    return *source_;
  }

 private:
  std::unique_ptr<ByteSource> source_;
  std::size_t input_ = 0;
  checkpoint::StorageId storage_{};
};

bool is_same(const ByteSource& written, std::uint64_t at, const StoredRange& from) {
  std::vector<std::byte> other;
  std::uint64_t done = 0;
  bool same = true;
  each_block(written, at, from.size, [&](Bytes block) {
    other.resize(block.size());
    from.source->read(from.offset + done, other);
    same = same && std::ranges::equal(block, other);
    done += block.size();
  });
  return same;
}

}  // namespace

SafetensorsSave::SafetensorsSave(FlatCheckpoint flat, Inputs inputs)
    : inputs_(inputs.begin(), inputs.end()) {
  tensors_.reserve(flat.tensors.size());
  for (FlatTensor& tensor : flat.tensors) {
    plan(std::move(tensor));
  }
  sort();
  place();
  make_header(flat);
  size_ += header_.size();
}

void SafetensorsSave::fail(const FlatTensor& tensor, Error::Kind kind, std::string message) const {
  inputs_[tensor.payload.input]->checkpoint().fail(kind,
                                                   quote(tensor.name) + ": " + std::move(message));
}

void SafetensorsSave::plan(FlatTensor tensor) {
  const SafetensorsType* const type = find_safetensors_type(tensor.dtype);
  if (type == nullptr) {
    fail(tensor, Error::Kind::Unsupported,
         fmt::format("safetensors has no {}", tensor::name(tensor.dtype)));
  }
  if (!is_utf8(tensor.name)) {
    fail(tensor, Error::Kind::Conflict, "safetensors takes names that are UTF-8, and no others");
  }
  if (tensor.name == kSafetensorsMetadata) {
    fail(tensor, Error::Kind::Conflict, "safetensors keeps this name for itself");
  }
  if (elements_per_item(*type) > 1) {
    const bool fits = !tensor.shape.empty() && checked_mul(tensor.shape.back(), std::int64_t{2});
    if (!fits) {
      fail(tensor, Error::Kind::Unsupported,
           fmt::format("safetensors has no scalar of {}", tensor::name(tensor.dtype)));
    }
  }
  const std::optional<std::uint64_t> size = tensor::byte_count(tensor.shape, tensor.dtype);
  const std::uint64_t available = payload_size(tensor.payload, inputs_);
  if (!size || tensor.offset > available || *size > available - tensor.offset) {
    fail(tensor, Error::Kind::Malformed, "more bytes than its storage has");
  }
  const std::optional<std::uint64_t> elements = safetensors_elements(tensor.shape);
  const std::uint64_t bits = type->bits * elements_per_item(*type);
  if (!elements || !checked_mul(*elements, bits)) {
    fail(tensor, Error::Kind::Unsupported,
         "safetensors takes no shape whose first sizes make more than 2^64 bits, though it is "
         "empty");
  }
  tensors_.push_back({.tensor = std::move(tensor), .type = type, .size = *size});
}

void SafetensorsSave::sort() {
  std::ranges::sort(tensors_, [](const Planned& a, const Planned& b) {
    return std::tie(b.type, a.tensor.name) < std::tie(a.type, b.tensor.name);
  });
  std::vector<const std::string*> names;
  for (const Planned& planned : tensors_) {
    names.push_back(&planned.tensor.name);
  }
  std::ranges::sort(names, {}, [](const std::string* name) -> const std::string& { return *name; });
  for (std::size_t i = 1; i < names.size(); ++i) {
    if (*names[i] != *names[i - 1]) continue;
    inputs_[0]->checkpoint().fail(Error::Kind::Conflict,
                                  "two tensors are called " + quote(*names[i]));
  }
}

void SafetensorsSave::place() {
  for (Planned& planned : tensors_) {
    planned.begin = size_;
    const std::optional<std::uint64_t> end = checked_add(size_, planned.size);
    if (!end) fail(planned.tensor, Error::Kind::Limit, "ends behind the byte 2^64 of the file");
    size_ = *end;
  }
}

void SafetensorsSave::append_entry(std::string& text, const Planned& planned) const {
  append_string(text, planned.tensor.name);
  std::vector<std::int64_t> shape = planned.tensor.shape;
  if (!shape.empty()) shape.back() *= static_cast<std::int64_t>(elements_per_item(*planned.type));
  fmt::format_to(std::back_inserter(text),
                 R"(:{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})", planned.type->name,
                 fmt::join(shape, ","), planned.begin, planned.begin + planned.size);
}

void SafetensorsSave::make_header(const FlatCheckpoint& flat) {
  std::string text = "{";
  if (!flat.metadata.empty()) {
    append_string(text, kSafetensorsMetadata);
    text += ":";
    char before = '{';
    for (const auto& [key, value] : flat.metadata) {
      text += before;
      append_string(text, key);
      text += ':';
      append_string(text, value);
      before = ',';
    }
    text += '}';
  }
  for (const Planned& planned : tensors_) {
    if (text.size() > 1) text += ',';
    append_entry(text, planned);
  }
  text += '}';
  text.append((kAlignment - text.size() % kAlignment) % kAlignment, ' ');
  if (text.size() > kLargestSafetensorsHeader) {
    inputs_[0]->checkpoint().fail(
        Error::Kind::Limit, fmt::format("a safetensors header of {} bytes, the largest that can be "
                                        "read has {}",
                                        text.size(), kLargestSafetensorsHeader));
  }
  header_ = prefix_of(text.size()) + text;
}

std::optional<StoredRange> SafetensorsSave::copied_from(const Planned& planned) const {
  const checkpoint::Payload& payload = planned.tensor.payload;
  if (payload.derivation) return std::nullopt;
  std::optional<StoredRange> range = inputs_[payload.input]->range(payload.storage);
  if (!range || range->crc) return std::nullopt;
  range->offset += planned.tensor.offset;
  range->size = planned.size;
  return range;
}

// A part of a storage that has a CRC.
bool SafetensorsSave::is_part(const Planned& planned) const {
  const checkpoint::Payload& payload = planned.tensor.payload;
  return !payload.derivation && planned.size < payload_size(payload, inputs_);
}

void SafetensorsSave::write(ByteSink& sink) {
  sink.write(as_bytes(header_));
  CheckedStorages storages(inputs_);
  OpenedStorage opened;
  for (Planned& planned : tensors_) {
    const FlatTensor& tensor = planned.tensor;
    std::uint32_t crc = 0;
    const auto add_to_crc = [&](Bytes block) { crc = crc32(block, crc); };
    if (copied_from(planned)) {
      write_payload(sink, tensor.payload, tensor.offset, planned.size, storages);
      continue;
    }
    if (is_part(planned)) {
      each_block(opened.get(tensor.payload, storages), tensor.offset, planned.size,
                 [&](Bytes block) {
                   add_to_crc(block);
                   sink.write(block);
                 });
    } else {
      write_payload(sink, tensor.payload, tensor.offset, planned.size, storages, add_to_crc);
    }
    planned.crc = crc;
  }
}

void SafetensorsSave::verify_payload(const ByteSource& written, const Planned& planned) const {
  const std::uint64_t at = header_.size() + planned.begin;
  bool same = false;
  if (planned.crc) {
    same = crc32(written, at, planned.size) == *planned.crc;
  } else {
    same = is_same(written, at, copied_from(planned).value());
  }
  if (!same) {
    fail_read_back({.file = written.name(), .offset = at},
                   quote(planned.tensor.name) + ": other bytes than were written");
  }
}

void SafetensorsSave::verify(const ByteSource& written, bool payload, const Limits& limits) const {
  const Where where = {.file = written.name()};
  if (written.size() != size_) {
    fail_read_back(where, fmt::format("{} bytes, expected {}", written.size(), size_));
  }
  const std::vector<std::byte> header = written.read(0, header_.size());
  if (as_text(header) != header_) fail_read_back(where, "another header than was written");
  if (read_safetensors_header(written, limits).tensors.size() != tensors_.size()) {
    fail_read_back(where, "another number of tensors than was written");
  }
  if (!payload) return;
  for (const Planned& planned : tensors_) {
    verify_payload(written, planned);
  }
}

}  // namespace ptsd::format
