// SPDX-License-Identifier: Apache-2.0
#include "format/save.h"

#include <utility>

namespace ptsd::format {

void fail_read_back(Where where, std::string message) {
  throw Error(Error::Kind::Io, std::move(where), "read back: " + std::move(message));
}

}  // namespace ptsd::format
