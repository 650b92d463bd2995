// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

// The bounds on what input may make ptsd do. One struct, passed down; every field can be set
// with --limit NAME=N. The defaults are far above any checkpoint seen, and low enough that a
// hostile file ends in a clean error and not in swap.

namespace ptsd {

struct Limits {
  std::uint64_t pickle_bytes = std::uint64_t{2} << 30;     // one pickle, inflated
  std::uint64_t inflated_bytes = std::uint64_t{4} << 30;   // of one compressed record
  std::uint64_t directory_bytes = std::uint64_t{2} << 30;  // the zip's central directory
  std::uint64_t depth = 1000;                              // containers in containers
  std::uint64_t entries = 10'000'000;                      // values met on all paths from the root
  std::uint64_t dimensions = 64;                           // of one tensor
  std::uint64_t view_bytes = std::uint64_t{64} << 30;      // read of a view larger than its storage
};

struct LimitField {
  std::string_view name;
  std::uint64_t Limits::*field;
  std::string_view meaning;
};

inline constexpr auto kLimitFields = std::to_array<LimitField>({
    {"pickle-bytes",    &Limits::pickle_bytes,    "bytes of one pickle, inflated"               },
    {"inflated-bytes",  &Limits::inflated_bytes,  "bytes of one compressed record"              },
    {"directory-bytes", &Limits::directory_bytes, "bytes of the zip's central directory"        },
    {"depth",           &Limits::depth,           "containers nested in one another"            },
    {"entries",         &Limits::entries,         "values met on all paths from the root"       },
    {"dimensions",      &Limits::dimensions,      "dimensions of one tensor"                    },
    {"view-bytes",      &Limits::view_bytes,      "bytes read of a view larger than its storage"},
});

}  // namespace ptsd
