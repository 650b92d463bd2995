// SPDX-License-Identifier: Apache-2.0
#include "file/range_copy.h"

#include <fcntl.h>
#include <string>
#include <unistd.h>

#include <doctest/doctest.h>

#include "file/descriptor.h"
#include "temporary_folder.h"

namespace ptsd::file {
namespace {

TEST_CASE("a range is copied to its place, up to the end of the input") {
  const TemporaryFolder folder;
  const Descriptor from(::open(folder.write("from", "0123456789").c_str(), O_RDONLY));
  const Descriptor to(::open(folder.write("to", "abcdefghij").c_str(), O_RDWR));
  const std::uint64_t done = copy_in_kernel(from.number(), 3, to.number(), 5, 4);
  if (done == 0) return;  // a file system that does not do it
  CHECK(done == 4);
  CHECK(folder.read("to") == "abcde3456j");
  CHECK(copy_in_kernel(from.number(), 8, to.number(), 0, 100) == 2);
  CHECK(folder.read("to") == "89cde3456j");
}

TEST_CASE("what the kernel does not copy is left to the caller") {
  const TemporaryFolder folder;
  const Descriptor from(::open(folder.write("from", "0123456789").c_str(), O_RDONLY));
  const Descriptor unwritable(::open(folder.write("to", "").c_str(), O_RDONLY));
  CHECK(copy_in_kernel(from.number(), 0, unwritable.number(), 0, 10) == 0);
  CHECK(copy_in_kernel(from.number(), 20, from.number(), 0, 10) == 0);
}

}  // namespace
}  // namespace ptsd::file
