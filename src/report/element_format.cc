// SPDX-License-Identifier: Apache-2.0
#include "report/element_format.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <iterator>
#include <string_view>
#include <variant>

#include <fmt/format.h>

namespace ptsd::report {

using tensor::NumberClass;
using tensor::Scalar;

namespace {

void append_padded(std::string& out, std::string_view text, std::size_t width) {
  if (text.size() < width) out.append(width - text.size(), ' ');
  out += text;
}

std::string_view spelled(bool value) {
  return value ? "True" : "False";
}

template <class T>
std::size_t digits(T value) {
  return fmt::formatted_size("{}", value);
}

}  // namespace

void RealFormat::see(double value) {
  if (value == 0 || !std::isfinite(value)) return;
  const double magnitude = std::fabs(value);
  Extremes& side = value < 0 ? negative_ : positive_;
  side.least = std::min(side.least, magnitude);
  side.most = std::max(side.most, magnitude);
  whole_ = whole_ && value == std::ceil(value);
}

void RealFormat::see_nan() {
  has_nan_ = true;
}

void RealFormat::settle() {
  if (has_nan_) {
    form_ = Form::Fixed;
    width_ = std::string_view("nan").size();
    widen_to(positive_, 1);
    return;
  }
  if (positive_.empty() && negative_.empty()) return;
  const double least = std::min(positive_.least, negative_.least);
  const double most = std::max(positive_.most, negative_.most);
  if (most / least > 1000.0 || most > 1.0e8 || least < 1.0e-4) {
    form_ = Form::Scientific;
  } else {
    form_ = whole_ ? Form::Whole : Form::Fixed;
  }
  widen_to(positive_, 1);
  widen_to(negative_, -1);
}

// Between the least and the most nothing is longer than both: digits before the point and digits
// of the exponent grow towards the ends.
void RealFormat::widen_to(const Extremes& extremes, double sign) {
  if (extremes.empty()) return;
  for (const double magnitude : {extremes.least, extremes.most}) {
    std::string text;
    spell(text, sign * magnitude);
    width_ = std::max(width_, text.size());
  }
}

void RealFormat::spell(std::string& out, double value) const {
  if (std::isnan(value)) {
    out += "nan";  // whatever its sign
    return;
  }
  const auto end = std::back_inserter(out);
  switch (form_) {
    case Form::Scientific: fmt::format_to(end, "{:.4e}", value); break;
    case Form::Fixed: fmt::format_to(end, "{:.4f}", value); break;
    case Form::Whole:
      fmt::format_to(end, "{:.0f}", value);
      if (!std::isinf(value)) out += '.';
      break;
  }
}

void RealFormat::append(std::string& out, double value) const {
  const std::size_t begin = out.size();
  spell(out, value);
  const std::size_t length = out.size() - begin;
  if (length < width_) out.insert(begin, width_ - length, ' ');
}

void ElementFormat::see(const Scalar& value) {
  switch (class_) {
    case NumberClass::Bool: width_ = std::max(width_, spelled(std::get<bool>(value)).size()); break;
    case NumberClass::Signed:
      width_ = std::max(width_, digits(std::get<std::int64_t>(value)));
      break;
    case NumberClass::Unsigned:
      width_ = std::max(width_, digits(std::get<std::uint64_t>(value)));
      break;
    case NumberClass::Floating:
      if (dtype_ == tensor::DType::Float8E8M0Fnu) {
        see_power_of_two(std::get<double>(value));
      } else {
        real_.see(std::get<double>(value));
      }
      break;
    case NumberClass::Complex:
      real_.see(std::get<std::complex<double>>(value).real());
      imaginary_.see(std::get<std::complex<double>>(value).imag());
      break;
  }
}

// PyTorch 2.13 finds NaN finite in this dtype, and 2^-127 equal to 0, which it becomes as one of
// its numbers.
void ElementFormat::see_power_of_two(double value) {
  if (std::isnan(value)) {
    real_.see_nan();
  } else if (value != 0x1p-127) {
    real_.see(value);
  }
}

void ElementFormat::settle() {
  real_.settle();
  imaginary_.settle();
}

std::size_t ElementFormat::width() const {
  switch (class_) {
    case NumberClass::Floating: return real_.width();
    case NumberClass::Complex: return real_.width() + imaginary_.width() + 1;
    default: return width_;
  }
}

void ElementFormat::append(std::string& out, const Scalar& value) const {
  switch (class_) {
    case NumberClass::Bool: return append_padded(out, spelled(std::get<bool>(value)), width_);
    case NumberClass::Signed:
      return append_padded(out, fmt::format_int(std::get<std::int64_t>(value)).c_str(), width_);
    case NumberClass::Unsigned:
      return append_padded(out, fmt::format_int(std::get<std::uint64_t>(value)).c_str(), width_);
    case NumberClass::Floating: return real_.append(out, std::get<double>(value));
    case NumberClass::Complex: {
      const std::complex<double> number = std::get<std::complex<double>>(value);
      real_.append(out, number.real());
      std::string imaginary;
      imaginary_.append(imaginary, number.imag());
      imaginary.erase(0, imaginary.find_first_not_of(' '));
      if (imaginary[0] != '-') out += '+';
      out += imaginary;
      out += 'j';
    }
  }
}

}  // namespace ptsd::report
