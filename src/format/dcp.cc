// SPDX-License-Identifier: Apache-2.0
#include "format/dcp.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/quote.h"
#include "format/assembly.h"
#include "format/dcp_chunk.h"
#include "format/dcp_metadata.h"
#include "format/dcp_ranks.h"
#include "format/tiled_bytes.h"
#include "format/torch_zip.h"

namespace ptsd::format {

using pickle::NodeId;

namespace {

constexpr std::string_view kMetadata = ".metadata";

[[noreturn]] void fail_entry(const Where& where, const DcpEntry& entry, std::string_view message,
                             Error::Kind kind = Error::Kind::Malformed) {
  throw Error(kind, where, fmt::format("{}: {}", quote(entry.name), message));
}

// A file of a rank whose items came to no .metadata of all: "__3.metadata".
bool is_metadata_of_rank(std::string_view name) {
  return name.starts_with("__") && name.ends_with(kMetadata);
}

bool is_part(std::string_view name) {
  return name.ends_with(".distcp");
}

// That of all ranks, or those of each, in the order of their numbers.
std::vector<std::string> metadata_files(const file::Folder& folder) {
  if (folder.has(kMetadata)) return {std::string(kMetadata)};
  std::vector<std::string> names = folder.names();
  std::erase_if(names, [](const std::string& name) { return !is_metadata_of_rank(name); });
  // __2 before __10
  std::ranges::stable_sort(names, {}, [](const std::string& name) { return name.size(); });
  return names;
}

class Directory {
 public:
  Directory(file::Folder& folder, const Limits& limits)
      : folder_(folder),
        limits_(limits),
        assembly_({.file = folder.path()}, {.format = "dcp", .has_pickle = false}) {}

  std::unique_ptr<Loaded> load() {
    where_ = {.file = folder_.path()};
    const std::vector<std::string> files = metadata_files(folder_);
    for (const std::string& name : files) {
      read_metadata(folder_.open(name));
    }
    check_tiles();
    check_items(ranks_.entries());
    NestedObjects objects(where_, limits_, ranks_.entries().size());
    for (const DcpEntry& entry : ranks_.entries()) {
      add(objects, entry, entry.is_tensor ? tensor(entry) : value(entry));
    }
    add_facts(files.size());
    add_warnings(files.size());
    return assembly_.finish(objects.build(assembly_.builder()), limits_);
  }

 private:
  struct Placed {
    const DcpEntry* entry;
    const DcpItem* item;
  };

  void read_metadata(const file::InputFile& file) {
    if (file.size() > limits_.pickle_bytes) {
      file.fail(Error::Kind::Limit,
                fmt::format("a pickle of {} bytes (--limit pickle-bytes=N)", file.size()));
    }
    const std::vector<std::byte> stream = file.read(0, file.size());
    const checkpoint::Checkpoint metadata(stream, {.file = file.name()}, limits_);
    for (const Warning& warning : metadata.warnings()) {
      assembly_.warn(warning);
    }
    if (const std::uint64_t more = stream.size() - metadata.pickle().size; more > 0) {
      assembly_.warn({
          {.file = file.name(), .offset = metadata.pickle().size},
          fmt::format("{} bytes after the end of the pickle", more)
      });
    }
    ranks_.add(read_dcp_metadata(metadata, names_), {.file = file.name()});
  }

  void check_tiles() const {
    for (const DcpEntry& entry : ranks_.entries()) {
      if (!entry.is_tensor) continue;
      const auto fault = Tiling::find_fault(entry.shape, entry.chunks);
      if (fault) fail_entry(where_, entry, *fault);
    }
  }

  // Every item lies in its file, and none in another: so there is no more to read than there are
  // bytes.
  void check_items(const std::vector<DcpEntry>& entries) {
    std::vector<Placed> items;
    for (const DcpEntry& entry : entries) {
      for (const DcpItem& item : entry.items) {
        check_item(entry, item);
        items.push_back({&entry, &item});
      }
    }
    std::ranges::stable_sort(items, [](const Placed& one, const Placed& other) {
      return std::tie(one.item->path, one.item->offset) <
             std::tie(other.item->path, other.item->offset);
    });
    for (std::size_t i = 1; i < items.size(); ++i) {
      const DcpItem& last = *items[i - 1].item;
      const DcpItem& next = *items[i].item;
      if (last.path != next.path || next.offset - last.offset >= last.length) continue;
      fail_entry(where_, *items[i].entry,
                 fmt::format("its item at {:#x} of {} overlaps that of {}", next.offset,
                             quote(next.path), quote(items[i - 1].entry->name)));
    }
  }

