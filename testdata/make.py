#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the small files of this directory, with real PyTorch.

    python make.py [DIRECTORY]

Each row of FILES names the release that writes it: run this once with PyTorch 2.13 and once with
1.13; each run writes its own rows and leaves the others alone.
"""

import argparse
import collections
import contextlib
import dataclasses
import datetime
import enum
import io
import json
import os
import pathlib
import struct
import sys
import types
import unittest.mock
import warnings

import numpy as np
import torch
from torch import nn

import exports

RELEASE = tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2])
NEW, OLD = "new", "old"
LARGEST = 64 * 1024

# What the pickles name must not depend on how this script was started.
SHAPES = types.ModuleType("shapes")
sys.modules["shapes"] = SHAPES


def in_shapes(class_):
    class_.__module__ = "shapes"
    setattr(SHAPES, class_.__name__, class_)
    return class_


# The weights everything else is made of


def encoder_and_decoder():
    return collections.OrderedDict(
        encoder=nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 16)),
        norm=nn.BatchNorm1d(16, affine=False),
        decoder=nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 10)),
    )


def network():
    return nn.Sequential(encoder_and_decoder())


def model():
    return network().state_dict()


def training():
    net = nn.Sequential(
        collections.OrderedDict(encoder=nn.Linear(6, 8), norm=nn.LayerNorm(8), head=nn.Linear(8, 3))
    )
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=0.01)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=10)
    for _ in range(3):
        optimizer.zero_grad()
        net(torch.randn(4, 6)).square().mean().backward()
        optimizer.step()
    scheduler.step()
    return {
        "epoch": 50,
        "model_state_dict": net.state_dict(),
        "optimizer_state_dict": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
        "loss": 0.0625,
        "args": argparse.Namespace(lr=1e-3, batch_size=4, name="first run", layers=(6, 8, 3)),
    }


def tied():
    embedding = nn.Embedding(12, 8)
    net = nn.ModuleDict(
        {"wte": embedding, "ln_f": nn.LayerNorm(8), "lm_head": nn.Linear(8, 12, bias=False)}
    )
    net["lm_head"].weight = embedding.weight
    return net.state_dict()


def views():
    base = torch.arange(24.0).reshape(4, 6)
    return {
        "base": base,
        "row": base[1],
        "column": base[:, 2],
        "block": base[1:3, 2:5],
        "transposed": base.t(),
        "every_second": base[::2, ::3],
        "expanded": base[:1].expand(5, 6),
        "windows": base.as_strided((5, 4), (2, 1), 3),
        "element": base[3, 5],
        "nothing": base[4:],
        "channels_last": torch.arange(24.0)
        .reshape(1, 2, 3, 4)
        .to(memory_format=torch.channels_last),
    }


def of_dtype(dtype):
    """Six elements whose bytes are 0, 1, 2, …, except for bool."""
    size = torch.empty(0, dtype=dtype).element_size()
    data = torch.arange(6 * size, dtype=torch.uint8)
    return (data % 2).to(torch.bool) if dtype == torch.bool else data.view(dtype)


DTYPES = """uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex32 complex64
            complex128 bool uint16 uint32 uint64 float8_e5m2 float8_e4m3fn float8_e5m2fnuz
            float8_e4m3fnuz float8_e8m0fnu float4_e2m1fn_x2 bits8 bits16 bits1x8 bits2x4
            bits4x2""".split()


def dtypes():
    return {name: of_dtype(getattr(torch, name)) for name in DTYPES}


def values():
    """The numbers that conversions get wrong, in the dtypes that have them."""
    special = [
        0.0,
        -0.0,
        1.0,
        -2.5,
        float("inf"),
        float("-inf"),
        float("nan"),
        1e-40,
        65504.0,
        3e38,
    ]
    floats = torch.tensor(special, dtype=torch.float64)
    return {
        "float64": floats,
        "float32": floats.float(),
        "float16": floats.half(),
        "bfloat16": floats.bfloat16(),
        "float8_e4m3fn": torch.arange(256, dtype=torch.uint8).view(torch.float8_e4m3fn),
        "float8_e5m2": torch.arange(256, dtype=torch.uint8).view(torch.float8_e5m2),
        "int64": torch.tensor([0, -1, 2**63 - 1, -(2**63), 2**53 + 1]),
        "uint64": torch.tensor([0, 2**64 - 1], dtype=torch.uint64),
        "complex64": torch.tensor([1 + 2j, complex(float("nan"), float("-inf"))]),
    }


def quantized():
    x = torch.arange(12.0).reshape(3, 4) / 4
    scales = torch.tensor([0.1, 0.2, 0.3], dtype=torch.float64)
    zeros = torch.zeros(3, dtype=torch.int64)
    rows = torch.tensor([0.1, 0.2, 0.3])
    packed = torch.quantize_per_channel(x, rows, torch.zeros(3), 0, torch.quint4x2)
    return {
        "per_tensor": torch.quantize_per_tensor(x, 0.25, 3, torch.qint8),
        "per_channel": torch.quantize_per_channel(x, scales, zeros, 0, torch.quint8),
        "wide": torch.quantize_per_tensor(x, 0.25, 0, torch.qint32),
        "row": torch.quantize_per_tensor(x, 0.25, 3, torch.quint8)[1],
        "packed": packed,
        "plain": torch.ones(2),
    }


def sparse():
    x = torch.tensor([[0.0, 1, 0, 2], [0, 0, 0, 0], [3, 0, 4, 0], [0, 5, 0, 0]])
    return {
        "coo": x.to_sparse(),
        "csr": x.to_sparse_csr(),
        "csc": x.to_sparse_csc(),
        "bsr": x.to_sparse_bsr((2, 2)),
        "bsc": x.to_sparse_bsc((2, 2)),
        "plain": torch.ones(2),
    }


def nested_tensors():
    return {"nested": torch.nested.nested_tensor([torch.zeros(2, 3), torch.ones(4, 3)])}


def whole_module():
    net = nn.Sequential(
        collections.OrderedDict(
            conv=nn.Conv2d(1, 4, 3),
            norm=nn.BatchNorm2d(4),
            body=nn.Sequential(nn.ReLU(), nn.Conv2d(4, 2, 1, bias=False)),
        )
    )
    net.norm.weight.requires_grad_(False)
    net.register_buffer("mean", torch.zeros(3))
    net.register_buffer("scratch", torch.zeros(2), persistent=False)
    return net


def nested():
    shared = {"w": torch.zeros(2), "b": torch.ones(1)}
    return {
        "list": [torch.zeros(1), [torch.zeros(2), "text"]],
        "tuple": (torch.zeros(3), {"k": torch.zeros(4)}),
        0: {"w": torch.zeros(5)},
        1: {"w": torch.zeros(6)},
        "default": collections.defaultdict(list, {"x": [torch.zeros(7)]}),
        "deque": collections.deque([torch.zeros(8)], maxlen=4),
        "namespace": argparse.Namespace(
            scale=torch.zeros(9), sub=argparse.Namespace(shift=torch.zeros(10))
        ),
        "model": shared,
        "ema": shared,
    }


NAMES = [
    "plain.name", "with space", "a/b", "~tilde~1", "", ".", "quote'\"", "back\\slash",
    "tab\tnewline\n", "\x1b[31mred\x1b[0m", "nul\x00", "\u202etxt.exe", "zero\u200bwidth",
    "größe", "重み", "ключ", "😀", "surrogate\ud800", "*", "[a-z]", "-o", "#", "1", "~state",
]  # fmt: skip


def names():
    tree = {name: torch.full((1,), index) for index, name in enumerate(NAMES)}
    tree[1] = torch.zeros(2)
    tree[-7] = torch.zeros(3)
    tree[0.5] = torch.zeros(4)
    tree[None] = torch.zeros(5)
    tree[False] = torch.zeros(6)
    tree[("layer", 3)] = torch.zeros(7)
    tree[b"bytes"] = torch.zeros(8)
    return tree


def cycle():
    tree = {"weight": torch.zeros(2), "children": []}
    tree["children"].append({"parent": tree, "weight": torch.ones(3)})
    tree["self"] = tree
    inner = [torch.zeros(1)]
    tree["tuple"] = (inner, torch.ones(1))
    inner.append(tree["tuple"])
    return tree


def everything_else():
    """Values that are no tensors, for the protocols that write them in other ways."""
    return {
        "weights": nn.Linear(3, 2).state_dict(),
        "bytes": b"\x00\xff bytes",
        "bytearray": bytearray(b"abc"),
        "set": {1},
        "frozenset": frozenset(["x"]),
        "ints": [0, 255, 256, 65536, -1, 2**31, 2**63, -(2**63), 2**80],
        "floats": [0.5, float("inf"), float("nan"), -0.0],
        "complex": 1 + 2j,
        "range": range(3),
        "slice": slice(1, None, 2),
        "path": pathlib.PurePosixPath("/a/b.pt"),
        "date": datetime.date(2024, 2, 29),
        "device": torch.device("cuda", 1),
        "dtype": torch.bfloat16,
        "size": torch.Size([2, 3]),
        "function": len,
    }


def numpy_values():
    return {
        "weights": torch.zeros(2),
        "best": np.float64(0.25),
        "array": np.arange(6, dtype=np.float32).reshape(2, 3),
        "fortran": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "objects": np.array([1, "a", None], dtype=object),
        "structured": np.zeros(2, dtype=[("id", "<i4"), ("score", "<f8")]),
        "dates": np.array(["2024-02-29"], dtype="datetime64[D]"),
        "dtype": np.dtype("float16"),
    }


@in_shapes
class Labelled(torch.Tensor):
    pass


@in_shapes
class Wrapper(torch.Tensor):
    """Has no storage of its own, as the tensors of quantisation libraries."""

    @staticmethod
    def __new__(cls, data, scale):
        return torch.Tensor._make_wrapper_subclass(cls, data.shape, dtype=torch.float32)

    def __init__(self, data, scale):
        self.inner_data = data
        self.inner_scale = scale

    @classmethod
    def __torch_dispatch__(cls, function, types, arguments=(), options=None):
        raise NotImplementedError(str(function))


def subclass():
    labelled = torch.zeros(2, 3).as_subclass(Labelled)
    labelled.label = "x"
    labelled.scale = torch.ones(1)
    parameter = nn.Parameter(torch.zeros(2))
    parameter.axis = 1
    return {
        "labelled": labelled,
        "wrapper": Wrapper(torch.zeros(2, 3, dtype=torch.int8), torch.ones(2, 1)),
        "parameter": parameter,
        "buffer": nn.Buffer(torch.ones(3)),
        "plain": torch.zeros(1),
    }


@in_shapes
@dataclasses.dataclass
class Config:
    width: int
    weight: torch.Tensor


@in_shapes
class Stage(enum.Enum):
    TRAIN = "train"


def objects():
    pair = in_shapes(collections.namedtuple("Pair", "first second"))
    tree = collections.OrderedDict(weight=torch.zeros(1))
    tree.scale = torch.ones(2)
    return {
        "config": Config(3, torch.zeros(2)),
        "stage": Stage.TRAIN,
        "pair": pair(torch.zeros(3), 4),
        "ordered": tree,
        "namespace": types.SimpleNamespace(x=torch.zeros(4)),
    }


def meta():
    return nn.Linear(4, 3, device="meta").state_dict()


def conj():
    x = torch.tensor([1 + 2j, 3 - 4j, 5j])
    return {
        "plain": x,
        "conj": x.conj(),
        "tail": x.conj()[1:],
        "neg": torch._neg_view(torch.ones(2)),
    }


def parameters():
    return dict(nn.Linear(3, 2).named_parameters())


def before():
    weights = collections.OrderedDict(
        [
            ("encoder.0.weight", torch.randn(64, 10)),
            ("encoder.0.bias", torch.zeros(64)),
            ("encoder.2.weight", torch.randn(64, 64)[:, :16].clone()),
            ("norm.scale", torch.randn(16).half()),
            ("norm.count", torch.tensor(7)),
            ("mask", torch.eye(4).to_sparse()),
            ("head.bias", torch.ones(1)),
        ]
    )
    return {
        "model": weights,
        "epoch": 50,
        "lr": 0.1,
        "seeds": {8, 16},
        "classes": {0: "cat", 1: "dog"},
        "betas": (0.9, 0.999),
    }


def after():
    """What `before` became: a bit of everything is not the same."""
    checkpoint = before()
    weights = checkpoint["model"]
    weights["encoder.0.weight"][3:15, 7] += torch.linspace(1e-6, 3e-3, 12)
    weights["encoder.0.bias"][5:7] = torch.tensor([torch.nan, -0.0])
    weights["encoder.2.weight"] = torch.zeros(64, 128)
    weights["norm.scale"] = weights["norm.scale"].float()
    weights["norm.count"] += 1
    weights["mask"] = (2 * torch.eye(4)).to_sparse()
    del weights["head.bias"]
    weights["classifier.bias"] = torch.ones(10)
    checkpoint.update(epoch=51, seeds={16, 8}, classes={0: "cat", "1": "dog"})
    checkpoint.update(betas=[0.9, 0.95], best=0.25)
    return checkpoint


def optimizer_1_13():
    net = nn.Linear(3, 2)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    net(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    return {"model": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}


@in_shapes
class Scripted(torch.jit.ScriptModule):
    """Made from text: scripted layers of torch.nn would take the paths of their sources along."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(2, 3))
        self.register_buffer("shift", torch.ones(2))
        self.define("def forward(self, x):\n    return x @ self.weight.t() + self.shift\n")


