// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <numeric>
#include <optional>
#include <vector>

#include "base/error.h"
#include "fuzz.h"
#include "pickle/builder.h"
#include "pickle/decoder.h"
#include "pickle/encoder.h"
#include "pickle/graph_copier.h"
#include "pickle/import_names.h"
#include "pickle/kind_names.h"
#include "pickle/machine.h"

// Reads a pickle, asks every node everything that its kind can answer, decodes the stream once more
// without the machine, and encodes the graph: what comes out must read as a pickle that is encoded
// to the same bytes, and so must the copy of its graph.

namespace ptsd::fuzz {
namespace {

using namespace pickle;

constexpr KindSet kTexts(Kind::Str, Kind::ByteStr, Kind::Bytes, Kind::ByteArray, Kind::LongBytes,
                         Kind::LongDigits);

class Walk {
 public:
  explicit Walk(const Pickle& pickle) : pickle_(pickle), graph_(pickle.graph) {}

  void run() {
    require_node(pickle_.root);
    for (std::uint32_t i = 0; i < graph_.size(); ++i) {
      visit(NodeId{i});
    }
    const auto counts = graph_.global_counts();
    require(counts.size() == graph_.globals().size());
    require(std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}) == globals_);
    for (const GlobalName& name : graph_.globals()) {
      require(!canonical(name).module.empty());
    }
  }

 private:
  void require_node(NodeId id) const { require(index(id) < graph_.size()); }

  void visit(NodeId id) {
    require(graph_.offset(id) < pickle_.size);
    require(!type_name(graph_.kind(id)).empty());
    if (kTexts.contains(graph_.kind(id))) visit_text(id);
    if (kObjects.contains(graph_.kind(id))) visit_object(id);
    if (graph_.kind(id) == Kind::Global) visit_global(id);
    if (graph_.kind(id) == Kind::PersId) require_node(graph_.persistent_id(id));
    if (graph_.kind(id) == Kind::Ext) require(graph_.ext_code(id) > 0);
    for (const NodeId item : graph_.items(id)) {
      require(index(item) < index(id));
      require(graph_.hashable(item) || !graph_.hashable(id));
    }
    visit_mutations(id);
  }

  void visit_text(NodeId id) {
    const std::string_view text = graph_.text(id);
    sum_ = std::accumulate(text.begin(), text.end(), sum_);
    if (graph_.kind(id) == Kind::LongBytes) require(text.size() > 8);
  }

  void visit_object(NodeId id) {
    require_node(graph_.callable(id));
    require_node(graph_.args(id));
    if (graph_.kind(id) == Kind::NewObjEx) require_node(graph_.kwargs(id));
  }

  void visit_global(NodeId id) {
    ++globals_;
    require(graph_.global(id) == graph_.globals()[graph_.global_index(id)]);
    const auto strings = graph_.global_strings(id);
    if (strings) require(graph_.text(strings->name) == graph_.global(id).name);
  }

  void visit_mutations(NodeId id) {
    for (const Mutation& mutation : graph_.mutations(id)) {
      require(!mutation.operands.empty());
      require(mutation.change != Change::SetItems || mutation.operands.size() % 2 == 0);
      require(mutation.change != Change::Build || kObjects.contains(graph_.kind(id)));
      for (const NodeId operand : mutation.operands) {
        require_node(operand);
      }
    }
  }

  const Pickle& pickle_;
  const Graph& graph_;
  std::uint64_t globals_ = 0;
  int sum_ = 0;
};

void decode_again(Bytes stream, const Pickle& pickle) {
  const Where origin;
  Decoder decoder(stream, origin);
  std::array<std::uint32_t, 256> counts = {};
  Instruction instruction;
  do {
    instruction = decoder.next();
    ++counts[static_cast<std::uint8_t>(instruction.op())];
  } while (instruction.op() != Op::Stop);
  require(decoder.position() == pickle.size);
  for (const OpInfo& info : kOps) {
    require(counts[static_cast<std::uint8_t>(info.op)] == pickle.use(info.op).count);
  }
}

// Large inputs are a matter of time, which other tests bound.
constexpr std::uint64_t kLongestToEncode = 1 << 16;

std::vector<std::byte> encode_copy(const Pickle& pickle) {
  Graph graph{Bytes()};
  Builder builder(graph, pickle.protocol);
  GraphCopier copier(pickle.graph, pickle.protocol, builder);
  const NodeId root = copier.copy(pickle.root);
  return encode(graph, root, pickle.protocol).bytes;
}

// Nothing if the pickle contains itself too often, or has names that are too long.
template <class Work>
auto unless_too_large(Work work) -> std::optional<decltype(work())> {
  try {
    return work();
  } catch (const Error& error) {
    require(error.kind() == Error::Kind::Limit);
    return std::nullopt;
  }
}

// What was written is well-formed, so that no Error may come of reading it.
void encode_and_read(const Pickle& pickle) {
  if (pickle.size > kLongestToEncode) return;
  const auto copy = unless_too_large([&] { return encode_copy(pickle); });
  if (copy) unless_too_large([&] { return read_pickle(*copy, Where{}).size; });
  const auto first =
      unless_too_large([&] { return encode(pickle.graph, pickle.root, pickle.protocol); });
  if (!first || first->bytes.size() > kLongestToEncode) return;
  unless_too_large([&] {
    const Pickle again = read_pickle(first->bytes, Where{});
    require(again.use(Op::BinPersId).count == first->persistent.size());
    require(encode(again.graph, again.root, pickle.protocol).bytes == first->bytes);
    return true;
  });
}

}  // namespace
}  // namespace ptsd::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ptsd::Bytes stream = ptsd::fuzz::input_bytes(data, size);
  ptsd::fuzz::unless_refused([&] {
    const ptsd::pickle::Pickle pickle = ptsd::pickle::read_pickle(stream, ptsd::Where{});
    ptsd::fuzz::Walk(pickle).run();
    ptsd::fuzz::decode_again(stream, pickle);
    ptsd::fuzz::encode_and_read(pickle);
  });
  return 0;
}
