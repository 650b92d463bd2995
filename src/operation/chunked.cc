// SPDX-License-Identifier: Apache-2.0
#include "operation/chunked.h"

#include <algorithm>
#include <utility>

#include "base/parallel.h"

namespace ptsd::operation {
namespace {

constexpr std::uint64_t kChunk = std::uint64_t{4} << 20;   // bytes
constexpr std::uint64_t kBatch = std::uint64_t{64} << 20;  // bytes, of work that waits
constexpr std::size_t kMostWaiting = 4096;
constexpr std::size_t kMostChunks = 4096;                 // of one run, to bound what they find
constexpr std::uint64_t kAlone = std::uint64_t{1} << 20;  // bytes that no second thread is worth

struct Task {
  Chunked* work;
  Chunk chunk;
};

std::uint64_t round_up(std::uint64_t value, std::uint64_t step) {
  return (value / step + (value % step != 0 ? 1 : 0)) * step;
}

void append_tasks(std::vector<Task>& tasks, Chunked& work) {
  const std::uint64_t least = std::max<std::uint64_t>(1, kChunk / work.item_size());
  const std::uint64_t size = std::max(least, round_up(work.count() / kMostChunks, least));
  Chunk chunk;
  for (; chunk.first < work.count(); ++chunk.number) {
    chunk.count = std::min(size, work.count() - chunk.first);
    tasks.push_back({&work, chunk});
    chunk.first += chunk.count;
  }
  work.prepare(chunk.number);
}

}  // namespace

void ChunkedRunner::add(std::unique_ptr<Chunked> work) {
  bytes_ += work->count() * work->item_size();
  waiting_.push_back(std::move(work));
  if (bytes_ >= kBatch || waiting_.size() >= kMostWaiting) flush();
}

void ChunkedRunner::flush() {
  std::vector<Task> tasks;
  for (const std::unique_ptr<Chunked>& work : waiting_) {
    append_tasks(tasks, *work);
  }
  const unsigned threads = bytes_ < kAlone ? 1 : threads_;
  parallel_for(threads, tasks.size(), [&](std::size_t i) { tasks[i].work->run(tasks[i].chunk); });
  for (const std::unique_ptr<Chunked>& work : waiting_) {
    work->finish();
  }
  waiting_.clear();
  bytes_ = 0;
}

}  // namespace ptsd::operation
