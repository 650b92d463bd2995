// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <sys/types.h>
#include <vector>

#include "base/error.h"

// Who may use a file: mode, owner and group, access control list, extended attributes.

namespace ptsd::file {

// 0666 less the umask of the process, for a file that is created with 0600.
mode_t mode_of_new_file();

// Sets the mode. What is refused is a warning about `path`.
void set_mode(int descriptor, mode_t mode, const std::string& path, std::vector<Warning>& warnings);

// Gives the open file `to` what the open file `from` has, less the set-id bits and what vouches
// for the content (signatures, capabilities). What cannot be kept is a warning about `path`; a
// group or an access control list that cannot be kept opens the file to nobody else.
void keep_attributes(int from, int to, const std::string& path, std::vector<Warning>& warnings);

// Whether the directory has an access control list that its files inherit in place of the umask.
bool has_default_acl(int folder);

}  // namespace ptsd::file
