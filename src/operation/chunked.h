// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace ptsd::operation {

// Elements [first, first + count) of a long run, the number of which the worker can use to keep
// what it finds apart from what others find.
struct Chunk {
  std::size_t number = 0;
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};

// Work on a long run of elements. How it is cut into chunks depends on its size alone, so that
// sums come out the same whatever the number of threads.
class Chunked {
 public:
  virtual ~Chunked() = default;
  virtual std::uint64_t count() const = 0;      // elements
  virtual std::uint64_t item_size() const = 0;  // bytes read for an element

  // Room for what `chunks` chunks find.
  virtual void prepare(std::size_t chunks) = 0;
  // Chunks are worked on by several threads, in any order.
  virtual void run(const Chunk& chunk) = 0;
  // Puts together what the chunks found, in their order.
  virtual void finish() = 0;
};

// Takes work and does it on up to `threads` threads, some of it at a time: what is added last may
// wait for flush(). finish() is called from here, in the order in which work was added.
class ChunkedRunner {
 public:
  explicit ChunkedRunner(unsigned threads) : threads_(threads) {}

  void add(std::unique_ptr<Chunked> work);
  void flush();

 private:
  unsigned threads_;
  std::vector<std::unique_ptr<Chunked>> waiting_;
  std::uint64_t bytes_ = 0;
};

}  // namespace ptsd::operation
