// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "checkpoint/listing.h"
#include "checkpoint/value.h"
#include "support/refusal.h"
#include "unit/checkpoint/fragments.h"

namespace ptsd::checkpoint {

// A checkpoint and the stream that it borrows, read as the member "p" of no file.
struct Loading {
  explicit Loading(const test::Fragment& root, const Limits& limits = {})
      : stream(test::pickle().raw(root).stop()), checkpoint(stream, {.member = "p"}, limits) {}

  std::vector<std::byte> stream;
  Checkpoint checkpoint;
};

// The text of the error that loading and listing end with; empty if they do not.
inline std::string refusal(const test::Fragment& root, const Limits& limits = {}) {
  return test::refused([&] {
    const Loading loading(root, limits);
    list(loading.checkpoint, loading.checkpoint.root(), Want::Everything);
  });
}

inline std::vector<std::string> texts(const std::vector<Warning>& warnings) {
  std::vector<std::string> all;
  for (const Warning& warning : warnings) {
    all.push_back(to_string(warning.where) + ": " + warning.message);
  }
  return all;
}

// A tensor in one line: "float32 [2, 3] stride [3, 1]" and what is not usual about it.
inline std::string describe(const Tensors& tensors, const Tensor& tensor) {
  std::string line = fmt::format("{} {} [{}]", to_string(tensor.kind), tensor::name(tensor.dtype),
                                 fmt::join(tensors.shape(tensor), ", "));
  if (!tensors.stride(tensor).empty()) {
    line += fmt::format(" stride [{}]", fmt::join(tensors.stride(tensor), ", "));
  }
  if (tensor.offset > 0) line += fmt::format(" offset {}", tensor.offset);
  if (tensor.requires_grad) line += " grad";
  if (tensor.conj) line += " conj";
  if (tensor.neg) line += " neg";
  const TensorExtra* const extra = tensors.extra(tensor);
  if (extra == nullptr) return line;
  if (!extra->device.empty()) line += " on " + extra->device;
  if (!extra->layout.empty()) line += " " + extra->layout;
  if (!extra->type.name.empty()) {
    line += fmt::format(" type {}.{}", extra->type.module, extra->type.name);
  }
  for (const Component& part : extra->components) {
    line += fmt::format(" ({}: {})", part.role, describe(tensors, tensors[part.tensor]));
  }
  return line;
}

// Every entry in its order: "path: tensor float32 [2]", "path: int".
inline std::vector<std::string> entries(const Checkpoint& checkpoint) {
  const Listing listing = list(checkpoint, checkpoint.root(), Want::Everything);
  std::vector<std::string> all;
  for (std::size_t i = 0; i < listing.tensors().size(); ++i) {
    const Entry& entry = listing.tensors()[i];
    all.push_back(fmt::format("{}: {}", entry.path,
                              describe(checkpoint.tensors(), checkpoint.tensors()[*entry.tensor])));
  }
  for (std::size_t i = 0; i < listing.others().size(); ++i) {
    const Entry& entry = listing.others()[i];
    all.push_back(fmt::format("{}: {}{}", entry.path, type_of(checkpoint.names(), entry.node),
                              listing.is_cycle(static_cast<std::uint32_t>(i)) ? " (cycle)" : ""));
  }
  return all;
}

using Lines = std::vector<std::string>;

inline Lines entries(const test::Fragment& root, const Limits& limits = {}) {
  return entries(Loading(root, limits).checkpoint);
}

}  // namespace ptsd::checkpoint
