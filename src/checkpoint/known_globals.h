// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "pickle/graph.h"
#include "tensor/dtype.h"

// The globals that ptsd gives a meaning to. Whatever is not listed is kept as it is, by name.

namespace ptsd::checkpoint {

enum class Known : std::uint8_t {
  Unknown,

  // Functions that rebuild tensors.
  RebuildTensor,
  RebuildTensorV2,
  RebuildTensorV3,
  RebuildParameter,
  RebuildParameterWithState,
  RebuildQTensor,
  RebuildSparseTensor,
  RebuildSparseCsrTensor,
  RebuildNestedTensor,
  RebuildNjt,
  RebuildMetaTensor,
  RebuildWrapperSubclass,
  RebuildFromNumpy,
  RebuildFromCpuTensor,
  RebuildFromTypeV2,
  RebuildFromType,

  // Classes of tensors.
  Tensor,
  Parameter,
  Variable,
  TypedTensor,  // torch.FloatTensor and its like, of the 0.x era

  // What else torch pickles.
  StorageClass,
  UntypedStorage,
  DType,
  Size,
  Device,
  GetLayout,
  QScheme,
  LoadFromBytes,

  // Python's containers and values.
  OrderedDict,
  DefaultDict,
  Counter,
  Deque,
  Set,
  FrozenSet,
  Encode,  // _codecs.encode: bytes at protocol 2
  Bytes,
  ByteArray,
  Complex,
  Range,
  Slice,
  Reconstructor,  // copyreg._reconstructor: objects at protocol 0 and 1
  Path,
  Date,
  DateTime,
  TimeDelta,
  Decimal,
  Fraction,
  Uuid,

  // numpy.
  NumpyScalar,
  NumpyReconstruct,
  NumpyFromBuffer,
  NumpyDType,
};

struct KnownGlobal {
  Known what = Known::Unknown;
  tensor::DType dtype = {};  // of StorageClass, DType and TypedTensor
};

// By the spelling of Python 3 (see pickle::canonical). A storage class counts whatever its
// module, as for torch.load.
KnownGlobal find_known(pickle::GlobalName name);

}  // namespace ptsd::checkpoint
