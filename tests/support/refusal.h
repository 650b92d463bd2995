// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/error.h"

namespace ptsd::test {

// The text of the error that the work ends with; empty if there is none.
template <class Work>
std::string refused(const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace ptsd::test