# How they are written


def save(build, **options):
    def write(path):
        torch.save(build(), path, **options)

    return write


@contextlib.contextmanager
def without_crc():
    torch.serialization.set_crc32_options(False)
    try:
        yield
    finally:
        torch.serialization.set_crc32_options(True)


def save_without_crc(path):
    with without_crc():
        torch.save(model_head(), path)


def model_head():
    return nn.Linear(5, 3).state_dict()


def save_to_buffer(path):
    buffer = io.BytesIO()
    torch.save(model_head(), buffer)
    pathlib.Path(path).write_bytes(buffer.getvalue())


def save_script(path):
    torch.jit.save(Scripted(), path)


SAFETENSORS = {torch.float32: "F32", torch.int64: "I64", torch.bfloat16: "BF16"}


def save_safetensors(path, tensors=None):
    tensors = tensors or model_head()
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, tensor in sorted(tensors.items()):
        raw = tensor.contiguous().view(torch.uint8).numpy().tobytes()
        header[name] = {
            "dtype": SAFETENSORS[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    pathlib.Path(path).write_bytes(struct.pack("<Q", len(text)) + text + data)


def save_shards(path):
    """An index beside two shards of one state dict."""
    folder = os.path.dirname(path)
    weights = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2)).state_dict()
    index = {"metadata": {"total_size": sum(t.nbytes for t in weights.values())}, "weight_map": {}}
    for number in (1, 2):
        shard = f"pytorch_model-0000{number}-of-00002.bin"
        part = {k: v for k, v in weights.items() if k.startswith(f"{number - 1}.")}
        torch.save(part, os.path.join(folder, shard))
        index["weight_map"].update(dict.fromkeys(part, shard))
    pathlib.Path(path).write_text(json.dumps(index, indent=2, sort_keys=True) + "\n")


