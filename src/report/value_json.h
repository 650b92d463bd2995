// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "checkpoint/value.h"

// Pieces of JSON that several reports share. Only report/*_json.cc includes this.

namespace ptsd::report {

using Json = nlohmann::ordered_json;

// Text that is always valid: bytes that are not UTF-8 come out as U+FFFD.
std::string dump(const Json& json);

// Sets `key` to the text and, where that is not UTF-8, `key`_b64 to its bytes.
void set_text(Json& json, const std::string& key, std::string_view text);

// NaN and the infinities become strings.
Json number(double value);
Json to_json(const checkpoint::Value& value);
Json to_json(const std::vector<Warning>& warnings);

}  // namespace ptsd::report
