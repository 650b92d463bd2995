// SPDX-License-Identifier: Apache-2.0
#include "format/pt2_config.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/checked.h"
#include "base/quote.h"
#include "format/json_reader.h"

namespace ptsd::format {

using tensor::DType;

namespace {

struct ScalarType {
  std::uint64_t number;
  DType dtype;
};

// ScalarType of schema.py, whose numbers are not those of c10.
constexpr auto kScalarTypes = std::to_array<ScalarType>({
    {1,  DType::UInt8         },
    {2,  DType::Int8          },
    {3,  DType::Int16         },
    {4,  DType::Int32         },
    {5,  DType::Int64         },
    {6,  DType::Float16       },
    {7,  DType::Float32       },
    {8,  DType::Float64       },
    {9,  DType::Complex32     },
    {10, DType::Complex64     },
    {11, DType::Complex128    },
    {12, DType::Bool          },
    {13, DType::BFloat16      },
    {28, DType::UInt16        },
    {29, DType::Float8E4M3Fn  },
    {30, DType::Float8E5M2    },
    {31, DType::Float8E4M3Fnuz},
    {32, DType::Float8E5M2Fnuz},
    {33, DType::Float8E8M0Fnu },
    {34, DType::UInt32        },
    {35, DType::UInt64        },
});

class Reader {
 public:
  Reader(std::string_view json, const Where& origin, const Limits& limits)
      : json_(json, origin), limits_(limits) {}

  void read(const std::function<void(const Pt2Payload&)>& use) {
    bool found = false;
    json_.begin_object();
    while (const auto key = json_.key()) {
      if (*key != "config") {
        json_.skip(limits_.depth);
        continue;
      }
      if (std::exchange(found, true)) json_.fail("two keys \"config\"");
      json_.begin_object();
      while (const auto name = json_.key()) {
        json_.set_subject(quote(*name));
        count();
        use(payload(*name));
        json_.set_subject("");
      }
    }
    json_.end();
    if (!found) json_.fail("no key \"config\"");
  }

 private:
  void count() {
    if (++count_ <= limits_.entries) return;
    json_.fail_at(json_.offset(), Error::Kind::Limit,
                  fmt::format("more than {} entries (--limit entries=N)", limits_.entries));
  }

  Pt2Payload payload(const std::string& name) {
    Pt2Payload payload = {.name = name};
    json_.begin_object();
    while (const auto key = json_.key()) {
      if (*key == "path_name") {
        payload.path = json_.string();
      } else if (*key == "is_param") {
        payload.is_parameter = boolean();
      } else if (*key == "use_pickle") {
        payload.is_pickle = boolean();
      } else if (*key == "tensor_meta" && json_.peek() == JsonReader::Type::Object) {
        payload.tensor = tensor();
      } else {
        json_.skip(limits_.depth);
      }
    }
    return payload;
  }

  Pt2Tensor tensor() {
    Pt2Tensor tensor;
    bool has_dtype = false;
    json_.begin_object();
    while (const auto key = json_.key()) {
      if (*key == "dtype") {
        tensor.dtype = dtype();
        has_dtype = true;
      } else if (*key == "sizes") {
        tensor.sizes = integers();
      } else if (*key == "strides") {
        tensor.strides = integers();
      } else if (*key == "storage_offset") {
        tensor.offset = static_cast<std::uint64_t>(integer());
      } else if (*key == "layout") {
        tensor.layout = json_.unsigned_integer();
      } else if (*key == "requires_grad") {
        tensor.requires_grad = boolean();
      } else if (*key == "device") {
        tensor.device = device();
      } else {
        json_.skip(limits_.depth);
      }
    }
    if (!has_dtype) json_.fail("no dtype");
    if (tensor.sizes.size() != tensor.strides.size()) json_.fail("not as many strides as sizes");
    return tensor;
  }

  bool boolean() {
    const JsonReader::Type type = json_.peek();
    if (type != JsonReader::Type::True && type != JsonReader::Type::False) {
      json_.fail("expected true or false");
    }
    json_.skip(limits_.depth);
    return type == JsonReader::Type::True;
  }

  DType dtype() {
    const std::uint64_t number = json_.unsigned_integer();
    const auto* const row = std::ranges::find(kScalarTypes, number, &ScalarType::number);
    if (row == kScalarTypes.end()) {
      json_.fail_at(json_.offset(), Error::Kind::Unsupported,
                    fmt::format("dtype {} of torch.export", number));
    }
    return row->dtype;
  }

  // {"as_int": 3}; what depends on the input is {"as_expr": ...}.
  std::int64_t integer() {
    std::optional<std::int64_t> value;
    json_.begin_object();
    while (const auto key = json_.key()) {
      if (*key != "as_int") {
        json_.fail_at(json_.offset(), Error::Kind::Unsupported, "a size that is no number");
      }
      value = narrow<std::int64_t>(json_.unsigned_integer());
      if (!value) json_.fail("a size of more than 2^63");
    }
    if (!value) json_.fail("a size without a number");
    return *value;
  }

  std::vector<std::int64_t> integers() {
    std::vector<std::int64_t> all;
    json_.begin_array();
    while (json_.item()) {
      all.push_back(integer());
      if (all.size() <= limits_.dimensions) continue;
      json_.fail_at(
          json_.offset(), Error::Kind::Limit,
          fmt::format("more than {} dimensions (--limit dimensions=N)", limits_.dimensions));
    }
    return all;
  }

  std::string device() {
    std::string type;
    std::string index;
    json_.begin_object();
    while (const auto key = json_.key()) {
      if (*key == "type") {
        type = json_.string();
      } else if (*key == "index" && json_.peek() == JsonReader::Type::Number) {
        index = fmt::format(":{}", json_.unsigned_integer());
      } else {
        json_.skip(limits_.depth);
      }
    }
    return type + index;
  }

  JsonReader json_;
  const Limits& limits_;
  std::uint64_t count_ = 0;
};

}  // namespace

void read_pt2_config(std::string_view json, const Where& origin, const Limits& limits,
                     const std::function<void(const Pt2Payload&)>& use) {
  Reader(json, origin, limits).read(use);
}

}  // namespace ptsd::format
