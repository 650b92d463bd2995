// SPDX-License-Identifier: Apache-2.0
#include "operation/tensor_opener.h"

#include <atomic>
#include <vector>

#include <doctest/doctest.h>

#include "unit/operation/diff_input.h"

namespace ptsd::operation {
namespace {

using namespace test;
using checkpoint::Tensor;
using test::tensor;

// Says how it was cut and when it was finished.
class Recorded final : public Chunked {
 public:
  Recorded(std::uint64_t count, std::uint64_t item_size, std::vector<std::uint64_t>& finished)
      : count_(count), item_size_(item_size), finished_(finished) {}

  std::uint64_t count() const override { return count_; }
  std::uint64_t item_size() const override { return item_size_; }
  void prepare(std::size_t chunks) override { sums_.assign(chunks, 0); }
  void run(const Chunk& chunk) override {
    REQUIRE(chunk.number < sums_.size());
    REQUIRE(chunk.first + chunk.count <= count_);
    sums_[chunk.number] += chunk.count;
  }
  void finish() override {
    std::uint64_t sum = 0;
    for (const std::uint64_t part : sums_) {
      CHECK(part > 0);
      sum += part;
    }
    CHECK(sum == count_);
    finished_.push_back(count_);
    finished_.push_back(sums_.size());
  }

 private:
  std::uint64_t count_;
  std::uint64_t item_size_;
  std::vector<std::uint64_t>& finished_;
  std::vector<std::uint64_t> sums_;
};

TEST_CASE("work is cut by its size and finished in its order") {
  for (const unsigned threads : {1U, 3U}) {
    std::vector<std::uint64_t> finished;  // elements, chunks
    ChunkedRunner runner(threads);
    for (const std::uint64_t count : {std::uint64_t{5}, std::uint64_t{0}, std::uint64_t{3} << 20}) {
      runner.add(std::make_unique<Recorded>(count, 4, finished));
    }
    CHECK(finished.empty());
    runner.flush();
    CHECK(finished == std::vector<std::uint64_t>{5, 1, 0, 0, 3 << 20, 3});
    runner.flush();
    CHECK(finished.size() == 6);
  }
}

TEST_CASE("much work does not wait") {
  std::vector<std::uint64_t> finished;
  ChunkedRunner runner(2);
  runner.add(std::make_unique<Recorded>(std::uint64_t{1} << 30, 8, finished));
  CHECK(finished == std::vector<std::uint64_t>{std::uint64_t{1} << 30, 2048});
  runner.add(std::make_unique<Recorded>(std::uint64_t{1} << 40, 16, finished));
  CHECK(finished[3] <= 4096);
}

class Opened {
 public:
  explicit Opened(const DiffInput& input)
      : payload_(input.payload()), runner_(1), opener_(payload_, runner_) {}

  TensorElements open(std::size_t number) {
    const checkpoint::Tensors& tensors = payload_.checkpoint.tensors();
    return opener_.open(tensors[checkpoint::TensorId(static_cast<std::uint32_t>(number))]);
  }

  std::vector<float> read(std::size_t number) {
    const TensorElements elements = open(number);
    std::vector<float> values(elements.count());
    elements.read(0, std::as_writable_bytes(std::span(values)));
    return values;
  }

  void flush() { runner_.flush(); }

 private:
  Payload payload_;
  ChunkedRunner runner_;
  TensorOpener opener_;
};

TEST_CASE("a storage is checked once: by who reads all of it, or in a pass of its own") {
  const Fragment ten = storage("0", 10);
  const DiffInput input(list({
                            tensor(ten, {10},
                             {1 }
                             ), tensor(ten, {4 },
                             {1 },
                             2),
                            tensor(storage("1", 4), {2,  2},
                             {1,  2}
                             ), tensor(ten, {10},
                             {1}
                             )
  }),
                        {{"0", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}}, {"1", {1, 2, 3, 4}}});
  Opened opened(input);
  CHECK(opened.open(0).wants_crc());
  CHECK(opened.read(1) == std::vector<float>{2, 3, 4, 5});
  CHECK(opened.read(2) == std::vector<float>{1, 3, 2, 4});
  CHECK_FALSE(opened.open(2).wants_crc());
  CHECK_FALSE(opened.open(3).wants_crc());
  CHECK(input.checked.empty());
  opened.flush();
  CHECK(input.checked == std::map<std::string, int>{
                             {"1", 1}
  });
}

TEST_CASE("a CRC that is wrong ends a pass of its own, too") {
  DiffInput input(list({
                      tensor(storage("0", 3), {2},
                        {1}
                        )
  }),
                  {{"0", {1, 2, 3}}});
  input.damaged = "0";
  Opened opened(input);
  opened.open(0);
  CHECK_THROWS_WITH_AS(opened.flush(), "the CRC of 0", Error);
}

TEST_CASE("a view may show more than its storage holds, up to a limit") {
  const Fragment root =
      list({tensor(storage("0", 2), {25}, {0}), tensor(storage("0", 2), {26}, {0}),
            tensor(storage("1", 30), {30}, {1})});
  Numbers numbers = {
      {"0", {7, 8}                },
      {"1", std::vector<float>(30)}
  };
  const DiffInput input(root, numbers, {.view_bytes = 100});
  Opened opened(input);
  CHECK(opened.read(0) == std::vector<float>(25, 7));
  CHECK(opened.read(2) == std::vector<float>(30));
  CHECK(refused([&] { opened.open(1); })
            .ends_with("a view of 104 bytes, more than its storage holds and than 100 (--limit "
                       "view-bytes=N)"));
}

TEST_CASE("the CRC of chunks is that of the whole, in whatever order they come") {
  const std::vector<std::byte> bytes(1000, std::byte{5});
  ChunkedCrc crc;
  crc.prepare(3);
  crc.set(2, crc32(Bytes(bytes).subspan(900)), 100);
  crc.set(0, crc32(Bytes(bytes).first(300)), 300);
  crc.set(1, crc32(Bytes(bytes).subspan(300, 600)), 600);
  CHECK(crc.total() == crc32(bytes));
}

}  // namespace
}  // namespace ptsd::operation
