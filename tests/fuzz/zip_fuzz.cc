// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/limits.h"
#include "container/record_reader.h"
#include "container/zip_reader.h"
#include "fuzz.h"

// Opens, lists, looks up, reads, predicts and accounts for an archive.

namespace ptsd::fuzz {
namespace {

using container::Account;
using container::Member;
using container::Record;
using container::RecordReader;
using container::Slack;
using container::ZipReader;

constexpr std::uint64_t kMostBytes = 1 << 20;

void check_member(const ZipReader& zip, const Member& member) {
  require(zip.find(member.name) == &member);
  require(zip.find_ignoring_case(member.name) == &member);
  unless_refused([&] {
    const std::uint64_t offset = zip.data_offset(member);
    require(offset <= zip.directory_offset());
    require(member.compressed_size <= zip.directory_offset() - offset);
  });
  unless_refused([&] { require(zip.read(member, kMostBytes).bytes.size() == member.size); });
}

// A prediction rests on the sizes in the directory: a local header can reach the same sum in
// another way, but not begin the data later than the descriptor would.
void check_prediction(const ZipReader& zip, const Member& member, std::uint64_t alignment) {
  const auto predicted = zip.predicted_data_offset(member, alignment);
  if (!predicted) return;
  require(*predicted % alignment == 0);
  require(*predicted >= container::least_data_offset(member));
  const std::uint64_t end = *predicted + member.compressed_size +
                            container::torch_descriptor_size(member.header_offset, member.size);
  require(end <= zip.directory_offset());
  unless_refused([&] { require(zip.data_offset(member) + member.compressed_size <= end); });
}

void check_records(const ZipReader& zip) {
  const RecordReader reader(zip);
  for (const Record& record : reader.records()) {
    require(reader.record(record.name) == record.member);
  }
}

// The ranges stand in the order of the file and do not overlap.
void check_account(const ZipReader& zip) {
  const Account account = zip.account();
  std::uint64_t end = 0;
  for (const Slack& slack : account.slack) {
    require(slack.offset >= end);
    require(slack.size > 0 && slack.size <= zip.source().size() - slack.offset);
    end = slack.offset + slack.size;
  }
}

void open_and_check(const ByteSource& source) {
  const ZipReader zip(source, {.directory_bytes = kMostBytes});
  for (const Member& member : zip.members()) {
    check_member(zip, member);
    for (const std::uint64_t alignment : {1u, 64u, 4096u}) {
      check_prediction(zip, member, alignment);
    }
  }
  unless_refused([&] { check_records(zip); });
  unless_refused([&] { check_account(zip); });
}

}  // namespace
}  // namespace ptsd::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ptsd::MemorySource source = ptsd::fuzz::input_source(data, size);
  ptsd::fuzz::unless_refused([&] { ptsd::fuzz::open_and_check(source); });
  return 0;
}
