// SPDX-License-Identifier: Apache-2.0
#include <chrono>

#include "unit/checkpoint/loading.h"

// What a pickle may not claim of a tensor or a storage, with the whole message.

namespace ptsd::checkpoint {
namespace {

using namespace test;
using test::list;
using test::pickle;
using test::tensor;

constexpr std::int64_t kMost = INT64_MAX;

Fragment before_weight() {
  return fragment(pickle().empty_dict().mark().binunicode("w"));
}

std::string without_place(const std::string& text, std::size_t offset) {
  const std::string place = fmt::format("p+{:#x}: 'w': ", offset);
  return text.starts_with(place) ? text.substr(place.size()) : text;
}

// The message about the tensor "w"; the place of its last opcode, which is checked, is left out.
std::string fault(const Fragment& tensor) {
  return without_place(refusal(dict({
                           {text("w"), tensor}
  })),
                       before_weight().size() + tensor.size() - 1);
}

// The same for the persistent id that the tensor begins with.
std::string storage_fault(const Fragment& storage) {
  const std::size_t callable = rebuild("_rebuild_tensor_v2").size();
  return without_place(refusal(dict({
                           {text("w"), tensor(storage, {}, {})}
  })),
                       before_weight().size() + callable + 1 + storage.size() - 1);
}

// The message about a tensor of 6 floats with these sizes and strides, of any type.
std::string geometry_fault(const Fragment& size, const Fragment& stride, std::int64_t offset = 0) {
  return fault(
      call(rebuild("_rebuild_tensor_v2"), tensor_arguments(storage("0", 6), size, stride, offset)));
}

std::string numbers_fault(const std::vector<std::int64_t>& size,
                          const std::vector<std::int64_t>& stride, std::int64_t offset = 0) {
  return geometry_fault(numbers(size), numbers(stride), offset);
}

std::string replaced(Fragments arguments, std::size_t index, const Fragment& by,
                     std::string_view function = "_rebuild_tensor_v2") {
  arguments[index] = by;
  return fault(call(rebuild(function), arguments));
}

Fragments good_arguments() {
  return tensor_arguments(storage("0", 6), numbers({2, 3}), numbers({3, 1}));
}

TEST_CASE("the whole message names the member, the offset and the tensor") {
  CHECK(refusal(dict({
            {text("w"), tensor(storage("0", 6), {2, -3}, {3, 1})}
  })) ==
        "p+0xb9: 'w': size[1] is -3, expected an int from 0 to 2^63");
}

TEST_CASE("a size or stride below zero is refused") {
  CHECK(numbers_fault({2, -3}, {3, 1}) == "size[1] is -3, expected an int from 0 to 2^63");
  CHECK(numbers_fault({2, 3}, {-3, 1}) == "stride[0] is -3, expected an int from 0 to 2^63");
  CHECK(numbers_fault({INT64_MIN}, {1}) ==
        "size[0] is -9223372036854775808, expected an int from 0 to 2^63");
}

TEST_CASE("a size that is no int of 64 bits is refused") {
  const Fragment one = numbers({1});
  const Fragment large = fragment(pickle().long1(std::string(8, '\0') + "\1"));
  CHECK(geometry_fault(tuple({large}), one) ==
        "size[0] is an int of more than 64 bits, expected an int from 0 to 2^63");
  CHECK(geometry_fault(tuple({yes()}), one) == "size[0] is a bool, expected an int from 0 to 2^63");
  CHECK(geometry_fault(tuple({floating(1)}), one) ==
        "size[0] is a float, expected an int from 0 to 2^63");
  CHECK(geometry_fault(tuple({text("1")}), one) ==
        "size[0] is a str, expected an int from 0 to 2^63");
  CHECK(geometry_fault(tuple({none()}), one) == "size[0] is None, expected an int from 0 to 2^63");
  CHECK(geometry_fault(none(), one) == "size is None, expected a tuple");
  CHECK(geometry_fault(text("11"), one) == "size is a str, expected a tuple");
  CHECK(geometry_fault(one, number(1)) == "stride is 1, expected a tuple");
}

TEST_CASE("sizes and strides that differ in number are refused") {
  CHECK(numbers_fault({2, 3}, {1}) == "2 sizes and 1 strides");
  CHECK(numbers_fault({}, {1}) == "0 sizes and 1 strides");
}

TEST_CASE("a product that does not fit 64 bits is refused") {
  const std::int64_t two32 = std::int64_t{1} << 32;
  // Wraps to 0, and to 6.
  CHECK(numbers_fault({two32, two32}, {0, 0}) ==
        "size [4294967296, 4294967296] of float32 is more than 2^64 bytes");
  CHECK(numbers_fault({kMost, kMost, 6}, {0, 0, 1}) ==
        "size [9223372036854775807, 9223372036854775807, 6] of float32 is more than 2^64 bytes");
  // The elements fit, the bytes do not.
  CHECK(numbers_fault({two32, two32 / 4}, {0, 0}) ==
        "size [4294967296, 1073741824] of float32 is more than 2^64 bytes");
}

TEST_CASE("elements of packed types are counted as well as their bytes") {
  const Fragment meta = call(
      rebuild("_rebuild_meta_tensor_no_storage"),
      {global("torch", "quint2x4"), numbers({std::int64_t{1} << 62, 8}), numbers({8, 1}), no()});
  CHECK(fault(meta) == "size [4611686018427387904, 8] of quint2x4 is more than 2^64 elements");
}

TEST_CASE("an element outside the storage is refused") {
  CHECK(numbers_fault({2, 3}, {3, 1}, 1) ==
        "needs 7 elements of storage '0', which has 6 (offset 1, size [2, 3], stride [3, 1])");
  CHECK(numbers_fault({}, {}, 6) ==
        "needs 7 elements of storage '0', which has 6 (offset 6, size [], stride [])");
  CHECK(numbers_fault({2}, {kMost}) ==
        "needs 9223372036854775808 elements of storage '0', which has 6 (offset 0, size [2], "
        "stride [9223372036854775807])");
  CHECK(numbers_fault({3}, {kMost}, kMost) ==
        "needs more than 2^64 elements of storage '0', which has 6 (offset 9223372036854775807, "
        "size [3], stride [9223372036854775807])");
  CHECK(geometry_fault(numbers({1}), numbers({1}), -1) ==
        "storage offset is -1, expected an int from 0 to 2^63");
}

TEST_CASE("the whole of a storage, the last element and strides of zero are in reach") {
  CHECK(numbers_fault({2, 3}, {3, 1}) == "");
  CHECK(numbers_fault({}, {}, 5) == "");
  CHECK(numbers_fault({std::int64_t{1} << 40}, {0}, 5) == "");
  CHECK(numbers_fault({2, 2}, {1, 1}, 3) == "");
}

TEST_CASE("a size of zero makes the others meaningless") {
  CHECK(numbers_fault({kMost, 0, kMost}, {kMost, kMost, kMost}, kMost) == "");
}

TEST_CASE("more than 64 dimensions are beyond the limit") {
  const std::vector<std::int64_t> most(64, 1);
  const std::vector<std::int64_t> more(65, 1);
  CHECK(numbers_fault(most, most) == "");
  CHECK(numbers_fault(more, more) ==
        "size has 65 dimensions, the limit is 64 (--limit dimensions=N)");
  try {
    const Loading loading(tensor(storage("0", 1), more, more));
    FAIL("the tensor was read");
  } catch (const Error& error) {
    CHECK(error.kind() == Error::Kind::Limit);
  }
}

TEST_CASE("arguments of the wrong type are refused") {
  CHECK(replaced(good_arguments(), 0, none()) == "storage is None, expected a persistent id");
  CHECK(replaced(good_arguments(), 0, global("os", "system")) ==
        "storage is 'os.system', expected a persistent id");
  CHECK(replaced(good_arguments(), 1, text("0")) ==
        "storage offset is a str, expected an int from 0 to 2^63");
  CHECK(replaced(good_arguments(), 4, number(1)) == "requires_grad is 1, expected a bool");
  CHECK(replaced({storage("0", 1, "UntypedStorage"), number(0), numbers({}), numbers({}), no(),
                  hooks(), none()},
                 6, text("float32"),
                 "_rebuild_tensor_v3") == "dtype is a str, expected a torch.dtype");
  CHECK(replaced(good_arguments(), 0, call(global("torch.storage", "_load_from_bytes"), {})) ==
        "the storage is a torch.save stream inside the pickle: not supported yet");
}

TEST_CASE("the wrong number of arguments is refused") {
  Fragments arguments = good_arguments();
  arguments.pop_back();
  CHECK(fault(call(rebuild("_rebuild_tensor_v2"), arguments)) ==
        "a tensor is rebuilt from 5 arguments, expected 6 or 7");
  CHECK(fault(call(rebuild("_rebuild_tensor"), arguments)) ==
        "a tensor is rebuilt from 5 arguments, expected 4");
  CHECK(fault(call(rebuild("_rebuild_parameter"), {})) ==
        "a tensor is rebuilt from 0 arguments, expected 3");
}

TEST_CASE("unknown metadata of a tensor is refused, since it may change the values") {
  Fragments arguments = good_arguments();
  arguments.push_back(dict({
      {text("conj"), yes()}
  }));
  CHECK(fault(call(rebuild("_rebuild_tensor_v2"), arguments)) == "");
  CHECK(replaced(arguments, 6,
                 dict({
                     {text("zip"), yes()}
  })) == "tensor metadata 'zip' is unknown");
  CHECK(replaced(arguments, 6,
                 dict({
                     {text("neg"), number(1)}
  })) == "neg is 1, expected a bool");
  CHECK(replaced(arguments, 6,
                 dict({
                     {number(1), yes()}
  })) == "tensor metadata key is 1, expected a str");
  CHECK(replaced(arguments, 6, list({})) == "tensor metadata is a list, expected a dict");
}

TEST_CASE("a tensor is no container and gets no state") {
  const Fragment whole = tensor(storage("0", 6), {2, 3}, {3, 1});
  const auto fault_of = [&](const Fragment& tail) {
    return without_place(refusal(dict({
                             {text("w"), whole + tail}
    })),
                         before_weight().size() + whole.size() - 1);
  };
  CHECK(fault_of(fragment(pickle().mark().none().none().setitems())) ==
        "items are set on a tensor as if it were a container");
  CHECK(fault_of(fragment(pickle().none().append())) ==
        "items are set on a tensor as if it were a container");
  CHECK(fault_of(fragment(pickle().none().build())) == "BUILD on a tensor that is complete");
}

TEST_CASE("a storage of an impossible size is refused") {
  CHECK(storage_fault(storage("0", -1)) ==
        "numel of storage '0' is -1, expected an int from 0 to 2^63");
  CHECK(storage_fault(storage("0", kMost, "DoubleStorage")) ==
        "storage '0' of 9223372036854775807 elements of 8 bytes: more than 2^64 bytes");
  const auto of_numel = [](const Fragment& numel) {
    return persistent(
        tuple({text("storage"), storage_class("FloatStorage"), text("0"), text("cpu"), numel}));
  };
  CHECK(storage_fault(of_numel(text("1"))) ==
        "numel of storage '0' is a str, expected an int from 0 to 2^63");
  CHECK(storage_fault(of_numel(floating(1))) ==
        "numel of storage '0' is a float, expected an int from 0 to 2^63");
  CHECK(storage_fault(of_numel(yes())) ==
        "numel of storage '0' is a bool, expected an int from 0 to 2^63");
}

TEST_CASE("a storage class that is not torch's is refused") {
  const auto of_class = [](const Fragment& type) {
    return persistent(tuple({text("storage"), type, text("0"), text("cpu"), number(1)}));
  };
  CHECK(storage_fault(of_class(global("torch", "HugeStorage"))) ==
        "storage class is 'torch.HugeStorage', expected one of torch's");
  CHECK(storage_fault(of_class(text("FloatStorage"))) ==
        "storage class is a str, expected one of torch's");
}

TEST_CASE("a persistent id that is no storage's is refused") {
  CHECK(storage_fault(persistent(text("0"))) == "persistent id is a str, expected a tuple");
  CHECK(storage_fault(persistent(tuple({text("storage")}))) ==
        "persistent id has 1 parts, expected 5: ('storage', class, key, location, numel)");
  CHECK(storage_fault(persistent(tuple({text("module"), none(), none(), none(), none()}))) ==
        "persistent id is of type 'module', expected 'storage'");
  CHECK(storage_fault(persistent(tuple({number(7), none(), none(), none(), none()}))) ==
        "persistent id type is 7, expected a str");
  CHECK(storage_fault(persistent(tuple({text("storage"), storage_class("FloatStorage"), number(0),
                                        text("cpu"), number(1)}))) ==
        "storage key is 0, expected a str");
  CHECK(storage_fault(persistent(tuple(
            {text("storage"), storage_class("FloatStorage"), text("0"), none(), number(1)}))) ==
        "storage location is None, expected a str");
}

TEST_CASE("one key of two classes or sizes is refused") {
  const auto second = [](const Fragment& again) {
    return refusal(list({scalar_tensor("0"), tensor(again, {}, {})}));
  };
  CHECK(second(storage("0", 1)) == "");
  CHECK(second(storage("0", 1, "IntStorage")) ==
        "p+0xe5: '1': storage '0' is a IntStorage of 1 elements here, and a FloatStorage of 1 at "
        "+0x5d");
  CHECK(second(storage("0", 2)) ==
        "p+0xe7: '1': storage '0' is a FloatStorage of 2 elements here, and a FloatStorage of 1 "
        "at +0x5d");
  CHECK(second(storage("0", 4, "UntypedStorage")) ==
        "p+0xf1: '1': storage '0' is a UntypedStorage of 4 elements here, and a FloatStorage of 1 "
        "at +0x5d");
}

TEST_CASE("tensors in tensors are read only as deep as torch makes them") {
  const auto wrapped = [](int times) {
    Fragment inner = tensor(storage("0", 6), {2, 3}, {3, 1});
    for (int i = 0; i < times; ++i) {
      const Fragment layout =
          call(global("torch.serialization", "_get_layout"), {text("torch.sparse_coo")});
      inner = call(rebuild("_rebuild_sparse_tensor"),
                   {layout, tuple({inner + put(1), get(1), numbers({2, 3})})});
    }
    return inner;
  };
  CHECK(fault(wrapped(1)) == "");
  CHECK(refusal(wrapped(5)).ends_with("a tensor in a tensor in a tensor: deeper than 3"));
  // Each holds the one before twice: 2^1000 ways to the innermost.
  CHECK(refusal(wrapped(1000)).ends_with("a tensor in a tensor in a tensor: deeper than 3"));
}

TEST_CASE("a parameter that is its own data is refused") {
  const Fragment parameter =
      fragment(pickle().global("torch.nn.parameter", "Parameter").empty_tuple().reduce());
  const Fragment state = tuple({get(0), none(), none(), yes(), no()});
  CHECK(refusal(build(parameter + put(0), state)).ends_with("tensors nested deeper than 32"));
}

}  // namespace
}  // namespace ptsd::checkpoint
