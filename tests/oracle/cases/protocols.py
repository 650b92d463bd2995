# SPDX-License-Identifier: Apache-2.0
"""The same checkpoints through every pickle protocol."""

import argparse
import collections

import torch
from torch import nn

from registry import TORCH, add


def training():
    net = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.ones(2, 3)).sum().backward()
    optimizer.step()
    return {
        "model": net.state_dict(),
        "optimizer": optimizer.state_dict(),
        "epoch": 3,
        "loss": 0.125,
        "args": argparse.Namespace(lr=0.1),
    }


def many_strings():
    return {f"layer.{i}.weight": torch.full((1,), i) for i in range(300)}


def odd_values():
    return {
        "bytes": b"x" * 300,
        "bytearray": bytearray(b"abc"),
        "set": {1, 2},
        "frozen": frozenset([3]),
        "empty": [set(), frozenset(), b"", bytearray(), "", (), [], {}],
        "int": [2**70, -(2**70), 2**2100],
        "tuple": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
        "counter": collections.Counter(a=1),
        "x": torch.zeros(1),
    }


def large():
    return {"x" * 100_000: torch.zeros(1), "bytes": b"y" * 100_000, "z": [torch.zeros(2)] * 3}


def tied():
    x = torch.zeros(4)
    inner = {"x": x, "y": x[1:]}
    return {"a": inner, "b": inner, "c": [x, inner]}


SHAPES = {
    "training": training,
    "many-strings": many_strings,
    "odd-values": odd_values,
    "large": large,
    "tied": tied,
    "parameter": lambda: nn.Parameter(torch.zeros(2)),
    "sparse": lambda: torch.eye(2).to_sparse(),
    "quantized": lambda: torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8),
    "meta": lambda: [torch.empty(2, device="meta"), torch.zeros(1)],
}

for _name, _build in SHAPES.items():
    for _protocol in (1, 2, 3, 4, 5):
        add(f"protocol-{_protocol}/{_name}", _build, protocol=_protocol)

if TORCH >= (2, 7):
    for _protocol in (1, 3, 4, 5):
        add(
            f"protocol-{_protocol}/v3-dtypes",
            lambda: [torch.zeros(2).to(torch.float8_e5m2), torch.zeros(3, dtype=torch.uint16)],
            protocol=_protocol,
        )
