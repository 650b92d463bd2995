// SPDX-License-Identifier: Apache-2.0
#include "format/tar_cursor.h"

#include <utility>

#include <fmt/format.h>

#include "base/byte_reader.h"

namespace ptsd::format {

TarCursor::TarCursor(const ByteSource& source, const container::TarMember& member)
    : part_(source, 0, member.offset + member.size), name_(member.name), position_(member.offset) {}

void TarCursor::fail(std::string message, Error::Kind kind) const {
  part_.fail_at(position_, kind, std::move(message));
}

std::uint64_t TarCursor::count() {
  std::uint64_t found = 0;
  entry([&](const PlainPickle& pickle) {
    const pickle::Graph& graph = pickle.graph();
    const bool is_count =
        graph.kind(pickle.root()) == pickle::Kind::Int && graph.int_value(pickle.root()) >= 0;
    if (!is_count) pickle.fail(fmt::format("the number of {} is {}", name_, pickle.shown()));
    found = static_cast<std::uint64_t>(graph.int_value(pickle.root()));
  });
  return found;
}

std::uint64_t TarCursor::skip(std::uint64_t size, const std::string& subject) {
  if (size > part_.size() - position_) {
    fail(fmt::format("{}: {} bytes, the member has {} more", subject, size,
                     part_.size() - position_));
  }
  return std::exchange(position_, position_ + size);
}

std::int64_t TarCursor::not_negative(const std::string& subject, std::string_view what) {
  const auto value = static_cast<std::int64_t>(number(8, subject));
  if (value < 0) fail(fmt::format("{}: {} is {}", subject, what, value));
  return value;
}

std::uint64_t TarCursor::number(std::uint64_t size, const std::string& subject) {
  const auto bytes = part_.read(skip(size, subject), size);
  const Where origin = {.file = part_.name()};
  ByteReader reader(bytes, origin);
  return size == 4 ? reader.u32_le(subject) : reader.u64_le(subject);
}

}  // namespace ptsd::format
