// SPDX-License-Identifier: Apache-2.0
#include "report/value_json.h"

#include <cmath>
#include <utility>
#include <variant>

#include "base/quote.h"
#include "base/utf8.h"

namespace ptsd::report {
namespace {

std::string base64(std::string_view bytes) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      text += i + j > bytes.size() ? '=' : kDigits[group >> (18 - 6 * j) & 63];
    }
  }
  return text;
}

}  // namespace

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string safe(std::string_view text) {
  return is_utf8(text) ? std::string(text) : replace_invalid(text);
}

void set_text(Json& json, const std::string& key, std::string_view text) {
  json[key] = safe(text);
  if (!is_utf8(text)) json[key + "_b64"] = base64(text);
}

void set_texts(Json& json, const std::string& key, const std::vector<std::string_view>& texts) {
  Json list = Json::array();
  Json bytes = Json::array();
  bool any = false;
  for (const std::string_view text : texts) {
    list.push_back(safe(text));
    bytes.push_back(is_utf8(text) ? Json() : Json(base64(text)));
    any = any || !is_utf8(text);
  }
  json[key] = std::move(list);
  if (any) json[key + "_b64"] = std::move(bytes);
}

void set_value(Json& json, const std::string& key, const checkpoint::Value& value) {
  if (const auto* const text = std::get_if<std::string>(&value.value)) {
    set_text(json, key, *text);
  } else {
    json[key] = to_json(value);
  }
}

Json number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

Json to_json(const checkpoint::Value& value) {
  return std::visit(
      [](const auto& held) -> Json {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<T, std::monostate>) {
          return nullptr;
        } else if constexpr (std::is_same_v<T, double>) {
          return number(held);
        } else if constexpr (std::is_same_v<T, std::string>) {
          return safe(held);
        } else {
          return held;
        }
      },
      value.value);
}

Json to_json(const std::vector<Warning>& warnings) {
  Json list = Json::array();
  for (const Warning& warning : warnings) {
    Json item = {
        {"message", warning.message}
    };
    item["file"] = warning.where.file;
    item["member"] = warning.where.member.empty() ? Json() : Json(warning.where.member);
    item["offset"] = warning.where.offset ? Json(*warning.where.offset) : Json();
    list.push_back(std::move(item));
  }
  return list;
}

}  // namespace ptsd::report
