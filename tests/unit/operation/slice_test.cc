// SPDX-License-Identifier: Apache-2.0
#include "operation/slice.h"

#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "operation/excerpt.h"

namespace ptsd::operation {
namespace {

// A contiguous tensor of (4, 5, 6) at element 100.
const std::vector<std::int64_t> kShape = {4, 5, 6};
const std::vector<std::int64_t> kStride = {30, 6, 1};

std::string text(const View& view) {
  return fmt::format("{} ({}) ({})", view.offset, fmt::join(view.shape, ", "),
                     fmt::join(view.stride, ", "));
}

std::string sliced(std::string_view index) {
  return text(slice(index, {100, kShape, kStride}));
}

std::string refusal(std::string_view index) {
  try {
    return sliced(index);
  } catch (const Error& error) {
    CHECK(error.kind() == Error::Kind::Usage);
    return error.what();
  }
}

TEST_CASE("an integer takes one position and its dimension away") {
  CHECK(sliced("0") == "100 (5, 6) (6, 1)");
  CHECK(sliced("-1") == "190 (5, 6) (6, 1)");
  CHECK(sliced("1, 2, 3") == "145 () ()");
  CHECK(sliced(" + 1 ,") == "130 (5, 6) (6, 1)");
}

TEST_CASE("slices are cut to the size of their dimension") {
  CHECK(sliced(":") == "100 (4, 5, 6) (30, 6, 1)");
  CHECK(sliced("1:3") == "130 (2, 5, 6) (30, 6, 1)");
  CHECK(sliced("-3:99") == "130 (3, 5, 6) (30, 6, 1)");
  CHECK(sliced("-99:-2") == "100 (2, 5, 6) (30, 6, 1)");
  CHECK(sliced("3:1") == "100 (0, 5, 6) (30, 6, 1)");
  CHECK(sliced("9:") == "100 (0, 5, 6) (30, 6, 1)");
  CHECK(sliced("None:2:None") == "100 (2, 5, 6) (30, 6, 1)");
  CHECK(sliced("99999999999999999999:") == "100 (0, 5, 6) (30, 6, 1)");
  CHECK(sliced("-99999999999999999999:") == "100 (4, 5, 6) (30, 6, 1)");
}

TEST_CASE("steps multiply the stride") {
  CHECK(sliced("::2") == "100 (2, 5, 6) (60, 6, 1)");
  CHECK(sliced(":, :, 1::2") == "101 (4, 5, 3) (30, 6, 2)");
  CHECK(sliced("::3") == "100 (2, 5, 6) (90, 6, 1)");
  CHECK(sliced("::99999999999999999999") == "100 (1, 5, 6) (30, 6, 1)");
}

TEST_CASE("an ellipsis stands for the dimensions that are not named, None for a new one") {
  CHECK(sliced("..., 0") == "100 (4, 5) (30, 6)");
  CHECK(sliced("0, ..., -1") == "105 (5) (6)");
  CHECK(sliced("0, 0, 0, ...") == "100 () ()");
  CHECK(sliced("..., ...") == "100 (4, 5, 6) (30, 6, 1)");
  CHECK(sliced("None, 1, None") == "130 (1, 1, 5, 6) (0, 0, 6, 1)");
  CHECK(text(slice("None, ...", {7, {}, {}})) == "7 (1) (0)");
}

TEST_CASE("what does not fit is refused") {
  CHECK(refusal("4") == "--slice '4': index 4 is out of bounds for dimension 0 with size 4");
  CHECK(refusal("0, -6") ==
        "--slice '0, -6': index -6 is out of bounds for dimension 1 with size 5");
  CHECK(refusal("0, 0, 0, 0") == "--slice '0, 0, 0, 0': 4 indices for a tensor of 3 dimensions");
  CHECK(refusal("::0").ends_with("the step of a slice cannot be 0"));
  CHECK(refusal("::-1").ends_with("the step of a slice is negative: PyTorch takes none either"));
  CHECK(refusal("1:2:3:4").ends_with("a slice has at most two colons"));
  CHECK(refusal("a:").ends_with("'a' is no integer"));
  for (const char* index : {"x", "[0]", ",", "0,,1", "1.0", "True", "-"}) {
    CHECK(
        refusal(index).ends_with("expected integers, slices, '...' or None, separated by commas"));
  }
  CHECK(refusal(" ").ends_with("empty, expected an index such as '0:3, -1'"));
}

TEST_CASE("a slice of an empty tensor stays where it was") {
  const std::vector<std::int64_t> shape = {0, 3};
  const std::vector<std::int64_t> stride = {INT64_MAX, INT64_MAX};
  CHECK(text(slice(":, 2", {5, shape, stride})) == fmt::format("5 (0) ({})", INT64_MAX));
  CHECK(text(slice(":, ::2", {5, shape, stride})) == fmt::format("5 (0, 2) ({0}, {0})", INT64_MAX));
}

TEST_CASE("the corners of a tensor are a strided geometry again") {
  const std::vector<std::int64_t> shape = {100, 6, 7};
  const std::vector<std::int64_t> stride = {42, 7, 1};
  const Excerpt excerpt = corners({10, shape, stride});
  CHECK(excerpt.shape == std::vector<std::int64_t>{6, 6, 6});
  CHECK(excerpt.cut == std::vector<bool>{true, false, true});
  CHECK(text(excerpt.view) == "10 (2, 3, 6, 2, 3) (4074, 42, 7, 4, 1)");
  CHECK(excerpt.original(0, 2, 100) == 2);
  CHECK(excerpt.original(0, 3, 100) == 97);
  CHECK(excerpt.original(1, 3, 6) == 3);
}

}  // namespace
}  // namespace ptsd::operation
