// SPDX-License-Identifier: Apache-2.0
#include "operation/stat.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <mutex>
#include <string_view>
#include <utility>

#include "base/crc32.h"
#include "operation/tensor_opener.h"

namespace ptsd::operation {

using checkpoint::Tensor;
using checkpoint::TensorId;
using checkpoint::Tensors;

namespace {

// Bytes that are read at once.
constexpr std::uint64_t kBlock = std::uint64_t{128} << 10;
constexpr std::uint64_t kGatheredBlock = std::uint64_t{2} << 20;

// Bytes after which the second pass over what was read begins: most of it is still in memory.
constexpr std::uint64_t kRound = std::uint64_t{256} << 20;

// A pass over the elements of one tensor.
class Pass : public Chunked {
 public:
  explicit Pass(TensorElements elements) : elements_(std::move(elements)) {}

  std::uint64_t count() const override { return elements_.count(); }
  std::uint64_t item_size() const override { return tensor::info(elements_.dtype()).item_size; }

 protected:
  const TensorElements& elements() const { return elements_; }

  template <class Use>
  void each_block(const Chunk& chunk, const Use& use) const {
    const std::uint64_t most = (elements_.is_gathered() ? kGatheredBlock : kBlock) / item_size();
    std::vector<std::byte> block(std::min(most, chunk.count) * item_size());
    for (std::uint64_t done = 0; done < chunk.count;) {
      const std::uint64_t now = std::min(most, chunk.count - done);
      const std::span<std::byte> part = std::span(block).first(now * item_size());
      elements_.read(chunk.first + done, part);
      use(Bytes(part));
      done += now;
    }
  }

 private:
  TensorElements elements_;
};

class SummaryPass final : public Pass {
 public:
  SummaryPass(TensorElements elements, tensor::Summary& result)
      : Pass(std::move(elements)), result_(result) {}

  void prepare(std::size_t chunks) override {
    found_.assign(chunks, {});
    crc_.prepare(chunks);
  }

  void run(const Chunk& chunk) override {
    std::uint32_t crc = 0;
    each_block(chunk, [&](Bytes block) {
      if (elements().wants_crc()) crc = crc32(block, crc);
      found_[chunk.number].merge(tensor::summarise(elements().dtype(), block));
    });
    crc_.set(chunk.number, crc, chunk.count * item_size());
  }

  void finish() override {
    for (const tensor::Summary& found : found_) {
      result_.merge(found);
    }
    if (elements().wants_crc()) elements().check(crc_.total());
  }

 private:
  tensor::Summary& result_;
  std::vector<tensor::Summary> found_;
  ChunkedCrc crc_;
};

class HistogramPass final : public Pass {
 public:
  HistogramPass(TensorElements elements, std::span<const double> edges,
                std::vector<std::uint64_t>& result)
      : Pass(std::move(elements)), edges_(edges), result_(result) {}

  void prepare(std::size_t) override {}

  void run(const Chunk& chunk) override {
    std::vector<std::uint64_t> counts(result_.size());
    each_block(chunk,
               [&](Bytes block) { tensor::count_bins(elements().dtype(), block, edges_, counts); });
    const std::scoped_lock lock(mutex_);
    std::ranges::transform(counts, result_, result_.begin(), std::plus());
  }

  void finish() override {}

 private:
  std::span<const double> edges_;
  std::mutex mutex_;
  std::vector<std::uint64_t>& result_;
};

class Statistician {
 public:
  Statistician(const Payload& payload, const StatOptions& options)
      : payload_(payload), options_(options), runner_(options.threads), opener_(payload, runner_) {}

  std::vector<TensorStat> run(std::span<const TensorId> ids) {
    stats_.resize(ids.size());
    std::map<TensorId, std::size_t> met;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (met.emplace(ids[i], i).second) summarise(i, ids[i]);
      if (bytes_ >= kRound) finish_round();
    }
    finish_round();
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (met[ids[i]] != i) stats_[i] = stats_[met[ids[i]]];
    }
    return std::move(stats_);
  }

 private:
  struct Waiting {
    std::size_t number;
    TensorId values;
  };

  // The tensor whose elements count.
  TensorId values_of(TensorId id) const {
    constexpr auto kRoles = std::to_array<std::string_view>({"values", "buffer"});
    const Tensors& tensors = payload_.checkpoint.tensors();
    const checkpoint::TensorExtra* const extra = tensors.extra(tensors[id]);
    if (tensors[id].storage || extra == nullptr) return id;
    for (const checkpoint::Component& part : extra->components) {
      if (std::ranges::find(kRoles, part.role) != kRoles.end()) return part.tensor;
    }
    return extra->components.size() == 1 ? extra->components.front().tensor : id;
  }

  void summarise(std::size_t number, TensorId id) {
    const Tensors& tensors = payload_.checkpoint.tensors();
    const TensorId values = values_of(id);
    const Tensor& tensor = tensors[values];
    TensorStat& stat = stats_[number];
    stat.count = tensors.element_count(tensor);
    if (!tensor.storage || !tensor::can_summarise(tensor.dtype)) return;
    stat.summary.emplace();
    runner_.add(std::make_unique<SummaryPass>(opener_.open(tensor), *stat.summary));
    waiting_.push_back({number, values});
    bytes_ += tensors.byte_count(tensor);
  }

  void finish_round() {
    runner_.flush();
    for (const auto& [number, values] : waiting_) {
      TensorStat& stat = stats_[number];
      if (stat.summary->finite == 0) continue;
      stat.edges = tensor::bin_edges(*stat.summary, options_.bins);
      stat.histogram.assign(options_.bins, 0);
      TensorElements elements = opener_.open(payload_.checkpoint.tensors()[values]);
      runner_.add(std::make_unique<HistogramPass>(std::move(elements), stat.edges, stat.histogram));
    }
    runner_.flush();
    waiting_.clear();
    bytes_ = 0;
  }

  const Payload& payload_;
  const StatOptions& options_;
  std::vector<TensorStat> stats_;
  std::vector<Waiting> waiting_;
  std::uint64_t bytes_ = 0;
  ChunkedRunner runner_;
  TensorOpener opener_;
};

}  // namespace

std::vector<TensorStat> stat(const Payload& payload, std::span<const TensorId> tensors,
                             const StatOptions& options) {
  return Statistician(payload, options).run(tensors);
}

}  // namespace ptsd::operation