def save_distributed(path):
    import torch.distributed.checkpoint as dcp

    # The pickle keeps the directory's name and a random number.
    folder, name = os.path.split(os.path.dirname(path))
    module = "torch.distributed.checkpoint.filesystem._generate_uuid"
    with contextlib.chdir(folder), unittest.mock.patch(module, lambda: "0" * 8):
        dcp.save({"model": model_head(), "epoch": 3}, checkpoint_id=name, no_dist=True)


def save_text(text):
    return lambda path: pathlib.Path(path).write_text(text)


def save_truncated(path):
    buffer = io.BytesIO()
    torch.save(model_head(), buffer)
    pathlib.Path(path).write_bytes(buffer.getvalue()[:1000])


def save_other_bytes(path):
    """The lowest bit of a weight is not what the checksum says."""
    buffer = io.BytesIO()
    head = model_head()
    torch.save(head, buffer)
    data = bytearray(buffer.getvalue())
    data[data.index(head["weight"].numpy().tobytes())] ^= 1
    pathlib.Path(path).write_bytes(data)


LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 12345\n"

# File, who writes it, how.
FILES = [
    ("model.pt", NEW, save(model)),
    ("training.pt", NEW, save(training)),
    ("tied.pt", NEW, save(tied)),
    ("views.pt", NEW, save(views)),
    ("dtypes.pt", NEW, save(dtypes)),
    ("values.pt", NEW, save(values)),
    ("quantized.pt", NEW, save(quantized)),
    ("sparse.pt", NEW, save(sparse)),
    ("nested_tensor.pt", NEW, save(nested_tensors)),
    ("module.pt", NEW, save(whole_module)),
    ("parameters.pt", NEW, save(parameters)),
    ("nested.pt", NEW, save(nested)),
    ("names.pt", NEW, save(names)),
    ("cycle.pt", NEW, save(cycle)),
    ("objects.pt", NEW, save(objects)),
    ("protocol2.pt", NEW, save(everything_else)),
    ("protocol3.pt", NEW, save(everything_else, pickle_protocol=3)),
    ("protocol4.pt", NEW, save(everything_else, pickle_protocol=4)),
    ("protocol5.pt", NEW, save(everything_else, pickle_protocol=5)),
    ("numpy.pt", NEW, save(numpy_values)),
    ("numpy_protocol5.pt", NEW, save(numpy_values, pickle_protocol=5)),
    ("subclass.pt", NEW, save(subclass)),
    ("meta.pt", NEW, save(meta)),
    ("conj.pt", NEW, save(conj)),
    ("empty.pt", NEW, save(dict)),
    ("tensor.pt", NEW, save(lambda: torch.arange(6.0).reshape(2, 3))),
    ("before.pt", NEW, save(before)),
    ("after.pt", NEW, save(after)),
    ("no_crc.pt", NEW, save_without_crc),
    ("archive.pt", NEW, save_to_buffer),
    ("script.pt", NEW, save_script),
    ("legacy.pt", NEW, save(model_head, _use_new_zipfile_serialization=False)),
    ("legacy_training.pt", NEW, save(training, _use_new_zipfile_serialization=False)),
    ("torch113.pt", OLD, save(optimizer_1_13)),
    ("torch113_module.pt", OLD, save(lambda: nn.Sequential(nn.Conv1d(1, 2, 3), nn.BatchNorm1d(2)))),
    ("torch113_legacy.pt", OLD, save(optimizer_1_13, _use_new_zipfile_serialization=False)),
    ("torch113_script.pt", OLD, save_script),
    ("torch113_csr.pt", OLD, save(lambda: {"csr": torch.eye(3).to_sparse_csr()})),
    ("model.safetensors", NEW, save_safetensors),
    ("sharded/pytorch_model.bin.index.json", NEW, save_shards),
    ("distributed/.metadata", NEW, save_distributed),
    ("package.pt", NEW, exports.save_package),
    ("program.pt2", NEW, exports.save_program),
    ("bad/git-lfs.pt", NEW, save_text(LFS)),
    ("bad/page.pt", NEW, save_text("<!DOCTYPE html>\n<html><body>404</body></html>\n")),
    ("bad/nothing.pt", NEW, save_text("")),
    ("bad/truncated.pt", NEW, save_truncated),
    ("bad/checksum.pt", NEW, save_other_bytes),
]


def main(directory=os.path.dirname(os.path.abspath(__file__))):
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    mine = NEW if RELEASE >= (2, 13) else OLD
    for name, release, write in FILES:
        if release != mine:
            continue
        path = os.path.join(directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        torch.manual_seed(0)
        write(path)
        if os.path.getsize(path) > LARGEST:
            sys.exit(f"{name} is larger than {LARGEST} bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
