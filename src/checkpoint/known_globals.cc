// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/known_globals.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <tuple>

namespace ptsd::checkpoint {
namespace {

struct Row {
  std::string_view module;
  std::string_view name;
  Known what;
};

constexpr auto key(const Row& row) {
  return std::tuple(row.module, row.name);
}

constexpr auto kRows = std::to_array<Row>({
    {"_codecs",                              "encode",                                 Known::Encode                   },
    {"builtins",                             "bytearray",                              Known::ByteArray                },
    {"builtins",                             "bytes",                                  Known::Bytes                    },
    {"builtins",                             "complex",                                Known::Complex                  },
    {"builtins",                             "frozenset",                              Known::FrozenSet                },
    {"builtins",                             "range",                                  Known::Range                    },
    {"builtins",                             "set",                                    Known::Set                      },
    {"builtins",                             "slice",                                  Known::Slice                    },
    {"collections",                          "Counter",                                Known::Counter                  },
    {"collections",                          "OrderedDict",                            Known::OrderedDict              },
    {"collections",                          "defaultdict",                            Known::DefaultDict              },
    {"collections",                          "deque",                                  Known::Deque                    },
    {"copyreg",                              "_reconstructor",                         Known::Reconstructor            },
    {"datetime",                             "date",                                   Known::Date                     },
    {"datetime",                             "datetime",                               Known::DateTime                 },
    {"datetime",                             "timedelta",                              Known::TimeDelta                },
    {"decimal",                              "Decimal",                                Known::Decimal                  },
    {"fractions",                            "Fraction",                               Known::Fraction                 },
    {"numpy",                                "dtype",                                  Known::NumpyDType               },
    {"numpy._core.multiarray",               "_reconstruct",                           Known::NumpyReconstruct         },
    {"numpy._core.multiarray",               "scalar",                                 Known::NumpyScalar              },
    {"numpy._core.numeric",                  "_frombuffer",                            Known::NumpyFromBuffer          },
    {"numpy.core.multiarray",                "_reconstruct",                           Known::NumpyReconstruct         },
    {"numpy.core.multiarray",                "scalar",                                 Known::NumpyScalar              },
    {"numpy.core.numeric",                   "_frombuffer",                            Known::NumpyFromBuffer          },
    {"pathlib",                              "PosixPath",                              Known::Path                     },
    {"pathlib",                              "PurePosixPath",                          Known::Path                     },
    {"pathlib",                              "PureWindowsPath",                        Known::Path                     },
    {"pathlib",                              "WindowsPath",                            Known::Path                     },
    {"pathlib._local",                       "PosixPath",                              Known::Path                     },
    {"pathlib._local",                       "PurePosixPath",                          Known::Path                     },
    {"pathlib._local",                       "PureWindowsPath",                        Known::Path                     },
    {"pathlib._local",                       "WindowsPath",                            Known::Path                     },
    {"torch",                                "Size",                                   Known::Size                     },
    {"torch",                                "Tensor",                                 Known::Tensor                   },
    {"torch",                                "device",                                 Known::Device                   },
    {"torch",                                "per_channel_affine",                     Known::QScheme                  },
    {"torch",                                "per_channel_affine_float_qparams",       Known::QScheme                  },
    {"torch",                                "per_channel_symmetric",                  Known::QScheme                  },
    {"torch",                                "per_tensor_affine",                      Known::QScheme                  },
    {"torch",                                "per_tensor_symmetric",                   Known::QScheme                  },
    {"torch._tensor",                        "_rebuild_from_type",                     Known::RebuildFromType          },
    {"torch._tensor",                        "_rebuild_from_type_v2",                  Known::RebuildFromTypeV2        },
    {"torch._utils",                         "_rebuild_device_tensor_from_cpu_tensor", Known::RebuildFromCpuTensor     },
    {"torch._utils",                         "_rebuild_device_tensor_from_numpy",      Known::RebuildFromNumpy         },
    {"torch._utils",                         "_rebuild_meta_tensor_no_storage",        Known::RebuildMetaTensor        },
    {"torch._utils",                         "_rebuild_mlc_tensor",                    Known::RebuildFromNumpy         },
    {"torch._utils",                         "_rebuild_nested_tensor",                 Known::RebuildNestedTensor      },
    {"torch._utils",                         "_rebuild_parameter",                     Known::RebuildParameter         },
    {"torch._utils",                         "_rebuild_parameter_with_state",          Known::RebuildParameterWithState},
    {"torch._utils",                         "_rebuild_qtensor",                       Known::RebuildQTensor           },
    {"torch._utils",                         "_rebuild_sparse_csr_tensor",             Known::RebuildSparseCsrTensor   },
    {"torch._utils",                         "_rebuild_sparse_tensor",                 Known::RebuildSparseTensor      },
    {"torch._utils",                         "_rebuild_tensor",                        Known::RebuildTensor            },
    {"torch._utils",                         "_rebuild_tensor_v2",                     Known::RebuildTensorV2          },
    {"torch._utils",                         "_rebuild_tensor_v3",                     Known::RebuildTensorV3          },
    {"torch._utils",                         "_rebuild_wrapper_subclass",              Known::RebuildWrapperSubclass   },
    {"torch._utils",                         "_rebuild_xla_tensor",                    Known::RebuildFromNumpy         },
    {"torch.autograd.variable",              "Variable",                               Known::Variable                 },
    {"torch.nested._internal.nested_tensor", "_rebuild_njt",                           Known::RebuildNjt               },
    {"torch.nn.parameter",                   "Parameter",                              Known::Parameter                },
    {"torch.serialization",                  "_get_layout",                            Known::GetLayout                },
    {"torch.storage",                        "_load_from_bytes",                       Known::LoadFromBytes            },
    {"uuid",                                 "UUID",                                   Known::Uuid                     },
});
static_assert(std::ranges::is_sorted(kRows, {}, key), "kRows is searched by halves");

struct TypedTensorRow {
  std::string_view name;
  tensor::DType dtype;
};

constexpr auto kTypedTensors = std::to_array<TypedTensorRow>({
    {"BFloat16Tensor", tensor::DType::BFloat16},
    {"BoolTensor",     tensor::DType::Bool    },
    {"ByteTensor",     tensor::DType::UInt8   },
    {"CharTensor",     tensor::DType::Int8    },
    {"DoubleTensor",   tensor::DType::Float64 },
    {"FloatTensor",    tensor::DType::Float32 },
    {"HalfTensor",     tensor::DType::Float16 },
    {"IntTensor",      tensor::DType::Int32   },
    {"LongTensor",     tensor::DType::Int64   },
    {"ShortTensor",    tensor::DType::Int16   },
});

KnownGlobal find_torch_name(std::string_view name) {
  const auto* const typed = std::ranges::find(kTypedTensors, name, &TypedTensorRow::name);
  if (typed != kTypedTensors.end()) return {Known::TypedTensor, typed->dtype};
  // Aliases such as torch.float are never pickled, but mean the same.
  if (const auto dtype = tensor::find_dtype(name)) return {Known::DType, *dtype};
  return {};
}

}  // namespace

KnownGlobal find_known(pickle::GlobalName name) {
  if (name.name == "UntypedStorage" || name.name == "_UntypedStorage") {
    return {.what = Known::UntypedStorage};
  }
  if (const auto dtype = tensor::find_storage_dtype(name.name)) {
    return {Known::StorageClass, *dtype};
  }
  const auto* const row =
      std::ranges::lower_bound(kRows, std::tuple(name.module, name.name), {}, key);
  if (row != kRows.end() && row->module == name.module && row->name == name.name) {
    return {.what = row->what};
  }
  if (name.module == "torch" || name.module == "torch.cuda") return find_torch_name(name.name);
  return {};
}

}  // namespace ptsd::checkpoint
