// SPDX-License-Identifier: Apache-2.0
#include "format/open.h"

#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <doctest/doctest.h>

#include "checkpoint/listing.h"
#include "support/refusal.h"
#include "support/zip_assembler.h"
#include "unit/checkpoint/fragments.h"

namespace ptsd::format {
namespace {

namespace fs = std::filesystem;
using namespace test;

// A folder of its own, with a checkpoint of this name in it.
class Folder {
 public:
  explicit Folder(const std::string& name)
      : folder_(fs::temp_directory_path() / ("ptsd-open-" + std::to_string(::getpid()))),
        file_(folder_ / name) {
    fs::create_directory(folder_);
    const Fragment root = dict({
        {text("a"), list({none(), scalar_tensor("0")})}
    });
    std::ofstream(file_, std::ios::binary) << zip()
                                                  .torch_layout()
                                                  .member("m/data.pkl", root + ".")
                                                  .member("m/data/0", "1234")
                                                  .member("m/version", "3")
                                                  .text();
  }
  ~Folder() { fs::remove_all(folder_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string folder() const { return folder_.string(); }
  std::string file() const { return file_.string(); }

 private:
  fs::path folder_;
  fs::path file_;
};

std::string refusal(const Address& address) {
  return refused([&] { const Opened opened(address, Limits{}); });
}

TEST_CASE("a # begins a path unless it is part of a file's name") {
  const Folder here("x#y.pt");
  const Address whole = parse_address(here.file());
  CHECK(whole.file == here.file());
  CHECK(whole.path.empty());
  const Address part = parse_address(here.file() + "#a/1#2");
  CHECK(part.file == here.file());
  CHECK(part.path == "a/1#2");
  const Address missing = parse_address("no-such-file#a");
  CHECK(missing.file == "no-such-file#a");
  CHECK(missing.path.empty());
}

TEST_CASE("a path leads to a value in the checkpoint, or is refused") {
  const Folder here("m.pt");
  const Opened opened({.file = here.file(), .path = "a/1"}, Limits{});
  CHECK(opened.checkpoint().tensors().tensor_of(opened.root()));
  CHECK(refusal({.file = here.file(), .path = "a/2"}) ==
        here.file() + ": nothing at 'a/2' in this checkpoint");
}

TEST_CASE("a directory is named by what is in it") {
  const Folder here("m.pt");
  const auto with = [&](const char* name) {
    std::ofstream(fs::path(here.folder()) / name) << "x";
    return refusal({.file = here.folder(), .path = ""});
  };
  CHECK(refusal({.file = here.folder(), .path = ""}) ==
        here.folder() +
            ": not a checkpoint: a directory without .metadata, an index of parts, a set of parts, "
            "model.safetensors or pytorch_model.bin");
  CHECK(with(".metadata") == here.folder() + "/.metadata: +0x0: byte 0x78 is no pickle opcode");
  with("__0_0.distcp");
  CHECK(refusal({.file = here.folder() + "/__0_0.distcp", .path = ""}) ==
        here.folder() +
            "/__0_0.distcp: a part of a torch.distributed.checkpoint: give its directory, '" +
            here.folder() + "'");
}

}  // namespace
}  // namespace ptsd::format
