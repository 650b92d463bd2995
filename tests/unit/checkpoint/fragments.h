// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/pickle_assembler.h"

// Pieces of pickle that each leave one object on the stack, to be put together:
//
//   dict({{text("w"), tensor(storage("0", 6), {2, 3}, {3, 1})}})

namespace ptsd::test {

using Fragment = std::string;
using Fragments = std::vector<Fragment>;

inline Fragment fragment(const PickleAssembler& assembler) {
  return std::string(as_text(assembler.bytes()));
}

inline Fragment none() {
  return fragment(pickle().none());
}
inline Fragment yes() {
  return fragment(pickle().newtrue());
}
inline Fragment no() {
  return fragment(pickle().newfalse());
}
inline Fragment text(std::string_view value) {
  return fragment(pickle().binunicode(value));
}
inline Fragment floating(double value) {
  return fragment(pickle().binfloat(value));
}
inline Fragment number(std::int64_t value) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) {
    bytes += static_cast<char>(value >> (8 * i) & 0xFF);
  }
  return fragment(pickle().long1(bytes));
}
inline Fragment global(std::string_view module, std::string_view name) {
  return fragment(pickle().global(module, name));
}
inline Fragment put(std::uint32_t slot) {
  return fragment(pickle().long_binput(slot));
}
inline Fragment get(std::uint32_t slot) {
  return fragment(pickle().long_binget(slot));
}

inline Fragment join(const Fragments& parts) {
  Fragment all;
  for (const Fragment& part : parts) {
    all += part;
  }
  return all;
}
inline Fragment tuple(const Fragments& items) {
  return fragment(pickle().mark().raw(join(items)).tuple());
}
inline Fragment list(const Fragments& items) {
  return fragment(pickle().mark().raw(join(items)).list());
}
inline Fragment numbers(const std::vector<std::int64_t>& values) {
  Fragments items;
  for (const std::int64_t value : values) {
    items.push_back(number(value));
  }
  return tuple(items);
}

using Pairs = std::vector<std::pair<Fragment, Fragment>>;

inline Fragment set_items(const Fragment& object, const Pairs& pairs) {
  Fragment items;
  for (const auto& [key, value] : pairs) {
    items += key + value;
  }
  return object + fragment(pickle().mark().raw(items).setitems());
}
inline Fragment dict(const Pairs& pairs) {
  return set_items(fragment(pickle().empty_dict()), pairs);
}
inline Fragment call(const Fragment& callable, const Fragments& args) {
  return callable + tuple(args) + fragment(pickle().reduce());
}
inline Fragment build(const Fragment& object, const Fragment& state) {
  return object + state + fragment(pickle().build());
}
inline Fragment persistent(const Fragment& id) {
  return id + fragment(pickle().binpersid());
}

// What torch pickles.

inline Fragment storage_class(std::string_view name) {
  return global(name == "UntypedStorage" ? "torch.storage" : "torch", name);
}
inline Fragment storage(std::string_view key, std::int64_t count,
                        std::string_view type = "FloatStorage") {
  return persistent(
      tuple({text("storage"), storage_class(type), text(key), text("cpu"), number(count)}));
}
inline Fragment rebuild(std::string_view name) {
  return global("torch._utils", name);
}
inline Fragment hooks() {
  return call(global("collections", "OrderedDict"), {});
}
// The seven arguments of _rebuild_tensor_v2 but the last.
inline Fragments tensor_arguments(const Fragment& storage, const Fragment& size,
                                  const Fragment& stride, std::int64_t offset = 0) {
  return {storage, number(offset), size, stride, no(), hooks()};
}
inline Fragment tensor(const Fragment& storage, const std::vector<std::int64_t>& size,
                       const std::vector<std::int64_t>& stride, std::int64_t offset = 0) {
  return call(rebuild("_rebuild_tensor_v2"),
              tensor_arguments(storage, numbers(size), numbers(stride), offset));
}
// Of one number in a storage of its own.
inline Fragment scalar_tensor(std::string_view key) {
  return tensor(storage(key, 1), {}, {});
}
inline Fragment object(std::string_view name, const Fragment& state) {
  return build(global("__main__", name) + fragment(pickle().empty_tuple().newobj()), state);
}

}  // namespace ptsd::test