  void check_item(const DcpEntry& entry, const DcpItem& item) {
    const file::InputFile& file = folder_.open(item.path, kMetadata);
    if (item.offset > file.size() || item.length > file.size() - item.offset) {
      fail_entry(where_, entry,
                 fmt::format("{} bytes at {:#x} of {}, which has {}", item.length, item.offset,
                             quote(item.path), file.size()));
    }
  }

  NodeId tensor(const DcpEntry& entry) {
    const tensor::DTypeInfo& info = tensor::info(entry.dtype);
    if (info.elements_per_item != 1) {
      fail_entry(where_, entry, fmt::format("packed elements of {}", info.name),
                 Error::Kind::Unsupported);
    }
    std::vector<DcpChunk> chunks;
    for (std::size_t i = 0; i < entry.chunks.size(); ++i) {
      const DcpItem& item = entry.items[i];
      const std::uint64_t bytes = tensor::byte_count(entry.chunks[i].sizes, entry.dtype).value();
      if (bytes > item.length) {
        fail_entry(where_, entry,
                   fmt::format("an item of {} bytes for a chunk of {}", item.length, bytes));
      }
      chunks.push_back({.file = folder_.open(item.path, kMetadata),
                        .offset = item.offset,
                        .length = item.length,
                        .subject = quote(entry.name),
                        .dtype = entry.dtype,
                        .shape = entry.chunks[i].sizes});
    }
    OpenTile open = [chunks = std::move(chunks), limits = limits_](std::size_t tile) {
      return open_chunk(chunks[tile], limits);
    };
    return assembly_.tensor(
        entry.dtype, entry.shape,
        std::make_unique<TiledBytes>(folder_.path(), info.item_size,
                                     Tiling(entry.shape, entry.chunks), std::move(open)));
  }

  NodeId value(const DcpEntry& entry) {
    const DcpItem& item = entry.items[0];
    const auto archive =
        std::make_shared<RangeSource>(folder_.open(item.path, kMetadata), item.offset, item.length);
    assembly_.keep(archive);
    if (!begins_as_zip(*archive)) fail_entry(where_, entry, no_archive(item));
    return assembly_.adopt(load_torch_zip(Input{.source = *archive}, limits_));
  }

  static std::string no_archive(const DcpItem& item) {
    return fmt::format("its item at {:#x} of {} is no archive of torch.save", item.offset,
                       quote(item.path));
  }

  void add(NestedObjects& objects, const DcpEntry& entry, NodeId value) const {
    if (const auto fault = objects.set(entry.path, value)) {
      fail_entry(where_, entry, fmt::format("at {}: {}", quote(to_string(entry.path)), *fault));
    }
  }

  void add_facts(std::size_t metadata_files) {
    FileFacts& facts = assembly_.facts();
    const std::vector<const file::InputFile*> opened = folder_.opened();
    for (const file::InputFile* file : opened) {
      facts.bytes += file->size();
    }
    const std::size_t files = opened.size() - metadata_files;
    facts.writer =
        fmt::format("torch.distributed.checkpoint, {} file{}", files, files == 1 ? "" : "s");
  }

  // What is in the directory and not shown.
  void add_warnings(std::size_t metadata_files) {
    const Where here = {.file = folder_.path()};
    if (ranks_.repeated() > 0) {
      assembly_.warn(
          {here, fmt::format("{} chunks and values are in several of {} ranks, and taken "
                             "of the first that has them",
                             ranks_.repeated(), metadata_files)});
    }
    const std::vector<std::string> names = folder_.names();
    const auto files = static_cast<std::size_t>(
        std::ranges::count_if(names, [](const std::string& name) { return is_part(name); }));
    const std::size_t used = folder_.opened().size() - metadata_files;
    if (files > used) {
      assembly_.warn({here, fmt::format("the metadata names {} of {} .distcp files", used, files)});
    }
  }

  file::Folder& folder_;
  Limits limits_;
  Assembly assembly_;
  FileNames names_;
  DcpRanks ranks_;
  Where where_;
};

}  // namespace

bool is_dcp(const file::Folder& folder) {
  return folder.has(kMetadata) || std::ranges::any_of(folder.names(), [](const std::string& name) {
           return name == ".metadata.tmp" || is_part(name) || is_metadata_of_rank(name);
         });
}

bool is_part_of_dcp(const file::Folder& folder, std::string_view name) {
  return folder.has(kMetadata) && (name == kMetadata || is_part(name));
}

std::unique_ptr<Loaded> load_dcp(file::Folder& folder, const Limits& limits) {
  if (!metadata_files(folder).empty()) return Directory(folder, limits).load();
  folder.fail(Error::Kind::Unsupported, "an incomplete torch.distributed.checkpoint: no .metadata");
}

}  // namespace ptsd::format
