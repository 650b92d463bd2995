# SPDX-License-Identifier: Apache-2.0
"""Every dtype that a tensor can have in a file, and every storage class."""

import torch

from registry import add, case

# dtype -> the first release whose torch.save takes it.
CLASSIC = """uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64
             complex64 complex128 bool""".split()
LATER = {
    "float8_e5m2": (2, 1),
    "float8_e4m3fn": (2, 1),
    "bits8": (2, 1),
    "bits16": (2, 1),
    "bits1x8": (2, 1),
    "bits2x4": (2, 1),
    "bits4x2": (2, 1),
    "float8_e5m2fnuz": (2, 3),
    "float8_e4m3fnuz": (2, 3),
    "complex32": (2, 3),
    "uint16": (2, 7),
    "uint32": (2, 7),
    "uint64": (2, 7),
    "float8_e8m0fnu": (2, 7),
    "float4_e2m1fn_x2": (2, 8),
}
QUANTIZED = "qint8 quint8 qint32 quint4x2 quint2x4".split()


def dtype_of(name):
    return getattr(torch, name)


def ramp(name, *shape):
    """A tensor of any dtype, its bytes 0, 1, 2, …"""
    dtype = dtype_of(name)
    count = 1
    for size in shape:
        count *= size
    size = torch.empty(0, dtype=dtype).element_size()
    storage = torch.arange(count * size, dtype=torch.uint8)
    if dtype == torch.bool:
        return storage.remainder(2).to(torch.bool).reshape(shape)
    return storage.view(dtype).reshape(shape)


def every_form(name):
    whole = ramp(name, 3, 4)
    return {
        "whole": whole,
        "row": whole[1],
        "columns": whole[:, 1:3],
        "transposed": whole.t(),
        "scalar": ramp(name).reshape(()),
        "empty": ramp(name, 0, 5),
    }


for _name in CLASSIC:
    add(f"dtype/{_name}", lambda name=_name: every_form(name))
for _name, _since in LATER.items():
    add(f"dtype/{_name}", lambda name=_name: every_form(name), since=_since)


def available():
    from registry import TORCH

    return CLASSIC + [name for name, since in LATER.items() if since <= TORCH]


@case("dtype")
def all_in_one():
    return {name: ramp(name, 2, 3) for name in available()}


@case("dtype")
def the_dtypes_themselves():
    return {"dtypes": [dtype_of(name) for name in available() + QUANTIZED], "x": torch.zeros(1)}


@case("dtype", since=(2, 7))
def sub_byte_names_are_only_names():
    names = [f"{sign}int{bits}" for sign in ("u", "") for bits in range(1, 8)]
    return {"names": [dtype_of(name) for name in names], "x": torch.zeros(2)}


@case("dtype", since=(2, 1))
def two_views_through_clones():
    """One storage may not be saved under two dtypes: the second is a copy."""
    base = torch.arange(8, dtype=torch.float32)
    return [base, base.view(torch.int32).clone()]


@case("dtype", since=(2, 7))
def a_v3_tensor_and_its_bytes_share_one_storage():
    base = torch.arange(16, dtype=torch.uint8).view(torch.uint16)
    return {"a": base, "b": base[2:], "c": base.view(torch.float8_e5m2)}


# Storages as values of their own; numel counts elements for the typed ones.
STORAGES = """ByteStorage CharStorage ShortStorage IntStorage LongStorage HalfStorage
              BFloat16Storage FloatStorage DoubleStorage BoolStorage ComplexFloatStorage
              ComplexDoubleStorage""".split()
for _name in STORAGES:
    add(
        f"storage/{_name}",
        lambda name=_name: {
            "storage": getattr(torch, name)(6),
            "tensor": torch.zeros(2, 3, dtype=getattr(torch, name).dtype),
        },
    )


@case("storage")
def typed_and_its_tensor():
    tensor = torch.arange(6.0)
    return {"storage": tensor.storage(), "tensor": tensor, "view": tensor[2:]}


@case("storage", since=(2, 0))
def untyped():
    return {"storage": torch.arange(6.0).untyped_storage(), "tensor": torch.zeros(2)}


@case("storage")
def larger_than_its_tensor():
    return torch.zeros(1000)[10:20]


@case("storage")
def resized_to_nothing():
    tensor = torch.zeros(4)
    tensor.storage().resize_(0)
    return {"x": tensor[:0], "y": torch.ones(2)}
