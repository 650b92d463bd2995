// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

// The one exception of ptsd: the command cannot be carried out. Whatever a caller can expect
// (a key that is missing, a difference) is a value instead. An Error owns its strings; names
// taken from input are stored raw in Where and escaped when the text is made.

namespace ptsd {

// A place in the input: the file, the archive member in it, and the byte offset in the innermost
// of the two. Empty parts are unknown or do not apply.
struct Where {
  std::string file = {};
  std::string member = {};
  std::optional<std::uint64_t> offset = std::nullopt;
};

// "model.pt: archive/data.pkl+0x1a3", escaped for a terminal; empty for an empty place.
std::string to_string(const Where& where);

class Error final : public std::exception {
 public:
  enum class Kind { Usage, Io, Malformed, Unsupported, Limit, Conflict };

  Error(Kind kind, Where where, std::string message);

  Kind kind() const { return kind_; }
  const Where& where() const { return where_; }
  const std::string& message() const { return message_; }
  // The place and the message, in one line.
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  Kind kind_;
  Where where_;
  std::string message_;
  std::string text_;
};

// For what the user must change. `file` is empty where it is about no file.
[[noreturn]] void fail_usage(std::string message, std::string file = {});

// The kind as it stands in JSON: "malformed".
std::string_view to_string(Error::Kind kind);

// Something odd that did not stop the work.
struct Warning {
  Where where;
  std::string message;
};

}  // namespace ptsd
