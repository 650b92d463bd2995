// SPDX-License-Identifier: Apache-2.0
#include "format/npz.h"

#include "format/npy.h"
#include "format/probe.h"
#include "format/refuse_loss.h"
#include "support/refusal.h"
#include "support/zip_assembler.h"
#include "unit/checkpoint/loading.h"

namespace ptsd::format {
namespace {

using namespace std::string_literals;
using checkpoint::texts;
using test::zip;
using Lines = std::vector<std::string>;

std::string npy(std::string_view dict, std::string_view elements = "", char version = 1) {
  std::string file = "\x93NUMPY"s + version + '\0';
  const std::size_t size = version == 1 ? 2 : 4;
  for (std::size_t i = 0; i < size; ++i) {
    file += static_cast<char>(dict.size() >> 8 * i & 0xFF);
  }
  return file.append(dict).append(elements);
}

std::string header(std::string_view descr, std::string_view shape,
                   std::string_view fortran = "False") {
  return fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': {}, }}   \n", descr, fortran,
                     shape);
}

struct Opened {
  explicit Opened(const std::string& bytes)
      : source("f", {as_bytes(bytes).begin(), as_bytes(bytes).end()}),
        loaded(load(source, Limits{})) {}

  Lines entries() const { return checkpoint::entries(loaded->checkpoint()); }
  std::string bytes(std::uint32_t storage = 0) const {
    const auto opened = loaded->open_storage(checkpoint::StorageId{storage});
    const auto all = opened->read(0, opened->size());
    return std::string(as_text(all));
  }

