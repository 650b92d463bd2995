// SPDX-License-Identifier: Apache-2.0
#include "report/element_format.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace ptsd::report {
namespace {

using tensor::DType;
using tensor::Scalar;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::string spelled(DType dtype, const std::vector<Scalar>& values) {
  ElementFormat format(dtype);
  for (const Scalar& value : values) {
    format.see(value);
  }
  format.settle();
  std::string text;
  for (const Scalar& value : values) {
    if (!text.empty()) text += '|';
    format.append(text, value);
  }
  return text;
}

std::string floats(const std::vector<double>& values) {
  return spelled(DType::Float64, {values.begin(), values.end()});
}

TEST_CASE("whole numbers end in a point") {
  CHECK(floats({1, -2, 100}) == "  1.| -2.|100.");
  CHECK(floats({0.0, -0.0}) == "0.|-0.");
  CHECK(floats({1, kNan, kInfinity}) == "1.|nan|inf");
  CHECK(floats({123456, 200000}) == "123456.|200000.");
}

TEST_CASE("fractions have four digits") {
  CHECK(floats({0.5, -1, 10}) == " 0.5000|-1.0000|10.0000");
  CHECK(floats({0.03125, 0.09375}) == "0.0312|0.0938");
  CHECK(floats({0.5, kNan, -kInfinity}) == "0.5000|   nan|  -inf");
}

TEST_CASE("what is far apart, large or small is in scientific form") {
  CHECK(floats({1, 1000}) == "   1.|1000.");
  CHECK(floats({1, 1001}) == "1.0000e+00|1.0010e+03");
  CHECK(floats({1e8}) == "100000000.");
  CHECK(floats({100000001.0}) == "1.0000e+08");
  CHECK(floats({0.0001}) == "0.0001");
  CHECK(floats({0.00009}) == "9.0000e-05");
  CHECK(floats({9.99996e99, 0, kNan}) == "1.0000e+100| 0.0000e+00|        nan");
}

TEST_CASE("zeros and what is not finite do not count for the form") {
  CHECK(floats({kInfinity, 0, 0.5}) == "   inf|0.0000|0.5000");
  CHECK(floats({kInfinity, kNan}) == "inf|nan");
  CHECK(floats({-kNan}) == "nan");
}

TEST_CASE("integers and bools are as wide as the longest") {
  CHECK(spelled(DType::Int64, {std::int64_t{5}, std::int64_t{-100}}) == "   5|-100");
  CHECK(spelled(DType::UInt64, {std::uint64_t{1}, UINT64_MAX}) ==
        "                   1|18446744073709551615");
  CHECK(spelled(DType::Bool, {true, false}) == " True|False");
  CHECK(spelled(DType::Bool, {true, true}) == "True|True");
}

TEST_CASE("real and imaginary parts have a form each") {
  using Complex = std::complex<double>;
  CHECK(spelled(DType::Complex64, {Complex(1, 0.5), Complex(-10, -2)}) ==
        "  1.+0.5000j|-10.-2.0000j");
  CHECK(spelled(DType::Complex64, {Complex(0, -0.0), Complex(kNan, kNan)}) == "0.-0.j|nan+nanj");
}

TEST_CASE("in float8_e8m0fnu NaN counts as a number, and the least as zero") {
  const auto powers = [](const std::vector<double>& values) {
    return spelled(DType::Float8E8M0Fnu, {values.begin(), values.end()});
  };
  CHECK(powers({kNan, 0x1p-30, 2}) == "   nan|0.0000|2.0000");
  CHECK(powers({0x1p-127, 2, 1}) == "0.|2.|1.");
}

}  // namespace
}  // namespace ptsd::report
