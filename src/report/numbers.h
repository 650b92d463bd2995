// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ptsd::report {

// 1234567 as "1,234,567".
std::string grouped(std::uint64_t number);

// "256 B", "21.4 KiB", "3.0 GiB".
std::string human_bytes(std::uint64_t bytes);

// "1 tensor", "1,234 tensors".
std::string counted(std::uint64_t number, std::string_view noun);

}  // namespace ptsd::report
