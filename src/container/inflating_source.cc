// SPDX-License-Identifier: Apache-2.0
#include "container/inflating_source.h"

#include <algorithm>
#include <array>
#include <new>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <zlib.h>

namespace ptsd::container {

namespace {

constexpr std::size_t kBlock = std::size_t{1} << 16;
constexpr int kRawDeflate = -MAX_WBITS;

}  // namespace

// libdeflate, which inflates whole records, wants all of the data and all of the space at once.
class InflatingSource::Stream {
 public:
  explicit Stream(const InflatingSource& source) : source_(source) {
    if (inflateInit2(&zlib_, kRawDeflate) != Z_OK) throw std::bad_alloc();
  }
  ~Stream() { inflateEnd(&zlib_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  std::uint64_t position() const { return position_; }

  void read(std::span<std::byte> out) {
    while (!out.empty()) {
      if (zlib_.avail_in == 0) refill();
      const auto room = static_cast<uInt>(std::min(out.size(), kBlock));
      zlib_.next_out = reinterpret_cast<Bytef*>(out.data());
      zlib_.avail_out = room;
      const int state = ::inflate(&zlib_, Z_SYNC_FLUSH);
      const std::size_t written = room - zlib_.avail_out;
      position_ += written;
      out = out.subspan(written);
      if (state == Z_MEM_ERROR) throw std::bad_alloc();
      if (state != Z_OK && state != Z_STREAM_END) fail("the deflated data are broken");
      if (state == Z_STREAM_END && !out.empty()) {
        fail(fmt::format("inflates to {} bytes, {} declared", position_, source_.size_));
      }
    }
  }

  void skip_to(std::uint64_t offset) {
    std::array<std::byte, kBlock> block;
    while (position_ < offset) {
      const std::uint64_t left = offset - position_;
      read(std::span(block).first(std::min<std::uint64_t>(left, kBlock)));
    }
  }

 private:
  [[noreturn]] void fail(std::string message) const {
    source_.fail_member(Error::Kind::Malformed, std::move(message));
  }

  void refill() {
    const std::uint64_t left = source_.compressed_size_ - taken_;
    const std::span<std::byte> part =
        std::span(input_).first(std::min<std::uint64_t>(left, kBlock));
    source_.compressed_.read(source_.offset_ + taken_, part);
    taken_ += part.size();
    zlib_.next_in = reinterpret_cast<Bytef*>(part.data());
    zlib_.avail_in = static_cast<uInt>(part.size());
  }

  const InflatingSource& source_;
  z_stream zlib_ = {};
  std::array<std::byte, kBlock> input_;
  std::uint64_t taken_ = 0;     // of the compressed bytes
  std::uint64_t position_ = 0;  // of the inflated ones
};

InflatingSource::InflatingSource(const ByteSource& compressed, std::string_view member,
                                 std::uint64_t offset, std::uint64_t compressed_size,
                                 std::uint64_t size)
    : compressed_(compressed),
      member_(member),
      offset_(offset),
      compressed_size_(compressed_size),
      size_(size) {}

InflatingSource::~InflatingSource() = default;

void InflatingSource::fail_member(Error::Kind kind, std::string message) const {
  throw Error(kind, {.file = name(), .member = member_}, std::move(message));
}

void InflatingSource::read(std::uint64_t offset, std::span<std::byte> out) const {
  if (offset > size_ || out.size() > size_ - offset) {
    fail_member(Error::Kind::Io,
                fmt::format("read of {} bytes at {} of {}", out.size(), offset, size_));
  }
  const std::lock_guard lock(mutex_);
  if (!stream_ || stream_->position() > offset) stream_ = std::make_unique<Stream>(*this);
  stream_->skip_to(offset);
  stream_->read(out);
}

}  // namespace ptsd::container
