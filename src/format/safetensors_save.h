// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_sink.h"
#include "base/byte_source.h"
#include "checkpoint/flat.h"
#include "format/payload_writer.h"
#include "format/safetensors_format.h"
#include "format/save.h"

namespace ptsd::format {

// Writes a safetensors file as safetensors.torch.save_file does, to the byte: tensors by the rank
// of their dtype, the highest first, then by name; a compact header, padded to whole 8 bytes. The
// metadata, which the reference writes in any order, are in that of the checkpoint.
class SafetensorsSave final : public Save {
 public:
  // Borrows the inputs. Everything is checked here. Throws Error::Unsupported naming the tensor for
  // a dtype that safetensors does not have, Error::Conflict for a name that stands twice or is
  // "__metadata__", or is not UTF-8, Error::Limit for a header that no reader would take.
  SafetensorsSave(checkpoint::FlatCheckpoint flat, Inputs inputs);

  std::uint64_t size() const override { return size_; }
  void write(ByteSink& sink) override;
  void verify(const ByteSource& written, bool payload, const Limits& limits) const override;

 private:
  struct Planned {
    checkpoint::FlatTensor tensor;
    const SafetensorsType* type;
    std::uint64_t begin = 0;  // in the data, in bytes
    std::uint64_t size = 0;
    std::optional<std::uint32_t> crc = {};  // known once it is written; nothing for what is copied
  };

  void plan(checkpoint::FlatTensor tensor);
  void sort();
  void place();
  void append_entry(std::string& text, const Planned& planned) const;
  void make_header(const checkpoint::FlatCheckpoint& flat);
  // Where bytes that are copied as they are come from.
  std::optional<StoredRange> copied_from(const Planned& planned) const;
  bool is_part(const Planned& planned) const;
  void verify_payload(const ByteSource& written, const Planned& planned) const;
  [[noreturn]] void fail(const checkpoint::FlatTensor& tensor, Error::Kind kind,
                         std::string message) const;

  std::vector<const Loaded*> inputs_;
  std::vector<Planned> tensors_;
  std::string header_;  // with what is before it
  std::uint64_t size_ = 0;
};

}  // namespace ptsd::format
