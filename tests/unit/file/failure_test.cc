// SPDX-License-Identifier: Apache-2.0
#include "file/failure.h"

#include <cerrno>
#include <fcntl.h>
#include <string>

#include <doctest/doctest.h>

#include "file/descriptor.h"
#include "temporary_folder.h"

namespace ptsd::file {
namespace {

std::string said(int descriptor, int error) {
  return refusal([&] { fail_to_write("out.pt", descriptor, 16, 1000, error); });
}

TEST_CASE("missing room is told with the bytes that are needed and free") {
  const TemporaryFolder folder;
  const Descriptor open(::open(folder.path("").c_str(), O_RDONLY | O_DIRECTORY));
  const std::string message = said(open.number(), ENOSPC);
  CHECK(message.starts_with("out.pt: no space left: 1000 bytes needed, "));
  CHECK(message.ends_with(" free"));
  CHECK(message.find("unknown") == std::string::npos);
  CHECK(said(-1, ENOSPC) == "out.pt: no space left: 1000 bytes needed, an unknown number free");
  CHECK(said(open.number(), EDQUOT).starts_with("out.pt: disk quota exceeded: 1000 bytes needed"));
}

TEST_CASE("another failure of a write is told with its place") {
  CHECK(said(-1, EIO) == "out.pt: +0x10: cannot write: Input/output error");
}

}  // namespace
}  // namespace ptsd::file
