// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "command/flags.h"
#include "report/style.h"

// Option groups that several commands share. They hold what was typed; what it means is settled
// where it is used.

namespace ptsd::command {

struct CommonOptions {
  bool json = false;
  bool quiet = false;
  bool verbose = false;
  bool strict = false;  // warnings make the exit status 1
  report::Color color = report::Color::Auto;
  std::optional<std::uint64_t> threads;
  Limits limits;

  void declare(Flags& flags);
  // --threads, else the processors there are, but no more than memory is bounded for.
  unsigned thread_count() const;
};

struct SelectionOptions {
  std::vector<std::string> include;     // globs, or "re:REGEX"
  std::vector<std::string> exclude;     // likewise; wins over include
  std::vector<std::string> names_from;  // files of exact names, one a line
  std::vector<std::string> dtypes;
  std::optional<std::string> shape;  // "*,512"
  bool allow_unmatched = false;

  void declare(Flags& flags);
};

// Which state dicts an edit works on.
struct StateDictOptions {
  std::vector<std::string> in;  // paths, or "*"

  void declare(Flags& flags);
};

enum class Container { Zip, Legacy, Safetensors };
// What becomes of tensors that are one, where a container cannot say so.
enum class Shared { Alias, Clone };

// Where an edited checkpoint goes.
struct OutputOptions {
  std::optional<std::string> output;
  std::optional<std::string> in_place;  // the suffix for the original; empty: it is not kept
  bool force = false;
  bool dry_run = false;
  bool verify = false;
  bool break_links = false;
  std::optional<Container> to;
  bool drop_other = false;
  Shared shared = Shared::Alias;
  std::optional<std::uint64_t> max_shard_size;                // bytes
  std::vector<std::pair<std::string, std::string>> metadata;  // of a safetensors file

  void declare(Flags& flags);
  // What `ptsd rewrite` has besides.
  void declare_format(Flags& flags);
  // Whether more is asked for than another place, or another container, for the same.
  bool changes_container() const { return max_shard_size || is_for_safetensors(); }
  // Throws Error::Usage for what has no meaning in another container than safetensors.
  void check_for(Container container) const;
  bool is_for_safetensors() const { return !metadata.empty() || shared == Shared::Clone; }
};

}  // namespace ptsd::command
