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

std::string dump(const Json& json);

// The text as JSON can hold it: what is not UTF-8 comes out as U+FFFD.
std::string safe(std::string_view text);

// Sets `key` to the text and, where that is not UTF-8, `key`_b64 to its bytes.
void set_text(Json& json, const std::string& key, std::string_view text);

// The same for a list of texts: `key`_b64 has null for each that is UTF-8.
void set_texts(Json& json, const std::string& key, const std::vector<std::string_view>& texts);
// The same for what may be a text.
void set_value(Json& json, const std::string& key, const checkpoint::Value& value);

// NaN and the infinities become strings.
Json number(double value);
Json to_json(const checkpoint::Value& value);
Json to_json(const std::vector<Warning>& warnings);

}  // namespace ptsd::report
