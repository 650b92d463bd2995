// SPDX-License-Identifier: Apache-2.0
#include "base/byte_reader.h"

#include <utility>

#include <fmt/format.h>

namespace ptsd {

std::string_view ByteReader::line(std::string_view what) {
  const std::string_view rest = as_text(bytes_.subspan(position_));
  const std::size_t end = rest.find('\n');
  if (end == std::string_view::npos) {
    fail(Error::Kind::Malformed,
         fmt::format("the data ends inside {}: no end of line in the last {} bytes", what,
                     remaining()));
  }
  position_ += end + 1;
  return rest.substr(0, end);
}

Where ByteReader::where(std::uint64_t position) const {
  Where place = *origin_;
  place.offset = origin_->offset.value_or(0) + position;
  return place;
}

void ByteReader::fail(Error::Kind kind, std::string message) const {
  fail_at(position_, kind, std::move(message));
}

void ByteReader::fail_at(std::uint64_t position, Error::Kind kind, std::string message) const {
  throw Error(kind, where(position), std::move(message));
}

void ByteReader::fail_short(std::uint64_t wanted, std::string_view what) const {
  fail(Error::Kind::Malformed,
       fmt::format("the data ends inside {}: {} bytes wanted, {} left", what, wanted, remaining()));
}

}  // namespace ptsd
