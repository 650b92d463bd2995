// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "tensor/scalar.h"

// How the elements of a tensor are spelled, as PyTorch prints them with its default options: one
// form for all of a tensor's numbers, which depends on them (torch/_tensor_str.py, _Formatter).
// First every number is shown to see(), then each is spelled by append(). Nothing is kept of the
// numbers but their extremes.

namespace ptsd::report {

// Real and imaginary parts have a form each.
class RealFormat {
 public:
  void see(double value);
  // A NaN that PyTorch takes for a number: every comparison with it fails.
  void see_nan();
  // Chooses the form, after the last see().
  void settle();
  std::size_t width() const { return width_; }
  void append(std::string& out, double value) const;

 private:
  enum class Form : std::uint8_t { Whole, Fixed, Scientific };

  // Magnitudes of the finite numbers of one sign that are not zero.
  struct Extremes {
    double least = std::numeric_limits<double>::infinity();
    double most = 0;

    bool empty() const { return most == 0; }
  };

  void spell(std::string& out, double value) const;
  void widen_to(const Extremes& extremes, double sign);

  Extremes positive_;
  Extremes negative_;
  bool whole_ = true;     // no number has a fraction
  bool has_nan_ = false;  // one that counts
  Form form_ = Form::Whole;
  std::size_t width_ = 1;
};

class ElementFormat {
 public:
  explicit ElementFormat(tensor::DType dtype)
      : class_(tensor::number_class(dtype)), dtype_(dtype) {}

  void see(const tensor::Scalar& value);
  void settle();
  // Characters that an element is given, without what separates it from the next.
  std::size_t width() const;
  void append(std::string& out, const tensor::Scalar& value) const;

 private:
  void see_power_of_two(double value);

  tensor::NumberClass class_;
  tensor::DType dtype_;
  RealFormat real_;
  RealFormat imaginary_;
  std::size_t width_ = 1;  // of integers and bools
};

}  // namespace ptsd::report
