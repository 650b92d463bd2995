// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checkpoint/fold_context.h"

namespace ptsd::checkpoint {

// Makes a storage of each persistent id. The first id of a key settles its class and size; one
// that claims another is refused: torch would silently read the later tensor as the wrong type.
class StorageFolder {
 public:
  StorageFolder(FoldContext& context, Tensors& tensors) : context_(context), tensors_(tensors) {}

  void fold(pickle::NodeId node);

 private:
  Storage parse(pickle::NodeId node);
  void set_class(Storage& storage, pickle::NodeId cls);
  void check_same(const Storage& first, const Storage& again);

  FoldContext& context_;
  Tensors& tensors_;
};

}  // namespace ptsd::checkpoint
