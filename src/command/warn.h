// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "checkpoint/listing.h"
#include "command/command.h"
#include "command/options.h"
#include "format/loaded.h"

namespace ptsd::command {

// What was odd about the file and about the listing of it.
std::vector<Warning> warnings_of(const format::Loaded& loaded, const checkpoint::Listing& listing);

// Writes the warnings to stderr, unless they are part of a JSON answer or -q was given, and
// returns the exit status: with --strict, any warning is a "no".
Exit warn(const std::vector<Warning>& warnings, const CommonOptions& options);

}  // namespace ptsd::command
