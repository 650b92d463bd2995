// SPDX-License-Identifier: Apache-2.0
#include "container/inflate.h"

#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <libdeflate.h>

#include "container/zip_format.h"

namespace ptsd::container {
namespace {

struct FreeDecompressor {
  void operator()(libdeflate_decompressor* decompressor) const {
    libdeflate_free_decompressor(decompressor);
  }
};

[[noreturn]] void fail(const Where& where, std::string message) {
  throw Error(Error::Kind::Malformed, where, std::move(message));
}

}  // namespace

std::vector<std::byte> inflate(Bytes data, std::uint64_t size, const Where& where) {
  if (size / kLargestDeflateRatio > data.size()) {
    fail(where, fmt::format("{} deflated bytes cannot inflate to {}", data.size(), size));
  }
  const std::unique_ptr<libdeflate_decompressor, FreeDecompressor> decompressor(
      libdeflate_alloc_decompressor());
  if (!decompressor) throw std::bad_alloc();
  std::vector<std::byte> out(size);
  std::size_t used = 0;
  std::size_t written = 0;
  switch (libdeflate_deflate_decompress_ex(decompressor.get(), data.data(), data.size(), out.data(),
                                           out.size(), &used, &written)) {
    case LIBDEFLATE_SUCCESS: break;
    case LIBDEFLATE_BAD_DATA: fail(where, "the deflated data are broken");
    case LIBDEFLATE_SHORT_OUTPUT: break;
    case LIBDEFLATE_INSUFFICIENT_SPACE:
      fail(where, fmt::format("inflates to more than the declared {} bytes", size));
  }
  if (written != size) {
    fail(where, fmt::format("inflates to {} bytes, {} declared", written, size));
  }
  if (used != data.size()) {
    fail(where, fmt::format("{} bytes after the end of the deflated data", data.size() - used));
  }
  return out;
}

}  // namespace ptsd::container
