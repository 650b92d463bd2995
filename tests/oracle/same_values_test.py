# SPDX-License-Identifier: Apache-2.0
"""same_values.py tells apart what differs in one respect alone.

    python same_values_test.py [new|old]

Runs itself again with the interpreter that has PyTorch.
"""

import argparse
import collections
import os
import subprocess
import sys
import warnings

import interpreters


def pairs():
    """(what differs, one, another)"""
    import numpy as np
    import torch

    base = torch.arange(6.0)
    nan = torch.tensor([0x7FC00000, 0x7FC00001], dtype=torch.int32).view(torch.float32)
    label = torch.zeros(1)
    label.note = 1
    noted = torch.zeros(1)
    noted.note = 2
    with_metadata = collections.OrderedDict(a=1)
    with_metadata._metadata = {"": 1}
    tied = torch.zeros(2)
    one_list = [1]
    yield "nothing at all", None, 0
    yield "the order of keys", {"a": 1, "b": 2}, {"b": 2, "a": 1}
    yield "the type of a dict", {"a": 1}, collections.OrderedDict(a=1)
    yield "the type of a key", {1: 0}, {True: 0}
    yield "the sign of zero", [0.0], [-0.0]
    yield "an attribute of a dict", collections.OrderedDict(a=1), with_metadata
    yield "a list and a tuple", [1], (1,)
    yield "the length", [1], [1, 1]
    yield "one object in two places", [one_list, one_list], [[1], [1]]
    yield "a default factory", collections.defaultdict(int), collections.defaultdict(list)
    yield "an attribute", argparse.Namespace(a=1), argparse.Namespace(a=2)
    yield "a set", {1}, {2}
    yield "a class", [int], [float]
    yield "a dtype", [torch.float16], [torch.bfloat16]
    yield "a float of numpy", np.float64(0.0), np.float64(-0.0)
    yield "an array", np.zeros(2), np.zeros(2, dtype=np.float32)
    yield "the strides of an array", np.zeros((2, 2)), np.zeros((2, 2), order="F")
    yield "requires_grad", torch.zeros(1), torch.zeros(1, requires_grad=True)
    yield "a parameter", torch.nn.Parameter(torch.zeros(1)), torch.zeros(1, requires_grad=True)
    yield "the shape", torch.zeros(2), torch.zeros(1, 2)
    yield "the stride", base.view(2, 3)[:, :2], base.view(3, 2)[:2, :]
    yield "the offset", base[1:2], base[2:3]
    yield "the rest of the storage", base[:2], torch.tensor([0.0, 1, 2, 3, 4, 6])[:2]
    yield "the size of the storage", base[:2], base[:2].clone()
    yield "the bits of NaN", nan[:1].clone(), nan[1:].clone()
    yield "an attribute of a tensor", label, noted
    yield "a missing attribute", label, torch.zeros(1)
    yield "a shared storage", [tied, tied.view(2)], [tied, tied.clone()]
    yield "one tensor twice", [tied, tied], [tied, tied.view(2)]
    yield "conj", torch.zeros(1, dtype=torch.cfloat), torch.zeros(1, dtype=torch.cfloat).conj()
    yield "meta", torch.zeros(1), torch.zeros(1, device="meta")
    yield "sparse values", torch.eye(2).to_sparse(), (2 * torch.eye(2)).to_sparse()
    yield "a scale", *(torch.quantize_per_tensor(base, s, 0, torch.qint8) for s in (1.0, 2.0))


def check():
    import same_values

    warnings.simplefilter("ignore")
    failures = []
    for what, one, other in pairs():
        if same_values.difference(one, other) is None:
            failures.append(f"{what}: not seen")
        for value in (one, other):
            text = same_values.difference(value, value)
            if text:
                failures.append(f"{what}: the same differs: {text}")
    print("\n".join(failures) or "all differences are seen")
    return 1 if failures else 0


def main(which):
    python = interpreters.require(which, "same_values.py")
    return subprocess.run([python, "-B", os.path.abspath(__file__), "--here"]).returncode


if __name__ == "__main__":
    sys.exit(check() if sys.argv[1:] == ["--here"] else main(*sys.argv[1:] or ["new"]))
