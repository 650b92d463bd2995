// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/byte_source.h"

namespace ptsd::format {

// Old names and new ones, read from a file: a JSON object {"old": "new"}, or lines of two columns
// separated by a tab or "=>" (blanks around them do not count; empty lines and lines that begin
// with "#" are skipped). Throws Error::Malformed with the offset of what is neither, and for a name
// that stands twice.
using NameMap = std::map<std::string, std::string, std::less<>>;

NameMap read_name_map(const ByteSource& source);

// What read_name_map() gives back as it is: lines with a tab in them, in this order, or a JSON
// object where a name would be misread as part of a line. Throws Error::Unsupported for a name
// that neither can hold.
std::string write_name_map(const std::vector<std::pair<std::string, std::string>>& names);

}  // namespace ptsd::format
