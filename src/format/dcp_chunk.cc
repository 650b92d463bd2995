// SPDX-License-Identifier: Apache-2.0
#include "format/dcp_chunk.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "checkpoint/elements.h"
#include "format/torch_zip.h"

namespace ptsd::format {

using checkpoint::Tensor;
using checkpoint::TensorKind;
using checkpoint::Tensors;

namespace {

class ChunkSource final : public ByteSource {
 public:
  ChunkSource(const DcpChunk& chunk, const Limits& limits)
      : archive_(chunk.file, chunk.offset, chunk.length),
        loaded_(load(chunk, limits)),
        elements_(open(chunk)) {}

  using ByteSource::read;
  const std::string& name() const override { return archive_.name(); }
  std::uint64_t size() const override { return elements_->size(); }
  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    elements_->read(offset, out);
  }

 private:
  [[noreturn]] void fail_chunk(const DcpChunk& chunk, std::string_view message,
                               Error::Kind kind = Error::Kind::Malformed) const {
    chunk.file.fail_at(chunk.offset, kind, fmt::format("a chunk of {} {}", chunk.subject, message));
  }

  std::unique_ptr<Loaded> load(const DcpChunk& chunk, const Limits& limits) const {
    if (!begins_as_zip(archive_)) fail_chunk(chunk, "is no archive of torch.save");
    return load_torch_zip(Input{.source = archive_}, limits);
  }

  const Tensor& tensor(const DcpChunk& chunk) const {
    const checkpoint::Checkpoint& checkpoint = loaded_->checkpoint();
    const auto id = checkpoint.tensors().tensor_of(checkpoint.root());
    if (!id) fail_chunk(chunk, "is no tensor");
    const Tensor& tensor = checkpoint.tensors()[*id];
    const bool strided = tensor.kind == TensorKind::Tensor || tensor.kind == TensorKind::Parameter;
    if (!strided || !tensor.storage) {
      fail_chunk(chunk, fmt::format("is a {}", to_string(tensor.kind)), Error::Kind::Unsupported);
    }
    return tensor;
  }

  std::unique_ptr<ByteSource> open(const DcpChunk& chunk) const {
    const Tensors& tensors = loaded_->checkpoint().tensors();
    const Tensor& found = tensor(chunk);
    const tensor::Dims shape = tensors.shape(found);
    if (!std::ranges::equal(shape, chunk.shape) || found.dtype != chunk.dtype) {
      fail_chunk(chunk, fmt::format("holds {} [{}], .metadata declares {} [{}]",
                                    tensor::name(found.dtype), fmt::join(shape, ", "),
                                    tensor::name(chunk.dtype), fmt::join(chunk.shape, ", ")));
    }
    const checkpoint::Storage& storage = tensors[*found.storage];
    if (tensors.byte_count(found) > storage.count * storage.item_size()) {
      fail_chunk(chunk, "shows elements of its storage more than once", Error::Kind::Unsupported);
    }
    return checkpoint::element_source(tensors, found, loaded_->open_storage(*found.storage),
                                      loaded_->facts().byteorder == "big");
  }

  RangeSource archive_;
  std::unique_ptr<Loaded> loaded_;
  std::unique_ptr<ByteSource> elements_;
};

}  // namespace

std::unique_ptr<ByteSource> open_chunk(const DcpChunk& chunk, const Limits& limits) {
  return std::make_unique<ChunkSource>(chunk, limits);
}

}  // namespace ptsd::format
