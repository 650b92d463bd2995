// SPDX-License-Identifier: Apache-2.0
#include "format/plain_pickle.h"

#include <utility>

#include <fmt/format.h>

#include "pickle/kind_names.h"
#include "pickle/stream_end.h"

namespace ptsd::format {

using pickle::Kind;
using pickle::KindSet;
using pickle::NodeId;

namespace {

constexpr KindSet kPlain(Kind::None, Kind::False, Kind::True, Kind::Int, Kind::LongBytes,
                         Kind::LongDigits, Kind::Float, Kind::Str, Kind::ByteStr, Kind::Bytes,
                         Kind::Tuple, Kind::List, Kind::Dict);

}  // namespace

PlainPickle::PlainPickle(const ByteSource& source, std::uint64_t offset, std::uint64_t most,
                         std::string_view what, Globals globals)
    : origin_({.file = source.name(), .offset = offset}),
      bytes_(pickle::read_stream(source, offset, most, origin_)),
      pickle_(pickle::read_pickle(bytes_, origin_)) {
  for (std::size_t i = 0; i < graph().size(); ++i) {
    const NodeId node{static_cast<std::uint32_t>(i)};
    const Kind kind = graph().kind(node);
    if (kPlain.contains(kind)) continue;
    if (kind == Kind::Global && globals == Globals::Allowed) continue;
    *origin_.offset += graph().offset(node);
    fail(fmt::format("{} in the pickle of {}, expected plain data", pickle::with_article(kind),
                     what));
  }
}

std::string PlainPickle::shown() const {
  const Kind kind = graph().kind(root());
  if (kind == Kind::Int) return fmt::format("{}", graph().int_value(root()));
  return pickle::with_article(kind);
}

void PlainPickle::fail(std::string message) const {
  throw Error(Error::Kind::Malformed, origin_, std::move(message));
}

}  // namespace ptsd::format
