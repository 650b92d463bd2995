// SPDX-License-Identifier: Apache-2.0
#include "container/zip_slack.h"

#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "container/zip_format.h"
#include "opened.h"

namespace ptsd::container {
namespace {

using test::error_of;
using test::extra_field;
using test::Opened;
using test::text_of;
using test::zip;
using test::ZipAssembler;

ZipAssembler torch_members() {
  return zip().torch_layout().member("m/data.pkl", "pickle").member("m/version", "3\n");
}

// "0x10+5 m/ghost\n" for each range.
std::string slack_of(const ZipAssembler& made) {
  std::string text;
  for (const Slack& slack : Opened(made).zip.account().slack) {
    text += fmt::format("{:#x}+{} {}\n", slack.offset, slack.size, slack.ghost);
  }
  return text;
}

TEST_CASE("every byte of a sound archive is accounted for") {
  CHECK(slack_of(torch_members()) == "");
  CHECK(slack_of(zip().member("m/a", "data").deflated("m/b", "data").comment("x")) == "");
  CHECK(slack_of(zip()) == "");
  CHECK(slack_of(zip().torch_layout()) == "");
}

TEST_CASE("a gap between members, before the directory and before the end is slack") {
  CHECK(slack_of(zip().member("m/a", "data").gap("12345").member("m/b", "").gap("67")) ==
        "0x25+5 \n0x4b+2 \n");
  CHECK(slack_of(zip().member("m/a", "data").before_end("12345")) == "0x56+5 \n");
  CHECK(slack_of(zip().member("m/a", "data").trailing("123")) == "0x6c+3 \n");
}

TEST_CASE("a member without a central entry is slack with its name") {
  CHECK(slack_of(zip()
                     .member("m/a", "data")
                     .member("m/ghost", "boo")
                     .without_central_entry()
                     .member("m/b", "")) == "0x25+40 m/ghost\n");
}

TEST_CASE("a ghost whose name is cut short by the next header is slack with what is there") {
  const std::string ghost = zip().member("m/ghost", "").text().substr(0, 32);
  CHECK(slack_of(zip().member("m/a", "data").gap(ghost).member("m/b", "")) == "0x25+32 m/\n");
}

TEST_CASE("padding that is not Z is slack") {
  const std::string hidden = extra_field(extra::kPadding, "ZZhiddenZZ");
  CHECK(slack_of(zip().member("m/a", "data").local_extra(hidden)) == "0x25+10 \n");
  CHECK(slack_of(zip().member("m/a", "data").local_extra(extra_field(extra::kPadding, "ZZ"))) ==
        "");
}

TEST_CASE("what a long zip64 end record holds is slack") {
  const ZipAssembler made = zip().torch_layout().member("m/a", "");
  std::string text = made.text();
  const std::size_t locator = text.find(std::string("PK\6\7", 4));
  text.insert(locator, "hidden");
  text[locator - 56 + 4] = 50;
  const Bytes bytes = as_bytes(text);
  const Opened opened({
      "m.pt", {bytes.begin(), bytes.end()}
  });
  CHECK(opened.zip.account().slack == std::vector<Slack>({
                                          {.offset = locator, .size = 6}
  }));
}

TEST_CASE("a zip64 end record whose locator is not beside the end record is slack") {
  const std::string record = zip().torch_layout().text().substr(0, 76);  // with its locator
  CHECK(slack_of(zip().member("m/a", "data").before_end(record + "apart")) == "0x56+81 \n");
}

TEST_CASE("a missing descriptor leaves no slack and a warning") {
  const Opened opened(zip().torch_layout().member("m/a", "data").descriptor("").member("m/b", ""));
  const Account account = opened.zip.account();
  CHECK(account.slack.empty());
  CHECK(text_of(account.warnings) == "+0x44: the data descriptor of 'm/a' is missing\n");
}

TEST_CASE("a contradicting descriptor takes its place and leaves a warning") {
  const std::string wrong = "PK\7\10" + std::string(12, '\1');
  const Opened opened(zip().torch_layout().member("m/a", "data").descriptor(wrong));
  const Account account = opened.zip.account();
  CHECK(account.slack.empty());
  CHECK(text_of(account.warnings) ==
        "+0x44: the data descriptor of 'm/a' contradicts the central directory\n");
}

TEST_CASE("a local extra field longer than what is left is refused with its id") {
  const std::string broken = extra_field(0x5455, "time").substr(0, 6);
  CHECK(error_of([&] { slack_of(zip().member("m/a", "data").local_extra(broken)); }) ==
        "malformed: m.pt: +0x21: extra field 0x5455 is said to be 4 bytes, 2 are left");
}

}  // namespace
}  // namespace ptsd::container
