// SPDX-License-Identifier: Apache-2.0
#include "report/error_json.h"

#include <nlohmann/json.hpp>

namespace ptsd::report {
namespace {

using Json = nlohmann::ordered_json;

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

}  // namespace

std::string error_json(const Error& error) {
  const Where& where = error.where();
  const Json json = {
      {"schema",  "ptsd.error/1"                                    },
      {"kind",    to_string(error.kind())                           },
      {"message", error.message()                                   },
      {"file",    text_or_null(where.file)                          },
      {"member",  text_or_null(where.member)                        },
      {"offset",  where.offset ? Json(*where.offset) : Json(nullptr)},
      {"exit",    2                                                 },
  };
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace ptsd::report
