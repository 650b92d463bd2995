// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "file/folder.h"
#include "file/input_file.h"
#include "format/loaded.h"

namespace ptsd::format {

// FILE or FILE#PATH on the command line: a file, and the subtree of it that counts. A directory,
// and all parts of a set (is_set_name()), stand for the one checkpoint in them. In a path
// "~state_dict", which no key can spell, is the state dict of the pickled module before it.
struct Address {
  std::string file;
  std::string path;  // empty: the whole checkpoint
};

// A "#" that is part of an existing file's name is not the beginning of a path.
Address parse_address(const std::string& text);

// A checkpoint opened from disk, with the files it lies in.
class Opened {
 public:
  // Throws what load() and add_module_state() do, and Error::Usage for a path that leads nowhere.
  Opened(const Address& address, const Limits& limits);

  const Loaded& loaded() const { return *loaded_; }
  const checkpoint::Checkpoint& checkpoint() const { return loaded_->checkpoint(); }
  checkpoint::Checkpoint& checkpoint() { return loaded_->checkpoint(); }
  // At least one.
  std::vector<const file::InputFile*> files() const { return folder_.opened(); }
  // One that the checkpoint lies in, by its name in their folder.
  const file::InputFile& file(std::string_view name) const { return folder_.get(name); }
  const Address& address() const { return address_; }
  // The value that the address names.
  pickle::NodeId root() const { return root_; }
  // Whether that is a pickled torch.nn.Module, and then its state dict instead.
  bool is_module() const;
  void enter_module();
  // Throws Error::Io if a file changed since it was opened.
  void check_unchanged() const;

 private:
  void enter(std::string_view path);

  Address address_;
  file::Folder folder_;
  std::unique_ptr<Loaded> loaded_;
  pickle::NodeId root_{};
};

}  // namespace ptsd::format
