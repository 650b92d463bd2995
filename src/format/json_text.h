// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace ptsd::format {

enum class JsonEscapes {
  Few,    // what JSON requires, as serde_json writes it
  Ascii,  // all that is no printable ASCII, as Python's json.dumps writes it
};

// A string with its quotes. `text` is UTF-8.
void append_json_string(std::string& out, std::string_view text, JsonEscapes escapes);

}  // namespace ptsd::format
