// SPDX-License-Identifier: Apache-2.0
#include "tensor/dtype.h"

#include <set>
#include <string_view>

#include <doctest/doctest.h>

namespace ptsd::tensor {
namespace {

TEST_CASE("every dtype is found by its name, and no two share one") {
  std::set<std::string_view> names;
  for (const DTypeInfo& row : kDTypes) {
    CHECK(find_dtype(row.name) == row.dtype);
    CHECK(names.insert(row.name).second);
  }
}

TEST_CASE("every typed storage class names one dtype") {
  std::set<std::string_view> classes;
  for (const DTypeInfo& row : kDTypes) {
    if (row.storage_class.empty()) continue;
    CHECK(find_storage_dtype(row.storage_class) == row.dtype);
    CHECK(classes.insert(row.storage_class).second);
  }
  CHECK(classes.size() == 17);
  CHECK(!find_storage_dtype(""));
  CHECK(!find_storage_dtype("UntypedStorage"));
}

TEST_CASE("aliases mean what they mean in torch") {
  CHECK(find_dtype("half") == DType::Float16);
  CHECK(find_dtype("float") == DType::Float32);
  CHECK(find_dtype("long") == DType::Int64);
  CHECK(!find_dtype("floaty"));
}

}  // namespace
}  // namespace ptsd::tensor