  MemorySource source;
  std::unique_ptr<Loaded> loaded;
};

std::string refusal(const std::string& bytes) {
  return test::refused([&] { Opened opened(bytes); });
}

TEST_CASE("a .npy file is one tensor") {
  const Opened opened(npy(header("<f4", "(2, 1)"), "01234567"));
  CHECK(opened.entries() == Lines{": tensor float32 [2, 1] stride [1, 1]"});
  CHECK(opened.bytes() == "01234567");
  CHECK(opened.loaded->facts().format == "npy");
  CHECK(opened.loaded->file_offset(checkpoint::StorageId{0}) == opened.source.size() - 8);
}

TEST_CASE("elements in a compressed .npz are not touched before they are asked for") {
  const std::string array = npy(header("<f4", "(2, 1)"), "01234567");
  const auto size = static_cast<std::uint16_t>(array.size());
  // One stored block, whose last bytes are missing.
  const std::string block = "\1" + test::little_endian(size, 2) +
                            test::little_endian(static_cast<std::uint16_t>(~size), 2) + array;
  const Opened opened(zip().raw("w.npy", block.substr(0, block.size() - 8), size, 0).text());
  CHECK(opened.entries() == Lines{"w: tensor float32 [2, 1] stride [1, 1]"});
  CHECK(test::refused([&] { opened.bytes(); }) == "f: w.npy: the deflated data are broken");
}

TEST_CASE("every version, order of elements and of bytes is read") {
  for (const char version : {'\1', '\2', '\3'}) {
    CHECK(Opened(npy(header("|u1", "()"), "a", version)).entries() == Lines{": tensor uint8 []"});
  }
  const Opened fortran(npy(header("<i2", "(2, 3)", "True"), "abcdefghijkl"));
  CHECK(fortran.entries() == Lines{": tensor int16 [2, 3] stride [1, 2]"});
  CHECK(Opened(npy(header(">i4", "(2,)"), "01234567")).bytes() == "32107654");
  CHECK(Opened(npy(header(">c8", "(1,)"), "01234567")).bytes() == "32107654");
}

TEST_CASE("a header is what numpy takes") {
  const auto refused = [](std::string_view dict) { return !refusal(npy(dict)).empty(); };
  CHECK(!refused("{'shape': (0L, 3L), \"descr\": '<f8', 'fortran_order': True}"));
  CHECK(refused(""));
  CHECK(refused("{'descr': '<f8', 'fortran_order': False}"));
  CHECK(refused("{'descr': '<f8', 'fortran_order': False, 'shape': (0)}"));
  CHECK(refused("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 0)}"));
  CHECK(refused("{'descr': '<f8', 'fortran_order': 0, 'shape': (0,)}"));
  CHECK(refused("{'descr': '<f8', 'fortran_order': False, 'shape': (0,), 'more': 1}"));
  CHECK(refused("{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (0,)}"));
  CHECK(refused("{'descr': '<f8', 'fortran_order': False, 'shape': (0,)} x"));
  CHECK(refused("{'descr': '<f8, 'fortran_order': False, 'shape': (0,)}"));
  CHECK(refused("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999, 0)}"));
  const std::string whole = npy(header("<f4", "(2,)"), "01234567");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CHECK(refusal(whole.substr(0, size)) != "");
  }
  CHECK(refusal(npy(std::string(10'001, ' '))) ==
        "f: +0x0: a header of 10001 bytes, numpy.load takes 10000");
  CHECK(refusal(npy(header("<f4", "(1,)"), "0123", 4)) ==
        "f: +0x0: version 4.0 of the .npy format, known are 1.0, 2.0 and 3.0");
}

TEST_CASE("arrays that torch cannot have are refused") {
  CHECK(refusal(npy(header("|O", "(1,)"))) == "f: an array of Python objects, which are a pickle");
  CHECK(refusal(npy(header("<U2", "(1,)"))) == "f: an array of numpy's '<U2', which torch lacks");
  CHECK(refusal(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}")) ==
        "f: +0x14: a structured array, torch has none");
}

TEST_CASE("bytes behind the elements are warned of, missing ones refused") {
  CHECK(texts(Opened(npy(header("<f4", "(1,)"), "01234567")).loaded->warnings()) ==
        Lines{"f: 4 bytes behind the elements"});
  CHECK(refusal(npy(header("<f4", "(3,)"), "01234567")) ==
        "f: the array has 8 bytes, shape [3] of float32 needs another number");
}

TEST_CASE("a .npz file is a dict of tensors, stored or deflated") {
  const Opened opened(zip()
                          .member("a.npy", npy(header("<f4", "(2,)"), "01234567"))
                          .deflated("b.npy", npy(header("|u1", "(3,)"), "abc"))
                          .text());
  CHECK(opened.entries() ==
        Lines{"a: tensor float32 [2] stride [1]", "b: tensor uint8 [3] stride [1]"});
  CHECK(opened.bytes(0) == "01234567");
  CHECK(opened.bytes(1) == "abc");
  CHECK(opened.loaded->facts().format == "npz");
  CHECK(opened.loaded->warnings().empty());
}

TEST_CASE("what else is in a .npz file is named") {
  const Opened opened(
      zip().member("a.npy", npy(header("<f4", "(0,)"))).member("readme.txt", "x").text());
  CHECK(texts(opened.loaded->warnings()) == Lines{"f: readme.txt: no .npy file: left out"});
}

TEST_CASE("an array that torch cannot have hides none beside it, and is lost in no conversion") {
  const Opened opened(zip()
                          .member("o.npy", npy(header("|O", "(1,)")))
                          .member("a.npy", npy(header("|u1", "(3,)"), "abc"))
                          .member("s.npy", npy(header("<U2", "(1,)")))
                          .text());
  CHECK(opened.entries() == Lines{"a: tensor uint8 [3] stride [1]"});
  CHECK(texts(opened.loaded->warnings()) ==
        Lines{"f: o.npy: an array of Python objects, which are a pickle: left out",
              "f: s.npy: an array of numpy's '<U2', which torch lacks: left out"});
  const Loaded* const inputs[] = {opened.loaded.get()};
  CHECK(test::refused([&] { refuse_loss(inputs, false); }) ==
        "f: 'o.npy' is an array of Python objects, which are a pickle, and would be lost: --force "
        "goes on");
  CHECK(test::refused([&] { refuse_loss(inputs, true); }).empty());
}

TEST_CASE("damage to a member of a .npz file is noticed when it is read") {
  const Opened opened(zip().member("a.npy", npy(header("|u1", "(3,)"), "abc")).crc(7).text());
  CHECK(test::refused([&] { opened.bytes(); }) != "");
}

}  // namespace
}  // namespace ptsd::format
