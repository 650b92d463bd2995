// SPDX-License-Identifier: Apache-2.0
#include "format/probe.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include <fmt/format.h>

#include "base/quote.h"
#include "format/bare_pickle.h"
#include "format/dcp.h"
#include "format/legacy.h"
#include "format/npy_header.h"
#include "format/npz.h"
#include "format/safetensors.h"
#include "format/safetensors_format.h"
#include "format/shards.h"
#include "format/torch_tar.h"
#include "format/zip_formats.h"

namespace ptsd::format {
namespace {

// The beginning of a file, and its size.
struct Head {
  std::string_view text;
  std::uint64_t size;

  bool has(std::string_view magic, std::size_t at = 0) const {
    return text.size() >= at + magic.size() && text.substr(at, magic.size()) == magic;
  }
  // Without regard to ASCII case or leading white space.
  bool begins_with_word(std::string_view word) const {
    const std::string_view rest =
        text.substr(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    return std::ranges::equal(rest.substr(0, word.size()), word, {}, [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 'a' - 'A') : c;
    });
  }
};

bool is_pickle(const Head& head) {
  return head.text.size() >= 2 && head.text[0] == '\x80' && head.text[1] >= 1 && head.text[1] <= 5;
}

// LONG1 of 10 bytes and STOP.
bool has_legacy_number(const Head& head, std::size_t at) {
  return head.has("\x8a\x0a", at) && head.has(kLegacyMagic, at + 2) &&
         head.has(".", at + 2 + kLegacyMagic.size());
}

// LONG and STOP, at protocol 1.
bool has_legacy_digits(const Head& head) {
  return head.has("L") && head.has(kLegacyMagicDigits, 1) &&
         head.has("L\n.", 1 + kLegacyMagicDigits.size());
}

// The number stands behind PROTO, and from protocol 4 on behind FRAME too.
bool is_legacy(const Head& head) {
  return has_legacy_digits(head) ||
         (is_pickle(head) && (has_legacy_number(head, 2) || has_legacy_number(head, 11)));
}

bool is_safetensors(const Head& head) {
  if (head.size < 8 || head.text.size() < 9 || head.text[8] != '{') return false;
  std::uint64_t length = 0;
  for (std::size_t i = 8; i-- > 0;) {
    length = length << 8 | static_cast<unsigned char>(head.text[i]);
  }
  return length <= kLargestSafetensorsHeader;
}

bool is_json(const Head& head) {
  return head.begins_with_word("{");
}

// Parts cannot name other files: an index in an index would be read for ever.
std::unique_ptr<Loaded> load_part(const Input& input, const Limits& limits) {
  return load(Input{.source = input.source}, limits);
}

std::unique_ptr<Loaded> load_index(const Input& input, const Limits& limits) {
  return load_shard_index(input, limits, load_part);
}

std::unique_ptr<Loaded> load_shards(file::Folder& folder, const Limits& limits) {
  return load_shard_folder(folder, limits, load_part);
}

bool is_html(const Head& head) {
  return head.begins_with_word("<!doctype") || head.begins_with_word("<html") ||
         head.begins_with_word("<?xml") || head.begins_with_word("<head");
}

// "ET12" and the like, the file identifier of its flatbuffer.
bool is_executorch(const Head& head) {
  return head.has("ET", 4) && head.text.size() >= 8 && head.text[6] >= '0' && head.text[6] <= '9' &&
         head.text[7] >= '0' && head.text[7] <= '9';
}

// A ModelProto (onnx.proto): ir_version, a small number, then the text of the producer, the graph
// or the opsets. No pickle begins so: 08 is no opcode.
bool is_onnx(const Head& head) {
  const std::string_view text = head.text;
  if (text.size() < 5 || text[0] != '\x08' || text[1] < 2 || text[1] > 0x20) return false;
  if (text[2] == '\x3a' || text[2] == '\x42') return true;
  return (text[2] == '\x12' || text[2] == '\x1a') && text[3] > 0 && text[4] >= ' ' &&
         text[4] <= '~';
}

// Deflated with a window of 32 KiB, at any level (RFC 1950).
bool is_zlib(const Head& head) {
  return head.text.size() >= 2 && head.text[0] == '\x78' &&
         std::string_view("\x01\x5e\x9c\xda").find(head.text[1]) != std::string_view::npos;
}

// What came before GGUF: a word in the byte order of the writer.
bool is_ggml(const Head& head) {
  return head.has("ggml") || head.has("lmgg") || head.has("fmgg") || head.has("tjgg");
}

// Rows stay apart: who adds one touches no other.
// clang-format off
struct Format {
  bool (*matches)(const Head& head);
  std::unique_ptr<Loaded> (*load)(const Input& input, const Limits& limits);
};

constexpr auto kFormats = std::to_array<Format>({
    {[](const Head& h) { return h.has("PK\x03\x04"); }, load_zip},
    {is_legacy, load_legacy},
    {is_safetensors, load_safetensors},
    {is_json, load_index},
    {[](const Head& h) { return h.has("ustar", 257); }, load_torch_tar},
    {[](const Head& h) { return h.has(kNpyMagic); }, load_npy},
    {is_pickle, load_bare_pickle},
});

// What is none of these, or cannot be read.
struct Other {
  bool (*matches)(const Head& head);
  Error::Kind kind;
  std::string_view what;
};

constexpr auto kUnsupported = Error::Kind::Unsupported;
constexpr auto kMalformed = Error::Kind::Malformed;

constexpr auto kOthers = std::to_array<Other>({
    {[](const Head& h) { return h.size == 0; }, kMalformed, "an empty file"},
    {[](const Head& h) { return h.has("PK\x05\x06"); }, kMalformed, "an empty zip archive"},
    {[](const Head& h) { return h.has("version https://git-lfs"); }, kMalformed,
     "a git-lfs pointer and not the file itself: run git lfs pull"},
    {is_html, kMalformed, "an HTML page and not a checkpoint: the download went wrong"},
    {[](const Head& h) { return h.has("PYTORCH1"); }, kUnsupported,
     "a preview archive of PyTorch 1.0, which PyTorch itself refuses"},
    {[](const Head& h) { return h.has("PTMF", 4); }, kUnsupported,
     "a TorchScript flatbuffer for the lite interpreter: not supported"},
    {is_executorch, kUnsupported, "an ExecuTorch program (.pte), not a checkpoint"},
    {[](const Head& h) { return h.has("TFL3", 4); }, kUnsupported,
     "a TensorFlow Lite model, not a PyTorch checkpoint"},
    {[](const Head& h) { return h.has("\x08\x01\x12"); }, kUnsupported,
     "a TensorFlow SavedModel (or another protobuf), not a PyTorch checkpoint"},
    {is_onnx, kUnsupported, "an ONNX model, not a PyTorch checkpoint"},
    {[](const Head& h) { return h.has("\x1f\x8b"); }, kUnsupported, "a gzip file: unpack it first"},
    {[](const Head& h) { return h.has("7z\xbc\xaf\x27\x1c"); }, kUnsupported,
     "a 7z archive: unpack it first"},
    {[](const Head& h) { return h.has("\xfd" "7zXZ"); }, kUnsupported, "an xz file: unpack it first"},
    {[](const Head& h) { return h.has("BZh"); }, kUnsupported, "a bzip2 file: unpack it first"},
    {[](const Head& h) { return h.has("\x28\xb5\x2f\xfd"); }, kUnsupported,
     "a Zstandard file: unpack it first"},
    {[](const Head& h) { return h.has("\x04\x22\x4d\x18"); }, kUnsupported,
     "an LZ4 file: unpack it first"},
    {is_zlib, kUnsupported, "a zlib stream: unpack it first"},
    {[](const Head& h) { return h.has("Rar!"); }, kUnsupported, "a RAR archive: unpack it first"},
    {[](const Head& h) { return h.has("\x89HDF\r\n\x1a\n"); }, kUnsupported,
     "an HDF5 file (Keras?), not a PyTorch checkpoint"},
    {[](const Head& h) { return h.has("GGUF"); }, kUnsupported,
     "a GGUF file, not a PyTorch checkpoint"},
    {is_ggml, kUnsupported, "a GGML file, not a PyTorch checkpoint"},
    {[](const Head& h) { return h.has("\x7f" "ELF"); }, kMalformed, "a program (ELF), not a checkpoint"},
});

struct FolderFormat {
  bool (*matches)(const file::Folder& folder);
  std::unique_ptr<Loaded> (*load)(file::Folder& folder, const Limits& limits);  // null: cannot
  std::string_view what;                                                        // then
};

constexpr auto kFolders = std::to_array<FolderFormat>({
    {is_dcp, load_dcp, {}},
    {holds_dcp_shards, nullptr,
     "shards of torch.distributed.checkpoint in the form of Hugging Face: not supported, "
     "consolidate them first"},
    {holds_shards, load_shards, {}},
    {[](const file::Folder& f) { return f.has("saved_model.pb"); }, nullptr,
     "a TensorFlow SavedModel, not a PyTorch checkpoint"},
});
// clang-format on

constexpr std::size_t kHeadSize = 4096;

[[noreturn]] void fail_folder(const file::Folder& folder, std::string message) {
  throw Error(Error::Kind::Unsupported, {.file = folder.path()}, std::move(message));
}

std::string unknown(const ByteSource& source, const Head& head) {
  // A zip is found from its end; torch.load looks at the beginning.
  constexpr std::uint64_t kEndRecordSize = 22;
  if (source.size() > kEndRecordSize) {
    const auto tail = source.read(source.size() - kEndRecordSize, kEndRecordSize);
    if (as_text(tail).starts_with("PK\x05\x06")) {
      return "a zip archive behind other bytes, which torch.load does not read";
    }
  }
  constexpr std::string_view kTableMagic = "\x57\xfb\x80\x8b\x24\x75\x47\xdb";
  if (source.size() > kTableMagic.size()) {
    const auto tail = source.read(source.size() - kTableMagic.size(), kTableMagic.size());
    if (as_text(tail) == kTableMagic) {
      return "the index of a TensorFlow checkpoint, not a PyTorch checkpoint";
    }
  }
  std::string bytes;
  for (const char c : head.text.substr(0, 8)) {
    bytes += fmt::format(" {:02x}", static_cast<unsigned char>(c));
  }
  return fmt::format("not a checkpoint of a known format: begins with{}", bytes);
}

}  // namespace

std::unique_ptr<Loaded> load(const Input& input, const Limits& limits) {
  const ByteSource& source = input.source;
  const auto bytes = source.read(0, std::min<std::uint64_t>(source.size(), kHeadSize));
  const Head head = {.text = as_text(bytes), .size = source.size()};
  const auto* const format =
      std::ranges::find_if(kFormats, [&](const Format& row) { return row.matches(head); });
  if (format != kFormats.end()) return format->load(input, limits);
  const auto* const other =
      std::ranges::find_if(kOthers, [&](const Other& row) { return row.matches(head); });
  if (other != kOthers.end()) source.fail(other->kind, std::string(other->what));
  if (is_bare_pickle(source, limits)) return load_bare_pickle(input, limits);
  source.fail(Error::Kind::Malformed, unknown(source, head));
}

std::unique_ptr<Loaded> load_folder(file::Folder& folder, const Limits& limits) {
  const auto* const format =
      std::ranges::find_if(kFolders, [&](const FolderFormat& row) { return row.matches(folder); });
  if (format == kFolders.end()) {
    fail_folder(
        folder,
        "not a checkpoint: a directory without .metadata, an index of parts, a set of parts, "
        "model.safetensors or pytorch_model.bin");
  }
  if (format->load == nullptr) fail_folder(folder, std::string(format->what));
  return format->load(folder, limits);
}

std::unique_ptr<Loaded> load_set(file::Folder& folder, std::string_view set_name,
                                 const Limits& limits) {
  return load_shard_set(folder, set_name, limits, load_part);
}

}  // namespace ptsd::format
