# SPDX-License-Identifier: Apache-2.0
"""Quantised tensors in every form, and the layers made of them."""

import torch
from torch import nn

from registry import add, case


def values():
    return torch.arange(12.0).reshape(3, 4) / 4


def per_tensor(dtype):
    return torch.quantize_per_tensor(values(), 0.25, 3 if dtype != torch.qint32 else 0, dtype)


def per_channel(dtype, axis=0):
    size = values().shape[axis]
    scales = torch.linspace(0.1, 0.3, size, dtype=torch.float64)
    return torch.quantize_per_channel(
        values(), scales, torch.zeros(size, dtype=torch.int64), axis, dtype
    )


def float_qparams(dtype):
    scales = torch.tensor([0.1, 0.2, 0.3])
    return torch.quantize_per_channel(values(), scales, torch.tensor([0.0, 0.5, 1.0]), 0, dtype)


for _name in ("qint8", "quint8", "qint32"):
    _dtype = getattr(torch, _name)
    add(f"quantized/per-tensor-{_name}", lambda dtype=_dtype: per_tensor(dtype))
    add(
        f"quantized/per-channel-{_name}",
        lambda dtype=_dtype: {"q": per_channel(dtype), "p": torch.zeros(1)},
    )
add("quantized/per-channel-axis-1", lambda: {"q": per_channel(torch.qint8, 1)})
add("quantized/float-qparams-quint8", lambda: {"q": float_qparams(torch.quint8)})
add("quantized/float-qparams-quint4x2", lambda: {"q": float_qparams(torch.quint4x2)})


def packed():
    return {
        "int4": torch._empty_affine_quantized(
            [2, 4], scale=0.1, zero_point=0, dtype=torch.quint4x2
        ),
        "int2": torch._empty_affine_quantized(
            [2, 8], scale=0.1, zero_point=0, dtype=torch.quint2x4
        ),
    }


add("quantized/packed", packed)


@case("quantized")
def views():
    q = per_tensor(torch.qint8)
    return {"whole": q, "row": q[1], "transposed": q.t(), "columns": q[:, 1:], "element": q[0, 0]}


@case("quantized")
def sharing_scales():
    scales = torch.tensor([0.1, 0.2, 0.3], dtype=torch.float64)
    zeros = torch.zeros(3, dtype=torch.int64)
    q = torch.quantize_per_channel(values(), scales, zeros, 0, torch.qint8)
    return {"a": q, "b": q, "scales": q.q_per_channel_scales(), "own": scales}


@case("quantized")
def in_a_parameter():
    return {"p": nn.Parameter(per_tensor(torch.qint8), requires_grad=False)}


@case("quantized")
def with_an_attribute():
    q = per_tensor(torch.quint8)
    q.note = torch.ones(1)
    return {"q": q}


def quantized_layers():
    from torch.ao.nn import quantized as nnq
    from torch.ao.nn.quantized import dynamic as nnqd

    def weight(size):
        return nn.Parameter(torch.ones(size))

    return {
        "linear": lambda: nnq.Linear(4, 3),
        "conv2d": lambda: nnq.Conv2d(2, 3, 3),
        "conv1d": lambda: nnq.Conv1d(2, 3, 3),
        "conv-transpose2d": lambda: nnq.ConvTranspose2d(2, 3, 3),
        "embedding": lambda: nnq.Embedding(8, 4),
        "embedding-bag": lambda: nnq.EmbeddingBag(8, 4),
        "quantize": lambda: nnq.Quantize(0.1, 2, torch.quint8),
        "layer-norm": lambda: nnq.LayerNorm([3], weight(3), weight(3), 0.1, 0),
        "batch-norm2d": lambda: nnq.BatchNorm2d(3),
        "group-norm": lambda: nnq.GroupNorm(2, 4, weight(4), weight(4), 0.1, 0),
        "prelu": lambda: nnq.PReLU(0.1, 0),
        "float-functional": nnq.QFunctional,
        "dynamic-linear": lambda: nnqd.Linear(4, 3),
        "dynamic-lstm": lambda: nnqd.LSTM(3, 2),
        "dynamic-gru-cell": lambda: nnqd.GRUCell(3, 2),
    }


def using_an_engine(build):
    torch.backends.quantized.engine = "qnnpack"
    return build()


LAYERS = """linear conv2d conv1d conv-transpose2d embedding embedding-bag quantize layer-norm
            batch-norm2d group-norm prelu float-functional dynamic-linear dynamic-lstm
            dynamic-gru-cell""".split()

for _name in LAYERS:
    add(
        f"quantized-layer/{_name}",
        lambda name=_name: using_an_engine(lambda: quantized_layers()[name]().state_dict()),
    )
    add(
        f"quantized-module/{_name}",
        lambda name=_name: using_an_engine(lambda: quantized_layers()[name]()),
    )


@case("quantized-layer")
def fake_quantize():
    from torch.ao.quantization import FakeQuantize, MinMaxObserver, PerChannelMinMaxObserver

    return {
        "fake": FakeQuantize().state_dict(),
        "observer": MinMaxObserver().state_dict(),
        "channels": PerChannelMinMaxObserver().state_dict(),
    }


@case("quantized-layer")
def dynamically_quantized_model():
    def build():
        net = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
        return torch.ao.quantization.quantize_dynamic(
            net, {nn.Linear}, dtype=torch.qint8
        ).state_dict()

    return using_an_engine(build)
