// SPDX-License-Identifier: Apache-2.0
#include "support/zip_assembler.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <libdeflate.h>

#include "base/bytes.h"
#include "base/crc32.h"

namespace ptsd::test {

using namespace container;  // NOLINT: the field names are what this file is about

namespace {

std::string deflate(std::string_view data) {
  const std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)> compressor(
      libdeflate_alloc_compressor(6), libdeflate_free_compressor);
  std::string out(libdeflate_deflate_compress_bound(compressor.get(), data.size()), '\0');
  out.resize(libdeflate_deflate_compress(compressor.get(), data.data(), data.size(), out.data(),
                                         out.size()));
  return out;
}

}  // namespace

std::string little_endian(std::uint64_t value, std::size_t width) {
  std::string bytes;
  for (std::size_t i = 0; i < width; ++i) {
    bytes += static_cast<char>(i < sizeof(value) ? value >> (8 * i) : 0);
  }
  return bytes;
}

std::string extra_field(std::uint16_t id, std::string_view data) {
  return little_endian(id, 2) + little_endian(data.size(), 2) + std::string(data);
}

ZipAssembler& ZipAssembler::torch_layout(std::uint64_t alignment) {
  torch_ = true;
  alignment_ = alignment;
  zip64_end_ = true;
  return *this;
}

ZipAssembler& ZipAssembler::zip64_end(bool on) {
  zip64_end_ = on;
  return *this;
}

ZipAssembler& ZipAssembler::add(std::string name, std::string data, std::uint64_t size,
                                std::uint32_t crc, std::uint16_t method) {
  const std::uint16_t flags = !torch_ ? 0 : size == 0 ? 0x0800 : 0x0808;
  entries_.push_back({.name = name,
                      .local_name = name,
                      .data = std::move(data),
                      .size = size,
                      .crc = crc,
                      .method = method,
                      .flags = flags,
                      .gap = std::exchange(gap_, {})});
  return *this;
}

ZipAssembler& ZipAssembler::member(std::string name, std::string_view data) {
  return add(std::move(name), std::string(data), data.size(), crc32(as_bytes(data)),
             method::kStored);
}

ZipAssembler& ZipAssembler::deflated(std::string name, std::string_view data) {
  return add(std::move(name), deflate(data), data.size(), crc32(as_bytes(data)), method::kDeflate);
}

ZipAssembler& ZipAssembler::raw(std::string name, std::string_view data, std::uint64_t size,
                                std::uint32_t crc) {
  return add(std::move(name), std::string(data), size, crc, method::kDeflate);
}

ZipAssembler& ZipAssembler::gap(std::string_view bytes) {
  gap_ += bytes;
  return *this;
}

ZipAssembler& ZipAssembler::local_name(std::string name) {
  last().local_name = std::move(name);
  return *this;
}

ZipAssembler& ZipAssembler::local_extra(std::string_view bytes) {
  last().local_extra = bytes;
  return *this;
}

ZipAssembler& ZipAssembler::central_extra(std::string_view bytes) {
  last().central_extra = bytes;
  return *this;
}

ZipAssembler& ZipAssembler::descriptor(std::string_view bytes) {
  last().descriptor = bytes;
  last().has_descriptor_of_its_own = true;
  return *this;
}

ZipAssembler& ZipAssembler::flags(std::uint16_t value) {
  last().flags = value;
  return *this;
}

ZipAssembler& ZipAssembler::method(std::uint16_t value) {
  last().method = value;
  return *this;
}

ZipAssembler& ZipAssembler::crc(std::uint32_t value) {
  last().crc = value;
  return *this;
}

ZipAssembler& ZipAssembler::without_central_entry() {
  last().listed = false;
  return *this;
}

ZipAssembler& ZipAssembler::before_end(std::string_view bytes) {
  before_end_ = bytes;
  return *this;
}

ZipAssembler& ZipAssembler::comment(std::string_view bytes) {
  comment_ = bytes;
  return *this;
}

ZipAssembler& ZipAssembler::trailing(std::string_view bytes) {
  trailing_ = bytes;
  return *this;
}

ZipAssembler& ZipAssembler::patch(Record record, std::size_t offset, std::size_t width,
                                  std::uint64_t value) {
  patches_.push_back({record, entries_.size() - 1, offset, width, value});
  return *this;
}

class ZipAssembler::Writer {
 public:
  explicit Writer(const ZipAssembler& zip) : zip_(zip) {}

  std::string write();

 private:
  void local(std::size_t index);
  void central(std::size_t index);
  void zip64_end(std::uint64_t directory, std::uint64_t count);
  void end(std::uint64_t directory, std::uint64_t size, std::uint64_t count);
  std::string padding(const Entry& entry) const;
  void number(std::uint64_t value, std::size_t width) { out_ += little_endian(value, width); }
  void patch(Record record, std::size_t member, std::size_t begin);

