// SPDX-License-Identifier: Apache-2.0
#include "pickle/stream_end.h"

#include <doctest/doctest.h>

#include "support/pickle_assembler.h"
#include "support/refusal.h"

namespace ptsd::pickle {
namespace {

using test::refused;

constexpr std::uint64_t kMost = std::uint64_t{1} << 30;

// Bytes without end, of which it counts those that are read.
class Endless final : public ByteSource {
 public:
  Endless(std::string head, std::byte rest) : head_(std::move(head)), rest_(rest) {}

  using ByteSource::read;
  const std::string& name() const override { return name_; }
  std::uint64_t size() const override { return std::uint64_t{1} << 50; }
  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    count_ += out.size();
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::uint64_t at = offset + i;
      out[i] = at < head_.size() ? static_cast<std::byte>(head_[at]) : rest_;
    }
  }
  std::uint64_t count() const { return count_; }

 private:
  std::string name_ = "f";
  std::string head_;
  std::byte rest_;
  mutable std::uint64_t count_ = 0;
};

std::string text_of(const std::vector<std::byte>& bytes) {
  return std::string(as_text(bytes));
}

std::string refusal(std::string_view bytes, std::uint64_t most = kMost) {
  const MemorySource source("f", {as_bytes(bytes).begin(), as_bytes(bytes).end()});
  return refused([&] { read_stream(source, 0, most, {.file = "f"}); });
}

// Every opcode once, with arguments that have STOP in them.
std::string all_opcodes() {
  test::PickleAssembler all;
  all.proto('.').frame('.').binint('.').binint1('.').binint2('.').binfloat(0.5);
  all.int_line(".").long_line(".").float_line(".").long1(".").long4(".");
  all.string_line("'.'").binstring(".").short_binstring(".").unicode_line(".").binunicode(".");
  all.short_binunicode(".").binunicode8(".").short_binbytes(".").binbytes(".").binbytes8(".");
  all.bytearray8(".").put(".").binput('.').long_binput('.').get(".").binget('.').long_binget('.');
  all.global(".", ".").inst(".", ".").persid(".").ext1('.').ext2('.').ext4('.');
  for (const OpInfo& info : kOps) {
    if (info.argument == Argument::None && info.op != Op::Stop) all.op(info.op);
  }
  return text_of(all.stop());
}

TEST_CASE("a pickle ends with the STOP that is no argument") {
  const std::string stream = all_opcodes();
  const std::string source = "ab" + stream + ".";
  const MemorySource bytes("f", {as_bytes(source).begin(), as_bytes(source).end()});
  CHECK(text_of(read_stream(bytes, 2, kMost, {})) == stream);
}

TEST_CASE("what follows a pickle is not read") {
  const std::string stream = text_of(test::pickle().proto(2).none().stop());
  const Endless source(stream, std::byte{0});
  CHECK(text_of(read_stream(source, 0, kMost, {})) == stream);
  CHECK(source.count() < 10'000);
}

TEST_CASE("a long argument is not looked at on the way") {
  const std::string body(20'000'000, 'x');
  const std::string stream = text_of(test::pickle().binbytes(body).stop());
  const Endless source(stream, std::byte{0});
  CHECK(read_stream(source, 0, kMost, {}).size() == stream.size());
  CHECK(source.count() < stream.size() + 20'000);
}

TEST_CASE("text lines can be longer than a window") {
  const std::string stream =
      text_of(test::pickle().unicode_line(std::string(5'000'000, 'x')).stop());
  const Endless source(stream, std::byte{0});
  CHECK(read_stream(source, 0, kMost, {}).size() == stream.size());
}

TEST_CASE("what is no pickle is not read to its end") {
  const Endless zeros("", std::byte{0});
  CHECK(refused([&] { read_stream(zeros, 0, kMost, {.file = "f"}); }) ==
        "f: +0x0: byte 0x00 is no pickle opcode");
  const Endless line("c", std::byte{'x'});
  CHECK(refused([&] { read_stream(line, 0, kMost, {.file = "f"}); }) ==
        "f: +0x0: a line of GLOBAL has more than 1048576 bytes");
  const Endless nones("", std::byte{'N'});
  CHECK(refused([&] { read_stream(nones, 7, 1000, {.file = "f"}); }) ==
        "f: +0x7: a pickle of more than 1000 bytes (--limit pickle-bytes=N)");
  CHECK(zeros.count() + line.count() + nones.count() < 5'000'000);
}

TEST_CASE("a stream that was cut says where") {
  CHECK(refusal("") == "f: +0x0: the pickle ends without STOP");
  CHECK(refusal("N") == "f: +0x1: the pickle ends without STOP");
  CHECK(refusal("NM\1") == "f: +0x1: the data ends inside BININT2");
  CHECK(refusal("B\xff\xff\xff\xff.") == "f: +0x0: the data ends inside BINBYTES");
  CHECK(refusal("T\xff\xff\xff\xff.") == "f: +0x0: BINSTRING has a negative length");
  CHECK(refusal("\x8e\xff\xff\xff\xff\xff\xff\xff\xff.") ==
        "f: +0x0: the data ends inside BINBYTES8");
  CHECK(refusal("ca\nb") == "f: +0x0: the data ends inside GLOBAL");
  const std::string whole = all_opcodes();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CHECK(refusal(std::string_view(whole).substr(0, size)) != "");
  }
}

}  // namespace
}  // namespace ptsd::pickle
