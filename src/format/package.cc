// SPDX-License-Identifier: Apache-2.0
#include "format/package.h"

#include <string>
#include <utility>
#include <vector>

#include "base/quote.h"
#include "format/assembly.h"
#include "format/record_pickle.h"

namespace ptsd::format {

using pickle::NodeId;

namespace {

constexpr std::string_view kHidden = ".data/";
constexpr std::size_t kMostOfVersion = 40;  // bytes that are shown
constexpr std::string_view kScripts = ".data/ts_code/";

// A pickle can have any name: it begins with PROTO and a version, and ends with STOP.
bool is_pickle(const ZipArchive& archive, const container::Record& record) {
  const container::Member& member = *record.member;
  if (record.name.starts_with(kHidden) || record.name.ends_with(".py")) return false;
  if (record.name.ends_with(".pkl")) return true;
  if (member.size < 3) return false;
  const auto source = archive.zip.peek(member);
  const std::vector<std::byte> head = source->read(0, 2);
  const std::vector<std::byte> tail = source->read(member.size - 1, 1);
  return head[0] == std::byte{0x80} && head[1] >= std::byte{1} && head[1] <= std::byte{5} &&
         tail[0] == std::byte{'.'};
}

NodeId read_pickles(const ZipArchive& archive, Assembly& assembly, const Limits& limits) {
  StorageRecords storages = {.folder = std::string(kHidden), .suffix = ".storage"};
  std::vector<NodeId> items;
  bool scripts = false;
  for (const container::Record& record : archive.records().records()) {
    scripts = scripts || record.name.starts_with(kScripts);
    if (!is_pickle(archive, record)) continue;
    RecordPickle pickle(archive, record.name, storages, assembly, limits);
    items.insert(items.end(), {assembly.builder().str(record.name), pickle.copy(pickle.root())});
  }
  archive.warn_of_orphans(assembly, storages.folder, storages.suffix, storages.used);
  if (scripts) {
    assembly.warn({
        {.file = archive.source.name(), .member = archive.path_of(kScripts)},
        "scripted modules, which are not shown"
    });
  }
  return assembly.builder().dict(items);
}

}  // namespace

bool is_package(const ZipArchive& archive) {
  return archive.records().record(".data/extern_modules") != nullptr;
}

std::unique_ptr<Loaded> load_package(std::unique_ptr<ZipArchive> archive, const Limits& limits) {
  const std::shared_ptr<const ZipArchive> kept = std::move(archive);
  Assembly assembly({.file = kept->source.name()}, {.has_pickle = false});
  FileFacts& facts = assembly.facts();
  facts.format = "torch-package";
  facts.bytes = kept->source.size();
  facts.root = kept->records().root();
  const std::string python = kept->text(".data/python_version", assembly);
  facts.writer = "torch.package";
  if (!python.empty()) facts.writer += ", Python " + escape(abbreviate(python, kMostOfVersion));
  facts.has_checksums = kept->zip.has_checksums();
  kept->check_byteorder(assembly);
  kept->warn_all(assembly);
  const NodeId root = read_pickles(*kept, assembly, limits);
  assembly.keep(kept);
  return assembly.finish(root, limits);
}

}  // namespace ptsd::format
