// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>

namespace ptsd {

// The processors that this process may use; at least 1.
unsigned usable_threads();

// Calls work(0) to work(count - 1), each once and in any order, on up to `threads` threads, of
// which the caller is one. When a call throws, no more are begun, and the exception of the lowest
// number is thrown here once all have ended. Where the system grants no threads, fewer do.
void parallel_for(unsigned threads, std::size_t count,
                  const std::function<void(std::size_t)>& work);

}  // namespace ptsd
