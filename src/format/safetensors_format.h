// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/checked.h"
#include "tensor/dtype.h"

// What reader and writer of safetensors agree about (safetensors 0.8, safetensors/src/tensor.rs):
//
//   u64 N, little-endian | N bytes of JSON, spaces at the end | data to the end of the file
//
//   {"__metadata__": {"format": "pt"},
//    "name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...}
//
// Offsets count from the beginning of the data, which the tensors fill without overlap or hole:
// row-major, little-endian.

namespace ptsd::format {

inline constexpr std::uint64_t kSafetensorsPrefix = 8;                   // bytes of N
inline constexpr std::uint64_t kLargestSafetensorsHeader = 100'000'000;  // bytes
inline constexpr std::string_view kSafetensorsMetadata = "__metadata__";

struct SafetensorsType {
  std::string_view name;
  std::uint8_t bits;                   // of one element of the shape
  std::optional<tensor::DType> dtype;  // nothing: torch has none
};

// In the order of the ranks by which the writer sorts, low to high.
inline constexpr auto kSafetensorsTypes = std::to_array<SafetensorsType>({
    {"BOOL",        8,  tensor::DType::Bool          },
    {"F4",          4,  tensor::DType::Float4E2M1FnX2},
    {"F6_E2M3",     6,  std::nullopt                 },
    {"F6_E3M2",     6,  std::nullopt                 },
    {"U8",          8,  tensor::DType::UInt8         },
    {"I8",          8,  tensor::DType::Int8          },
    {"F8_E5M2",     8,  tensor::DType::Float8E5M2    },
    {"F8_E4M3",     8,  tensor::DType::Float8E4M3Fn  },
    {"F8_E8M0",     8,  tensor::DType::Float8E8M0Fnu },
    {"F8_E4M3FNUZ", 8,  tensor::DType::Float8E4M3Fnuz},
    {"F8_E5M2FNUZ", 8,  tensor::DType::Float8E5M2Fnuz},
    {"I16",         16, tensor::DType::Int16         },
    {"U16",         16, tensor::DType::UInt16        },
    {"F16",         16, tensor::DType::Float16       },
    {"BF16",        16, tensor::DType::BFloat16      },
    {"I32",         32, tensor::DType::Int32         },
    {"U32",         32, tensor::DType::UInt32        },
    {"F32",         32, tensor::DType::Float32       },
    {"C64",         64, tensor::DType::Complex64     },
    {"F64",         64, tensor::DType::Float64       },
    {"I64",         64, tensor::DType::Int64         },
    {"U64",         64, tensor::DType::UInt64        },
});

// Null for a name or dtype that is not in the table.
constexpr const SafetensorsType* find_safetensors_type(std::string_view name) {
  const auto* const row = std::ranges::find(kSafetensorsTypes, name, &SafetensorsType::name);
  return row == kSafetensorsTypes.end() ? nullptr : row;
}
constexpr const SafetensorsType* find_safetensors_type(tensor::DType dtype) {
  const auto* const row = std::ranges::find(kSafetensorsTypes, dtype, &SafetensorsType::dtype);
  return row == kSafetensorsTypes.end() ? nullptr : row;
}

// How many elements of the shape one element of the dtype is: a shape counts the halves of
// float4_e2m1fn_x2.
constexpr std::uint64_t elements_per_item(const SafetensorsType& type) {
  return type.bits == 4 ? 2 : 1;
}

// The product of the sizes from left to right, as the reference has it: nothing for one that wraps,
// though a later size is 0.
constexpr std::optional<std::uint64_t> safetensors_elements(std::span<const std::int64_t> shape) {
  std::optional<std::uint64_t> count = 1;
  for (const std::int64_t size : shape) {
    count = checked_mul(*count, static_cast<std::uint64_t>(size));
    if (!count) break;
  }
  return count;
}

}  // namespace ptsd::format
