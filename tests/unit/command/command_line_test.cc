// SPDX-License-Identifier: Apache-2.0
#include "command/command_line.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "base/error.h"
#include "command/flags.h"
#include "command/options.h"

namespace ptsd::command {
namespace {

enum class Order { File, Name };

// What a command line set. Commands are tables of functions without state, so the tests look
// here.
struct Seen {
  std::string file;
  std::vector<std::string> names;
  bool is_long = false;
  bool equal_nan = true;
  std::optional<std::string> output;
  std::optional<std::string> backup;
  std::optional<std::uint64_t> depth;
  Order order = Order::File;
  std::vector<std::string> rules;  // "OPTION VALUE"
  CommonOptions common;
  SelectionOptions selection;
};

std::shared_ptr<Seen> last_seen;

Action declare_cut(Flags& flags) {
  auto seen = std::make_shared<Seen>();
  last_seen = seen;
  flags.file("FILE", seen->file, "the file");
  flags.files("NAME", seen->names, "names", 0);
  flags.flag("-l,--long", seen->is_long, "more");
  flags.flag("--no-equal-nan", seen->equal_nan, "NaN differs from NaN", false);
  flags.text("-o,--output", seen->output, "FILE", "where to");
  flags.optional_text("--in-place", seen->backup, "SUFFIX", "the file itself");
  flags.number("--depth", seen->depth, "N", "levels");
  flags.choice<Order>("--sort", seen->order,
                      {
                          {"file", Order::File},
                          {"name", Order::Name}
  },
                      "by");
  for (const std::string option : {"--from", "--to"}) {
    flags.each(
        option, "PREFIX",
        [seen, option](std::string_view value) {
          seen->rules.push_back(option + " " + std::string(value));
        },
        "rule");
  }
  flags.check([seen] {
    if (seen->output && seen->backup) fail_usage("-o and --in-place exclude each other");
  });
  seen->selection.declare(flags);
  seen->common.declare(flags);
  return [seen] { return seen->is_long ? Exit::No : Exit::Yes; };
}

Action declare_pair(Flags& flags) {
  auto files = std::make_shared<std::vector<std::string>>();
  flags.files("FILE", *files, "two or more", 2);
  return [files] { return Exit::Yes; };
}

constexpr Command kCut = {"cut", "cuts", "ptsd cut a.pt\n", declare_cut};
constexpr Command kPair = {"pair", "pairs", "", declare_pair};
constexpr const Command* kCommands[] = {&kCut, &kPair};

Action parse_words(const std::vector<std::string>& words) {
  return parse(kCommands, words);
}

const Seen& cut(std::vector<std::string> words) {
  words.insert(words.begin(), "cut");
  parse_words(words);
  return *last_seen;
}

std::string refusal(const std::vector<std::string>& words) {
  try {
    parse_words(words);
  } catch (const Error& error) {
    CHECK(error.kind() == Error::Kind::Usage);
    return error.what();
  }
  return "accepted";
}

using Words = std::vector<std::string>;

TEST_CASE("options and files may be mixed") {
  const Seen& seen = cut({"-l", "a.pt", "--depth", "3", "x", "--sort=name", "y"});
  CHECK(seen.file == "a.pt");
  CHECK(seen.names == Words{"x", "y"});
  CHECK(seen.is_long);
  CHECK(seen.depth == 3);
  CHECK(seen.order == Order::Name);
}

TEST_CASE("the action gives the exit status") {
  CHECK(parse_words({"cut", "a.pt"})() == Exit::Yes);
  CHECK(parse_words({"cut", "-l", "a.pt"})() == Exit::No);
}

TEST_CASE("what follows -- is no option") {
  const Seen& seen = cut({"--", "--long", "-l", "--"});
  CHECK(seen.file == "--long");
  CHECK(seen.names == Words{"-l", "--"});
  CHECK_FALSE(seen.is_long);
}

TEST_CASE("a dash alone is a file") {
  CHECK(cut({"-"}).file == "-");
}

TEST_CASE("short options may be bundled, and end in a value") {
  const Seen& seen = cut({"-lqo", "out.pt", "a.pt"});
  CHECK(seen.is_long);
  CHECK(seen.common.quiet);
  CHECK(seen.output == "out.pt");
}

TEST_CASE("a value may be empty") {
  const Seen& seen = cut({"a.pt", "--from=", "--to=x", "--from", ""});
  CHECK(seen.rules == Words{"--from ", "--to x", "--from "});
}

TEST_CASE("a value may look like anything") {
  const Seen& seen = cut({"a.pt", "--from", "[a,b]", "--to=--json", "--from=x=y", "--to", "-1"});
  CHECK(seen.rules == Words{"--from [a,b]", "--to --json", "--from x=y", "--to -1"});
  CHECK_FALSE(seen.common.json);
}

TEST_CASE("rules are seen in the order of the command line") {
  CHECK(cut({"--to", "1", "--from", "2", "a.pt", "--to", "3"}).rules ==
        Words{"--to 1", "--from 2", "--to 3"});
}

TEST_CASE("an optional value is attached with an equals sign, or absent") {
  CHECK(cut({"--in-place", "a.pt"}).backup == "");
  CHECK(cut({"--in-place=.bak", "a.pt"}).backup == ".bak");
  CHECK(cut({"--in-place=true", "a.pt"}).backup == "true");
  CHECK_FALSE(cut({"a.pt"}).backup.has_value());
}

TEST_CASE("a negated flag clears what is on by default") {
  CHECK(cut({"a.pt"}).equal_nan);
  CHECK_FALSE(cut({"--no-equal-nan", "a.pt"}).equal_nan);
}

TEST_CASE("lists are split at commas and add up") {
  const Seen& seen = cut({"a.pt", "--dtype", "float16,int8", "--dtype=bool", "--include", "a,b"});
  CHECK(seen.selection.dtypes == Words{"float16", "int8", "bool"});
  CHECK(seen.selection.include == Words{"a,b"});
}

TEST_CASE("limits are set by name") {
  CHECK(cut({"a.pt", "--limit", "depth=7"}).common.limits.depth == 7);
  CHECK(refusal({"cut", "a.pt", "--limit", "dept=7"}) ==
        "--limit: no limit is called 'dept', only pickle-bytes, inflated-bytes, directory-bytes, "
        "depth, entries, dimensions, view-bytes; did you mean 'depth'?");
  CHECK(refusal({"cut", "a.pt", "--limit", "depth"}) ==
        "--limit: 'depth' is not of the form NAME=N");
  CHECK(refusal({"cut", "a.pt", "--limit", "depth=-1"}) == "--limit: '-1' is not a whole number");
}

TEST_CASE("long options are not abbreviated, and the nearest is named") {
  CHECK(refusal({"cut", "--lon", "a.pt"}) == "unknown option '--lon'; did you mean '--long'?");
  CHECK(refusal({"cut", "a.pt", "--dpeth=3"}) ==
        "unknown option '--dpeth'; did you mean '--depth'?");
  CHECK(refusal({"cut", "a.pt", "-lz"}) == "unknown option '-z'");
  CHECK(refusal({"cut", "a.pt", "--\x1b[31m"}) == "unknown option '--\\x1b[31m'");
}

TEST_CASE("an unknown command is refused, and the nearest is named") {
  CHECK(refusal({"ctu", "a.pt"}) == "unknown command 'ctu'; did you mean 'cut'?");
  CHECK(refusal({"frobnicate"}) == "unknown command 'frobnicate'");
  CHECK(refusal({"help", "ctu"}) == "unknown command 'ctu'; did you mean 'cut'?");
  CHECK(refusal({"--json", "cut"}) ==
        "'--json' comes before the command; the order is COMMAND [OPTIONS] FILE…");
}

TEST_CASE("files that are missing or too many are refused") {
  CHECK(refusal({"cut"}) == "FILE is missing");
  CHECK(refusal({"pair", "a.pt"}) == "FILE is missing");
  CHECK(refusal({"pair", "a.pt", "b.pt", "c.pt"}) == "accepted");
}

TEST_CASE("values that are missing or not wanted are refused") {
  CHECK(refusal({"cut", "a.pt", "--depth"}) == "--depth needs a value, N");
  CHECK(refusal({"cut", "a.pt", "-lo"}) == "-o needs a value, FILE");
  CHECK(refusal({"cut", "a.pt", "--long=1"}) == "--long takes no value, but was given '1'");
  CHECK(refusal({"cut", "a.pt", "--long=true"}) == "--long takes no value, but was given 'true'");
}

TEST_CASE("values out of range are refused") {
  CHECK(refusal({"cut", "a.pt", "--depth", "3k"}) == "--depth: '3k' is not a whole number");
  CHECK(refusal({"cut", "a.pt", "--depth="}) == "--depth: '' is not a whole number");
  CHECK(refusal({"cut", "a.pt", "--depth", "18446744073709551616"}) ==
        "--depth: '18446744073709551616' does not fit 64 bits");
  CHECK(refusal({"cut", "a.pt", "--sort", "nam"}) ==
        "--sort: 'nam' is none of file, name; did you mean 'name'?");
  CHECK(refusal({"cut", "a.pt", "--color=maybe"}) ==
        "--color: 'maybe' is none of auto, always, never");
}

TEST_CASE("options that exclude each other are refused before a file is touched") {
  CHECK(refusal({"cut", "a.pt", "-o", "b.pt", "--in-place"}) ==
        "-o and --in-place exclude each other");
  CHECK(refusal({"cut", "a.pt", "-o", "b.pt", "-o", "c.pt"}) ==
        "--output is given twice: 'b.pt', then 'c.pt'");
}

TEST_CASE("whatever has one value is given once") {
  CHECK(refusal({"cut", "a.pt", "--depth", "1", "--depth=1"}) ==
        "--depth is given twice: '1', then '1'");
  CHECK(refusal({"cut", "a.pt", "--sort", "file", "--sort", "name"}) ==
        "--sort is given twice: 'file', then 'name'");
  CHECK(refusal({"cut", "a.pt", "--in-place", "--in-place=~"}) ==
        "--in-place is given twice: '', then '~'");
  CHECK(refusal({"cut", "a.pt", "-l", "-l", "--from", "x", "--from", "y"}) == "accepted");
}

TEST_CASE("help and version are asked for among other arguments") {
  CHECK(refusal({"cut", "--help"}) == "accepted");
  CHECK(refusal({"cut", "--frobnicate", "-h"}) == "accepted");
  CHECK(refusal({"cut", "--version"}) == "accepted");
  CHECK(refusal({"cut", "--", "--help"}) == "accepted");
  CHECK(last_seen->file == "--help");
}

TEST_CASE("errors are JSON whenever --json is on the command line") {
  CHECK(wants_json({"cut", "--frobnicate", "--json"}));
  CHECK_FALSE(wants_json({"cut", "--", "--json"}));
}

TEST_CASE("errors have the colours that --color asks for, however it is written") {
  using report::Color;
  CHECK(color_of({"cut", "in"}) == Color::Auto);
  CHECK(color_of({"cut", "--color=always", "--frobnicate"}) == Color::Always);
  CHECK(color_of({"cut", "--color", "never"}) == Color::Never);
  CHECK(color_of({"cut", "--", "--color", "always"}) == Color::Auto);
}

}  // namespace
}  // namespace ptsd::command
