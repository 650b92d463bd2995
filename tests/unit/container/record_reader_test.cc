// SPDX-License-Identifier: Apache-2.0
#include "container/record_reader.h"

#include <string>

#include <doctest/doctest.h>

#include "container/zip_format.h"
#include "opened.h"

namespace ptsd::container {
namespace {

using test::error_of;
using test::Opened;
using test::text_of;
using test::zip;
using test::ZipAssembler;

ZipAssembler checkpoint() {
  return zip()
      .torch_layout()
      .member("m/data.pkl", "pickle")
      .member("m/data/0", "x")
      .member("m/version", "3\n");
}

std::string names_of(const ZipAssembler& made) {
  const Opened opened(made);
  std::string text;
  for (const Record& record : RecordReader(opened.zip).records()) {
    text += std::string(record.name) + " ";
  }
  return text;
}

std::string warnings_of(const ZipAssembler& made) {
  const Opened opened(made);
  return text_of(RecordReader(opened.zip).warnings());
}

std::string error_of_records(const ZipAssembler& made) {
  return error_of([&made] {
    const Opened opened(made);
    const RecordReader records(opened.zip);
  });
}

TEST_CASE("records are found below the root, which is the first segment of the first name") {
  const Opened opened(checkpoint());
  const RecordReader records(opened.zip);
  CHECK(records.root() == "m");
  CHECK(records.record("data/0")->name == "m/data/0");
  CHECK(records.record("data/1") == nullptr);
  CHECK(records.record("m/data/0") == nullptr);
  CHECK(records.record("") == nullptr);
  CHECK(records.warnings().empty());
}

TEST_CASE("records are listed in the order of the directory, folders are not") {
  CHECK(names_of(checkpoint()) == "data.pkl data/0 version ");
  CHECK(names_of(zip().member("m/", "").member("m/data.pkl", "").member("m/data/", "")) ==
        "data.pkl ");
}

TEST_CASE("a folder as the first entry names the root") {
  const Opened opened(zip().member("m/", "").member("m/data.pkl", "pickle"));
  const RecordReader records(opened.zip);
  CHECK(records.root() == "m");
  CHECK(records.record("data.pkl") != nullptr);
  CHECK(records.warnings().empty());
}

TEST_CASE("an archive without members or without a folder has no root") {
  CHECK(error_of_records(zip()) == "malformed: m.pt: the archive is empty");
  CHECK(error_of_records(zip().member("data.pkl", "").member("m/version", "")) ==
        "malformed: m.pt: +0x4d: the first member, 'data.pkl', is in no folder: there is no root");
}

TEST_CASE("an archive whose first name begins with a slash has the empty root") {
  const Opened opened(zip().member("/data.pkl", "").member("/version", ""));
  CHECK(RecordReader(opened.zip).root() == "");
  CHECK(RecordReader(opened.zip).record("version") != nullptr);
}

TEST_CASE("names are compared without case, and a known record found so is reported") {
  const ZipAssembler made = zip().member("m/Data.Pkl", "pickle").member("m/VERSION", "3\n");
  const Opened opened(made);
  const RecordReader records(opened.zip);
  CHECK(records.record("data.pkl")->name == "m/Data.Pkl");
  CHECK(text_of(records.warnings()) ==
        "+0x57: 'm/Data.Pkl' is taken for 'data.pkl': PyTorch ignores case\n"
        "+0x8f: 'm/VERSION' is taken for 'version': PyTorch ignores case\n");
}

TEST_CASE("two names that are equal without case are refused") {
  CHECK(error_of_records(zip().member("m/data.pkl", "good").member("m/DATA.PKL", "evil")) ==
        "malformed: m.pt: +0x90: two names are equal without case: 'm/data.pkl' and 'm/DATA.PKL'");
  CHECK(error_of_records(zip().member("m/data.pkl", "good").member("M/data.pkl", "evil")) ==
        "malformed: m.pt: +0x90: two names are equal without case: 'm/data.pkl' and 'M/data.pkl'");
}

TEST_CASE("members outside the root are reported once") {
  CHECK(warnings_of(checkpoint().member("readme.txt", "hi").member("n/data.pkl", "evil")) ==
        "+0x1f9: 2 members outside the root, for which torch.load refuses the file; the first is "
        "'readme.txt'\n");
  CHECK(names_of(checkpoint().member("readme.txt", "hi").member("mm/x", "")) ==
        "data.pkl data/0 version ");
}

TEST_CASE("a root that differs in case is looked up and reported") {
  const Opened opened(zip().member("m/data.pkl", "pickle").member("M/version", "3\n"));
  const RecordReader records(opened.zip);
  CHECK(records.record("version") != nullptr);
  CHECK(records.record_name(*records.record("version")) == "version");
  CHECK(text_of(records.warnings()) ==
        "+0x8f: 1 members outside the root, for which torch.load refuses the file; the first is "
        "'M/version'\n");
}

TEST_CASE("a NUL or a backslash in a name is refused") {
  CHECK(error_of_records(checkpoint().member(std::string("m/x\0.pkl", 8), "")) ==
        "malformed: m.pt: +0x1a5: a NUL in the name 'm/x\\x00.pkl'");
  CHECK(error_of_records(zip().member("m/version", "").member("m\\data.pkl", "")) ==
        "malformed: m.pt: +0x86: a backslash in the name 'm\\\\data.pkl'");
}

TEST_CASE("a name that is not UTF-8 is found by its bytes and reported") {
  const ZipAssembler made = zip().member("m/version", "").member("m/\xff\xfe", "x");
  const Opened opened(made);
  CHECK(RecordReader(opened.zip).record("\xff\xfe") != nullptr);
  CHECK(warnings_of(made) ==
        "+0x81: 1 names are not UTF-8, which PyTorch cannot list; the first is "
        "'m/\\xff\\xfe'\n");
  CHECK(warnings_of(zip().member("m/version", "").member("m/\xc3\xa4", "x")) == "");
}

TEST_CASE("a name beyond 511 bytes is found and reported") {
  const std::string name(600, 'x');
  const ZipAssembler made = zip().member("m/version", "").member("m/" + name, "x");
  const Opened opened(made);
  CHECK(RecordReader(opened.zip).record(name) != nullptr);
  CHECK(warnings_of(made).find("+0x2d7: 1 names are longer than 511 bytes, where PyTorch cuts "
                               "them; the first is 'm/xxx") == 0);
}

}  // namespace
}  // namespace ptsd::container
