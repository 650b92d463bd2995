// SPDX-License-Identifier: Apache-2.0
#include "format/zip_formats.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/quote.h"
#include "format/npz.h"
#include "format/package.h"
#include "format/pt2.h"
#include "format/torch_zip.h"
#include "format/torchscript.h"
#include "format/zip_archive.h"

namespace ptsd::format {
namespace {

struct ZipFormat {
  bool (*matches)(const ZipArchive& archive);
  std::unique_ptr<Loaded> (*load)(std::unique_ptr<ZipArchive> archive,
                                  const Limits& limits);  // null: cannot
  std::string_view what;                                  // then
};

bool has(const ZipArchive& archive, std::string_view record) {
  return archive.records().record(record) != nullptr;
}

bool has_member(const ZipArchive& archive, std::string_view name) {
  return archive.zip.find(name) != nullptr;
}

// As numpy.savez writes it: arrays that need no folder. What lies in one may be PyTorch's.
bool is_npz(const ZipArchive& archive) {
  const auto& members = archive.zip.members();
  const auto is_array = [](const container::Member& member) {
    return std::string_view(member.name).ends_with(".npy");
  };
  return !members.empty() && is_array(members.front()) &&
         (std::string_view(members.front().name).find('/') == std::string_view::npos ||
          std::ranges::all_of(members, is_array));
}

std::unique_ptr<Loaded> load_arrays(std::unique_ptr<ZipArchive> archive, const Limits& limits) {
  return load_npz({.source = archive->zip.source()}, limits);
}

// Rows stay apart: who adds one touches no other.
// clang-format off

// By members, wherever they lie: these need have no root.
constexpr auto kMembers = std::to_array<ZipFormat>({
    {is_npz, load_arrays, {}},
    {is_old_pt2, load_pt2, {}},
    {[](const ZipArchive& a) { return has_member(a, "model.weights.h5"); }, nullptr,
     "a Keras model (.keras), not a PyTorch checkpoint"},
    {[](const ZipArchive& a) { return has_member(a, "[Content_Types].xml"); }, nullptr,
     "an Office document, not a checkpoint"},
    {[](const ZipArchive& a) { return has_member(a, "META-INF/MANIFEST.MF"); }, nullptr,
     "a Java archive, not a checkpoint"},
});

// By records below the root.
constexpr auto kRecords = std::to_array<ZipFormat>({
    {is_torchscript, load_torchscript, {}},
    {[](const ZipArchive& a) { return has(a, "data.pkl"); }, load_torch_zip, {}},
    {is_pt2, load_pt2, {}},
    {is_package, load_package, {}},
    {[](const ZipArchive& a) { return has(a, "model.json"); }, nullptr,
     "a TorchScript archive of torch 1.0: not supported"},
});

// clang-format on

const ZipFormat* find_format(const ZipArchive& archive) {
  for (const std::span<const ZipFormat> table :
       {std::span<const ZipFormat>(kMembers), std::span<const ZipFormat>(kRecords)}) {
    for (const ZipFormat& row : table) {
      if (row.matches(archive)) return &row;
    }
  }
  return nullptr;
}

}  // namespace

std::unique_ptr<Loaded> load_zip(const Input& input, const Limits& limits) {
  auto archive = std::make_unique<ZipArchive>(input.source, limits);
  const ZipFormat* const format = find_format(*archive);
  if (format == nullptr) {
    archive->fail(Error::Kind::Unsupported, "",
                  fmt::format("a zip archive without {}: not written by torch.save",
                              quote(archive->path_of("data.pkl"))));
  }
  if (format->load == nullptr) {
    archive->fail(Error::Kind::Unsupported, "", std::string(format->what));
  }
  return format->load(std::move(archive), limits);
}

}  // namespace ptsd::format
