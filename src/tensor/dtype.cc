// SPDX-License-Identifier: Apache-2.0
#include "tensor/dtype.h"

#include <algorithm>

namespace ptsd::tensor {
namespace {

struct Alias {
  std::string_view name;
  DType dtype;
};

constexpr auto kAliases = std::to_array<Alias>({
    {"half",    DType::Float16   },
    {"float",   DType::Float32   },
    {"double",  DType::Float64   },
    {"short",   DType::Int16     },
    {"int",     DType::Int32     },
    {"long",    DType::Int64     },
    {"chalf",   DType::Complex32 },
    {"cfloat",  DType::Complex64 },
    {"cdouble", DType::Complex128},
});

}  // namespace

std::optional<DType> find_dtype(std::string_view name) {
  const auto* const row = std::ranges::find(kDTypes, name, &DTypeInfo::name);
  if (row != kDTypes.end()) return row->dtype;
  const auto* const alias = std::ranges::find(kAliases, name, &Alias::name);
  if (alias != kAliases.end()) return alias->dtype;
  return std::nullopt;
}

std::optional<DType> find_storage_dtype(std::string_view storage_class) {
  if (storage_class.empty()) return std::nullopt;
  const auto* const row = std::ranges::find(kDTypes, storage_class, &DTypeInfo::storage_class);
  if (row == kDTypes.end()) return std::nullopt;
  return row->dtype;
}

}  // namespace ptsd::tensor
