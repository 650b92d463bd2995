// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "operation/payload.h"
#include "operation/view.h"

namespace ptsd::operation {

// The tensors in a nested one: each a view of its buffer, whose geometry is payload. The buffer is
// opened once.
class NestedParts {
 public:
  // Throws Error::Unsupported for components that are no plain tensors, Error::Malformed for those
  // that do not fit together.
  NestedParts(const Payload& payload, const checkpoint::Tensor& tensor);
  NestedParts(const NestedParts&) = delete;
  NestedParts& operator=(const NestedParts&) = delete;

  std::uint64_t count() const { return count_; }
  const checkpoint::Tensor& buffer() const { return buffer_; }
  // Of the buffer. Throws Error::Malformed if it does not lie in it.
  View view(std::uint64_t index) const;
  // To read the buffer with. Borrows this.
  const Payload& payload() const { return shared_; }

 private:
  std::vector<std::int64_t> numbers(const ByteSource& source, std::uint64_t first,
                                    std::uint64_t count) const;
  std::unique_ptr<ByteSource> integers(const Payload& payload, std::string_view role) const;
  std::unique_ptr<ByteSource> offsets(const Payload& payload) const;
  [[noreturn]] void fail(const char* message) const;

  const checkpoint::Checkpoint& checkpoint_;
  const checkpoint::Tensor& tensor_;
  const checkpoint::Tensor& buffer_;
  std::uint64_t count_;
  std::uint64_t rank_;  // dimensions of each
  std::unique_ptr<ByteSource> storage_;
  Payload shared_;
  std::unique_ptr<ByteSource> sizes_;
  std::unique_ptr<ByteSource> strides_;
  std::unique_ptr<ByteSource> offsets_;
};

}  // namespace ptsd::operation
