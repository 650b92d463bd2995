// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <doctest/doctest.h>

#include "container/record_reader.h"
#include "container/zip_format.h"
#include "opened.h"

// Archives that other programs wrote, as they wrote them.

namespace ptsd::container {
namespace {

using test::Opened;
using test::zip;

// Info-ZIP 3.0: zip -X m.zip m/data.pkl m/data/0.
constexpr std::string_view kInfoZip =
    "504b03040a0000000000a01a765d0e7443b706000000060000000a0000006d2f646174612e706b6c"
    "7069636b6c65504b0304140000000800a01a765d4ee3dfaa0600000037000000080000006d2f6461"
    "74612f304b4c240b0000504b01021e030a0000000000a01a765d0e7443b706000000060000000a00"
    "00000000000001000000a481000000006d2f646174612e706b6c504b01021e03140000000800a01a"
    "765d4ee3dfaa0600000037000000080000000000000001000000a4812e0000006d2f646174612f30"
    "504b050600000000020002006e0000005a0000000000";

// Python's zipfile, the third member forced into zip64.
constexpr std::string_view kPythonZip =
    "504b0304140000000800000021000e7443b708000000060000000a0000006d2f646174612e706b6c"
    "2bc84ccece490500504b0304140000000800000021004ee3dfaa0600000037000000080000006d2f"
    "646174612f304b4c240b0000504b03042d0000000000000021006aba37cfffffffffffffffff0500"
    "14006d2f62696701001000050000000000000005000000000000007a69703634504b010214031400"
    "00000800000021000e7443b708000000060000000a00000000000000000000008001000000006d2f"
    "646174612e706b6c504b01021403140000000800000021004ee3dfaa060000003700000008000000"
    "00000000000000008001300000006d2f646174612f30504b01022d032d0000000000000021006aba"
    "37cf050000000500000005000000000000000000000080015c0000006d2f626967504b0506000000"
    "0003000300a1000000980000000000";

// Python's zipfile writing to a pipe: descriptors, the second one 64-bit.
constexpr std::string_view kPythonStream =
    "504b0304140008000800000021000000000000000000000000000a0000006d2f646174612e706b6c"
    "2bc84ccece490500504b07080e7443b70800000006000000504b03042d0008000800000021000000"
    "0000ffffffffffffffff050014006d2f6269670100100000000000000000000000000000000000ab"
    "ca2c30330100504b07086aba37cf07000000000000000500000000000000504b0102140314000800"
    "0800000021000e7443b708000000060000000a00000000000000000000008001000000006d2f6461"
    "74612e706b6c504b01022d032d0008000800000021006aba37cf0700000005000000050000000000"
    "0000000000008001400000006d2f626967504b050600000000020002006b000000960000000000";

// PyTorchFileWriter of PyTorch 1.13.
constexpr std::string_view kTorch =
    "504b0304000008080000000000000000000000000000000000000a0018006d2f646174612e706b6c"
    "464214005a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a7069636b6c65504b07080e7443b70600"
    "000006000000504b030400000008000000000000000000000000000000000000080004006d2f6461"
    "74612f3046420000504b030400000808000000000000000000000000000000000000090019006d2f"
    "76657273696f6e464215005a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a330a504b0708d19e"
    "67550200000002000000504b01020000000008080000000000000e7443b706000000060000000a00"
    "000000000000000000000000000000006d2f646174612e706b6c504b010200000000000800000000"
    "00000000000000000000000000000800000000000000000000000000560000006d2f646174612f30"
    "504b0102000000000808000000000000d19e67550200000002000000090000000000000000000000"
    "0000800000006d2f76657273696f6e504b06062c000000000000001e032d00000000000000000003"
    "000000000000000300000000000000a500000000000000d200000000000000504b06070000000077"
    "0100000000000001000000504b05060000000003000300a5000000d20000000000";

std::string from_hex(std::string_view digits) {
  std::string bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

Opened open(std::string_view digits) {
  const std::string text = from_hex(digits);
  const Bytes bytes = as_bytes(text);
  return Opened({
      "m.pt", {bytes.begin(), bytes.end()}
  });
}

// All members are read, and nothing is odd about them.
void check_sound(const Opened& opened) {
  for (const Member& member : opened.zip.members()) {
    const Contents contents = opened.zip.read(member, 1000);
    CHECK(contents.bytes.size() == member.size);
    CHECK(!contents.warning);
  }
  const Account account = opened.zip.account();
  CHECK(account.slack.empty());
  CHECK(account.warnings.empty());
  CHECK(opened.zip.warnings().empty());
  CHECK(RecordReader(opened.zip).warnings().empty());
}

TEST_CASE("an archive that Info-ZIP wrote is read") {
  const Opened opened = open(kInfoZip);
  check_sound(opened);
  CHECK(opened.read("m/data.pkl") == "pickle");
  CHECK(opened["m/data/0"].method == method::kDeflate);
  CHECK(opened.read("m/data/0") == std::string(55, 'a'));
}

TEST_CASE("an archive that Python's zipfile wrote is read") {
  const Opened opened = open(kPythonZip);
  check_sound(opened);
  CHECK(opened.read("m/data.pkl") == "pickle");
  CHECK(opened.read("m/data/0") == std::string(55, 'a'));
  CHECK(opened.read("m/big") == "zip64");
}

TEST_CASE("an archive that Python's zipfile wrote to a pipe is read") {
  const Opened opened = open(kPythonStream);
  check_sound(opened);
  CHECK(opened["m/data.pkl"].flags == flag::kDescriptor);
  CHECK(opened.read("m/data.pkl") == "pickle");
  CHECK(opened.read("m/big") == "zip64");
}

TEST_CASE("an archive that PyTorch wrote is read, and its data offsets are predicted") {
  const Opened opened = open(kTorch);
  check_sound(opened);
  CHECK(opened.read("m/data.pkl") == "pickle");
  for (const Member& member : opened.zip.members()) {
    CHECK(opened.zip.predicted_data_offset(member, kDefaultAlignment) ==
          opened.zip.data_offset(member));
  }
}

TEST_CASE("the assembler of the tests writes PyTorch's layout to the byte") {
  CHECK(zip()
            .torch_layout()
            .member("m/data.pkl", "pickle")
            .member("m/data/0", "")
            .member("m/version", "3\n")
            .text() == from_hex(kTorch));
}

}  // namespace
}  // namespace ptsd::container
