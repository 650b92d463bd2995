// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

// Every torch.dtype, as torch 2.13 has them.

namespace ptsd::tensor {

enum class DType : std::uint8_t {
  UInt8,
  Int8,
  Int16,
  Int32,
  Int64,
  Float16,
  Float32,
  Float64,
  Complex32,
  Complex64,
  Complex128,
  Bool,
  QInt8,
  QUInt8,
  QInt32,
  BFloat16,
  QUInt4x2,
  QUInt2x4,
  Bits1x8,
  Bits2x4,
  Bits4x2,
  Bits8,
  Bits16,
  Float8E5M2,
  Float8E4M3Fn,
  Float8E5M2Fnuz,
  Float8E4M3Fnuz,
  UInt16,
  UInt32,
  UInt64,
  UInt1,
  UInt2,
  UInt3,
  UInt4,
  UInt5,
  UInt6,
  UInt7,
  Int1,
  Int2,
  Int3,
  Int4,
  Int5,
  Int6,
  Int7,
  Float8E8M0Fnu,
  Float4E2M1FnX2,
};

struct DTypeInfo {
  DType dtype;
  std::string_view name;           // as in torch.<name>
  std::uint8_t item_size;          // bytes of one storage element
  std::uint8_t elements_per_item;  // tensor elements in one storage element; 1 unless packed
  std::string_view storage_class;  // torch.<name> in persistent ids; empty: UntypedStorage
};

inline constexpr auto kDTypes = std::to_array<DTypeInfo>({
    {DType::UInt8,          "uint8",            1,  1, "ByteStorage"         },
    {DType::Int8,           "int8",             1,  1, "CharStorage"         },
    {DType::Int16,          "int16",            2,  1, "ShortStorage"        },
    {DType::Int32,          "int32",            4,  1, "IntStorage"          },
    {DType::Int64,          "int64",            8,  1, "LongStorage"         },
    {DType::Float16,        "float16",          2,  1, "HalfStorage"         },
    {DType::Float32,        "float32",          4,  1, "FloatStorage"        },
    {DType::Float64,        "float64",          8,  1, "DoubleStorage"       },
    {DType::Complex32,      "complex32",        4,  1, ""                    },
    {DType::Complex64,      "complex64",        8,  1, "ComplexFloatStorage" },
    {DType::Complex128,     "complex128",       16, 1, "ComplexDoubleStorage"},
    {DType::Bool,           "bool",             1,  1, "BoolStorage"         },
    {DType::QInt8,          "qint8",            1,  1, "QInt8Storage"        },
    {DType::QUInt8,         "quint8",           1,  1, "QUInt8Storage"       },
    {DType::QInt32,         "qint32",           4,  1, "QInt32Storage"       },
    {DType::BFloat16,       "bfloat16",         2,  1, "BFloat16Storage"     },
    {DType::QUInt4x2,       "quint4x2",         1,  2, "QUInt4x2Storage"     },
    {DType::QUInt2x4,       "quint2x4",         1,  4, "QUInt2x4Storage"     },
    {DType::Bits1x8,        "bits1x8",          1,  1, ""                    },
    {DType::Bits2x4,        "bits2x4",          1,  1, ""                    },
    {DType::Bits4x2,        "bits4x2",          1,  1, ""                    },
    {DType::Bits8,          "bits8",            1,  1, ""                    },
    {DType::Bits16,         "bits16",           2,  1, ""                    },
    {DType::Float8E5M2,     "float8_e5m2",      1,  1, ""                    },
    {DType::Float8E4M3Fn,   "float8_e4m3fn",    1,  1, ""                    },
    {DType::Float8E5M2Fnuz, "float8_e5m2fnuz",  1,  1, ""                    },
    {DType::Float8E4M3Fnuz, "float8_e4m3fnuz",  1,  1, ""                    },
    {DType::UInt16,         "uint16",           2,  1, ""                    },
    {DType::UInt32,         "uint32",           4,  1, ""                    },
    {DType::UInt64,         "uint64",           8,  1, ""                    },
    {DType::UInt1,          "uint1",            1,  1, ""                    },
    {DType::UInt2,          "uint2",            1,  1, ""                    },
    {DType::UInt3,          "uint3",            1,  1, ""                    },
    {DType::UInt4,          "uint4",            1,  1, ""                    },
    {DType::UInt5,          "uint5",            1,  1, ""                    },
    {DType::UInt6,          "uint6",            1,  1, ""                    },
    {DType::UInt7,          "uint7",            1,  1, ""                    },
    {DType::Int1,           "int1",             1,  1, ""                    },
    {DType::Int2,           "int2",             1,  1, ""                    },
    {DType::Int3,           "int3",             1,  1, ""                    },
    {DType::Int4,           "int4",             1,  1, ""                    },
    {DType::Int5,           "int5",             1,  1, ""                    },
    {DType::Int6,           "int6",             1,  1, ""                    },
    {DType::Int7,           "int7",             1,  1, ""                    },
    {DType::Float8E8M0Fnu,  "float8_e8m0fnu",   1,  1, ""                    },
    {DType::Float4E2M1FnX2, "float4_e2m1fn_x2", 1,  1, ""                    },
});

consteval bool dtype_rows_in_order() {
  for (std::size_t i = 0; i < kDTypes.size(); ++i) {
    if (kDTypes[i].dtype != static_cast<DType>(i)) return false;
  }
  return true;
}
static_assert(dtype_rows_in_order(), "kDTypes is indexed by DType");

constexpr const DTypeInfo& info(DType dtype) {
  return kDTypes[static_cast<std::size_t>(dtype)];
}
constexpr std::string_view name(DType dtype) {
  return info(dtype).name;
}

// As torch's is_floating_point.
constexpr bool is_floating(DType dtype) {
  return dtype == DType::Float16 || dtype == DType::Float32 || dtype == DType::Float64 ||
         dtype == DType::BFloat16 ||
         (dtype >= DType::Float8E5M2 && dtype <= DType::Float8E4M3Fnuz) ||
         dtype == DType::Float8E8M0Fnu || dtype == DType::Float4E2M1FnX2;
}

constexpr bool is_complex(DType dtype) {
  return dtype >= DType::Complex32 && dtype <= DType::Complex128;
}

// Bytes of one number: of the half of a complex element, else of the storage element.
constexpr std::size_t component_size(DType dtype) {
  return is_complex(dtype) ? info(dtype).item_size / 2u : info(dtype).item_size;
}

constexpr bool can_require_grad(DType dtype) {
  return is_floating(dtype) || is_complex(dtype);
}

// By torch's name or by an alias that users type: half, float, double, short, int, long, cfloat,
// cdouble, chalf.
std::optional<DType> find_dtype(std::string_view name);

// By the name of a typed storage class: "FloatStorage".
std::optional<DType> find_storage_dtype(std::string_view storage_class);

}  // namespace ptsd::tensor