  const ZipAssembler& zip_;
  std::string out_;
  std::vector<std::uint64_t> headers_;
};

std::string ZipAssembler::Writer::write() {
  for (std::size_t i = 0; i < zip_.entries_.size(); ++i) {
    local(i);
  }
  out_ += zip_.gap_;
  const std::uint64_t directory = out_.size();
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < zip_.entries_.size(); ++i) {
    if (!zip_.entries_[i].listed) continue;
    central(i);
    ++count;
  }
  const std::uint64_t size = out_.size() - directory;
  out_ += zip_.before_end_;
  if (zip_.zip64_end_) zip64_end(directory, count);
  end(directory, size, count);
  return std::move(out_) + zip_.trailing_;
}

void ZipAssembler::Writer::local(std::size_t index) {
  const Entry& entry = zip_.entries_[index];
  const bool deferred = (entry.flags & 8) != 0;
  out_ += entry.gap;
  const std::size_t begin = out_.size();
  headers_.push_back(begin);
  const std::string extra = padding(entry);
  out_ += "PK\3\4";
  number(entry.method == method::kStored ? 0 : 20, 2);
  number(entry.flags, 2);
  number(entry.method, 2);
  number(0, 4);
  number(deferred ? 0 : entry.crc, 4);
  number(deferred ? 0 : entry.data.size(), 4);
  number(deferred ? 0 : entry.size, 4);
  number(entry.local_name.size(), 2);
  number(extra.size(), 2);
  out_ += entry.local_name + extra + entry.data;
  patch(Record::Local, index, begin);
  if (entry.has_descriptor_of_its_own) {
    out_ += entry.descriptor;
  } else if (deferred) {
    out_ += "PK\7\10";
    number(entry.crc, 4);
    number(entry.data.size(), 4);
    number(entry.size, 4);
  }
}

std::string ZipAssembler::Writer::padding(const Entry& entry) const {
  if (!zip_.torch_) return entry.local_extra;
  const std::size_t begin =
      out_.size() + 30 + entry.local_name.size() + entry.local_extra.size() + 4;
  const std::size_t past = begin % zip_.alignment_;
  return entry.local_extra +
         extra_field(extra::kPadding, std::string(past == 0 ? 0 : zip_.alignment_ - past, 'Z'));
}

void ZipAssembler::Writer::central(std::size_t index) {
  const Entry& entry = zip_.entries_[index];
  const std::size_t begin = out_.size();
  out_ += "PK\1\2";
  number(0, 2);
  number(entry.method == method::kStored ? 0 : 20, 2);
  number(entry.flags, 2);
  number(entry.method, 2);
  number(0, 4);
  number(entry.crc, 4);
  number(entry.data.size(), 4);
  number(entry.size, 4);
  number(entry.name.size(), 2);
  number(entry.central_extra.size(), 2);
  number(0, 2 + 2 + 2 + 4);
  number(headers_[index], 4);
  out_ += entry.name + entry.central_extra;
  patch(Record::Central, index, begin);
}

void ZipAssembler::Writer::zip64_end(std::uint64_t directory, std::uint64_t count) {
  const std::size_t begin = out_.size();
  const std::uint64_t size = begin - zip_.before_end_.size() - directory;
  out_ += "PK\6\6";
  number(44, 8);
  number(0x031E, 2);
  number(0x002D, 2);
  number(0, 4 + 4);
  number(count, 8);
  number(count, 8);
  number(size, 8);
  number(directory, 8);
  patch(Record::Zip64End, 0, begin);
  const std::size_t locator = out_.size();
  out_ += "PK\6\7";
  number(0, 4);
  number(begin, 8);
  number(1, 4);
  patch(Record::Locator, 0, locator);
}

void ZipAssembler::Writer::end(std::uint64_t directory, std::uint64_t size, std::uint64_t count) {
  const std::size_t begin = out_.size();
  out_ += "PK\5\6";
  number(0, 2 + 2);
  number(std::min<std::uint64_t>(count, 0xFFFF), 2);
  number(std::min<std::uint64_t>(count, 0xFFFF), 2);
  number(size, 4);
  number(directory, 4);
  number(zip_.comment_.size(), 2);
  out_ += zip_.comment_;
  patch(Record::End, 0, begin);
}

void ZipAssembler::Writer::patch(Record record, std::size_t member, std::size_t begin) {
  const bool is_header = record == Record::Local || record == Record::Central;
  for (const Patch& patch : zip_.patches_) {
    if (patch.record != record || (is_header && patch.member != member)) continue;
    out_.replace(begin + patch.offset, patch.width, little_endian(patch.value, patch.width));
  }
}

std::string ZipAssembler::text() const {
  return Writer(*this).write();
}

std::vector<std::byte> ZipAssembler::bytes() const {
  const std::string archive = text();
  const Bytes view = as_bytes(archive);
  return {view.begin(), view.end()};
}

}  // namespace ptsd::test
