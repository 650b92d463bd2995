# SPDX-License-Identifier: Apache-2.0
"""numpy's scalars, arrays and random states beside tensors."""

import numpy as np
import torch

from registry import add


def structured():
    return np.zeros(2, dtype=[("a", "<i4"), ("b", "<f8", (2,)), ("c", "U3")])


VALUES = {
    "float-scalar": lambda: np.float64(0.25),
    "scalars": lambda: [
        np.float32(1),
        np.int64(2),
        np.uint8(3),
        np.bool_(True),
        np.complex128(1j),
        np.float16(4),
    ],
    "text-scalars": lambda: [np.str_("é"), np.bytes_(b"x")],
    "dates": lambda: [np.datetime64("2024-02-29"), np.timedelta64(3, "D"), np.datetime64("NaT")],
    "array": lambda: np.arange(6.0).reshape(2, 3),
    "integers": lambda: np.arange(300, dtype=np.int16),
    "bools": lambda: np.array([True, False]),
    "fortran": lambda: np.asfortranarray(np.arange(6).reshape(2, 3)),
    "strided": lambda: np.arange(12).reshape(3, 4)[::2, 1::2],
    "empty": lambda: np.zeros((0, 3)),
    "scalar-array": lambda: np.array(3),
    "big-endian": lambda: np.arange(3, dtype=">i4"),
    "text-array": lambda: np.array(["a", "bcd", "é"]),
    "bytes-array": lambda: np.array([b"a", b"bc"]),
    "objects": lambda: np.array([1, "a", None, {"k": [1]}], dtype=object),
    "structured": structured,
    "structured-scalar": lambda: structured()[0],
    "dates-array": lambda: np.array(["2024-01-01", "NaT"], dtype="datetime64[ns]"),
    "dtypes": lambda: [np.dtype("float32"), np.dtype(">i8"), np.dtype([("a", "i4")])],
    "types": lambda: [np.float32, np.ndarray],
    "random-state": lambda: np.random.RandomState(0).get_state(),
    "random-state-object": lambda: np.random.RandomState(0),
    "generator": lambda: np.random.default_rng(0),
    "masked": lambda: np.ma.array([1, 2, 3], mask=[0, 1, 0]),
}

for _name, _value in VALUES.items():
    for _protocol in (2, 4, 5):
        add(
            f"numpy/{_name}" + ("" if _protocol == 2 else f"-protocol-{_protocol}"),
            lambda value=_value: {
                "before": torch.zeros(1),
                "value": value(),
                "after": torch.ones(2),
            },
            protocol=_protocol,
        )
