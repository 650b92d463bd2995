# SPDX-License-Identifier: Apache-2.0
"""Models, and state dicts to load into them: what `ptsd fit` and PyTorch must judge alike."""

import collections
import dataclasses
import decimal
import fractions
from typing import Any, Callable

import numpy as np
import torch
from torch import nn

CASES = {}


@dataclasses.dataclass
class Case:
    model: Callable[[], nn.Module]
    # What is loaded, made from the model's own state dict.
    state: Callable[[Any], Any]


def add(name, model, state=lambda own: own):
    assert name not in CASES, name
    CASES[name] = Case(model, state)


class Block(nn.Module):
    def __init__(self, size, bias=True):
        super().__init__()
        self.conv = nn.Conv2d(size, size, 3, bias=bias)
        self.norm = nn.BatchNorm2d(size)
        self.act = nn.ReLU()
        self.scale = nn.Parameter(torch.ones(()))


class Net(nn.Module):
    """Parameters of its own, which come before those of its children; buffers of both sorts."""

    def __init__(self, classes=10):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), Block(4))
        self.blocks = nn.ModuleList(Block(4, bias=False) for _ in range(3))
        self.head = nn.Linear(4, classes)
        self.position = nn.Parameter(torch.zeros(1, 4))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self.register_buffer("cache", torch.zeros(3), persistent=False)
        self.register_parameter("absent", None)


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(7, 3)
        self.out = nn.Linear(3, 7, bias=False)
        self.out.weight = self.embed.weight
        self.again = self.embed


class Extra(nn.Module):
    def __init__(self, inner=None):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(2))
        self.first = nn.Linear(2, 2)
        self.inner = inner
        self.last = nn.Linear(2, 2)

    def get_extra_state(self):
        return {"calls": 3}

    def set_extra_state(self, state):
        pass


class Scalars(nn.Module):
    def __init__(self):
        super().__init__()
        self.temperature = nn.Parameter(torch.zeros(()))
        self.one = nn.Parameter(torch.zeros(1))


def wrapped(own, prefix="module."):
    return collections.OrderedDict((prefix + name, value) for name, value in own.items())


def without(*parts):
    def state(own):
        for name in [name for name in own if any(part in name for part in parts)]:
            del own[name]
        return own

    return state


def plus(before=(), **more):
    def state(own):
        new = collections.OrderedDict((name, torch.zeros(2)) for name in before)
        new.update(own)
        new.update((name.replace("__", "."), value) for name, value in more.items())
        return new

    return state


def changed(**values):
    def state(own):
        own.update((name.replace("__", "."), value) for name, value in values.items())
        return own

    return state


def reversed_order(own):
    return collections.OrderedDict(reversed(own.items()))


def linear():
    return nn.Linear(4, 2)


def deep():
    inner = nn.Sequential(nn.Linear(2, 2), nn.Dropout(), nn.Sequential(nn.Linear(2, 3)))
    return nn.Sequential(inner, nn.ReLU(), nn.Linear(3, 1))


# Nothing wrong

add("linear", linear)
add("net", Net)
add("deep", deep)
add("tied", Tied)
add("extra-state", Extra)
add("reversed", Net, reversed_order)
add("other-dtype", linear, lambda own: {name: value.half() for name, value in own.items()})
add("complex", linear, changed(bias=torch.zeros(2, dtype=torch.complex64)))
add("scalar-from-one", Scalars, changed(temperature=torch.zeros(1)))
add("batchnorm-before-2", Net, lambda own: without("num_batches_tracked")(dict(own)))
add("instance-norm", lambda: nn.InstanceNorm2d(3, affine=True, track_running_stats=True))

# Missing and unexpected

add("nothing-but-a-stranger", Net, lambda own: {"stranger": torch.zeros(1)})
add("without-bias", linear, without("bias"))
add("without-a-block", Net, without("blocks.1"))
add("without-norms", Net, without("norm"))
add("without-count", Net, without("num_batches_tracked"))
add("without-own", Net, without("position", "steps"))
add("without-tied", Tied, without("out"))
add("non-persistent", Net, plus(cache=torch.zeros(3)))
add("absent-parameter", Net, plus(absent=torch.zeros(3)))
add("data-parallel", Net, wrapped)
add("compiled", deep, lambda own: wrapped(own, "_orig_mod."))
add("inner-wrapper", deep, lambda own: wrapped(own, "0."))
add("unwrapped", lambda: nn.DataParallel(deep()), lambda own: {k[7:]: v for k, v in own.items()})
add("strangers-everywhere", Net, plus(
    before=["zzz", "stem.1.weight", "blocks.7.conv.weight"],
    blocks__0__act__slope=torch.zeros(1), blocks__0__conv__gain=torch.zeros(1),
    stem__2__norm=torch.zeros(1), stem__0__weight__deep=torch.zeros(1), head=torch.zeros(1),
    position__x=torch.zeros(1), blocks__0=torch.zeros(1), aaa__b__c=torch.zeros(1)))
add("strangers-reversed", Net, lambda own: reversed_order(wrapped(own, "blocks.")))
add("parameterless", deep, plus(
    before=["1.weight", "0.1.p", "0.2.0.u", "0.2.1.v", "0.9"], **{"1": torch.zeros(1)}))
add("odd-names", linear, plus(
    **{"": torch.zeros(1), ".": torch.zeros(1), "bias.": torch.zeros(1), "a..b": torch.zeros(1),
       "with space": torch.zeros(1), "ünïcode": torch.zeros(1), "quo\"te'": torch.zeros(1)}))
add("flat-layers", deep, lambda own: {name.replace("0.2.", "0.3."): v for name, v in own.items()})

# Shapes

add("other-head", lambda: Net(classes=7), lambda own: Net().state_dict())
add("transposed", linear, lambda own: {**own, "weight": own["weight"].t()})
add("other-rank", linear, changed(weight=torch.zeros(8), bias=torch.zeros(2, 1)))
add("scalar-for-one", Scalars, changed(one=torch.zeros(()), temperature=torch.zeros(2)))
add("scalar-from-one-one", Scalars, changed(temperature=torch.zeros(1, 1)))
add("empty", linear, changed(bias=torch.zeros(0)))
add("everything-wrong", Net, lambda own: plus(
    blocks__0__x=torch.zeros(1), y=torch.zeros(1))(
        without("blocks.2", "steps")(changed(head__weight=torch.zeros(1), position="here")(own))))
add("two-mismatches-in-order", Net, changed(
    head__bias=torch.zeros(1), position=torch.zeros(2), stem__0__bias=torch.zeros(9)))

# What is no tensor

for number, value in enumerate([
        5, 2**80, 1.5, None, True, "text", b"bytes", bytearray(b"x"), [1], (1,), {}, {1},
        frozenset({1}), 1j, slice(1), range(3), np.zeros(2), np.float32(1), np.int64(3),
        torch.Size([1]), torch.float32, torch.device("cpu"), collections.OrderedDict(),
        collections.defaultdict(int), collections.Counter("a"), collections.deque([1]),
        decimal.Decimal("1"), fractions.Fraction(1, 2)]):
    add(f"no-tensor-{number}-{type(value).__name__}", linear, changed(bias=value))

# Extra state

add("extra-missing", Extra, without("_extra_state"))
add("extra-of-inner", lambda: Extra(Extra()), without("inner._extra_state"))
add("extra-and-all-missing", lambda: Extra(Extra()), without("_extra_state", "inner", "weight"))
add("extra-is-tensor", Extra, changed(_extra_state=torch.zeros(3)))
add("extra-unexpected", deep, plus(
    before=["0.strange"], _extra_state={}, **{"0._extra_state": torch.zeros(1), "7._extra_state": 5,
                                              "0.2.0._extra_state": {}, "0._extra_state.x": 1}))

# What cannot be copied

ONES = torch.ones(2)
add("meta", linear, changed(bias=torch.ones(2, device="meta")))
add("meta-and-shape", linear, changed(bias=torch.ones(3, device="meta")))
add("meta-scalar", Scalars, changed(temperature=torch.ones(1, device="meta")))
add("quantized", linear, changed(bias=torch.quantize_per_tensor(ONES, 0.1, 0, torch.qint8)))
add("sparse", linear, changed(bias=ONES.to_sparse()))
add("sparse-double", linear, changed(weight=torch.ones(2, 4).double().to_sparse()))
add("sparse-csr", linear, changed(weight=torch.ones(2, 4).to_sparse_csr()))
add("sparse-bsc", linear, changed(weight=torch.ones(2, 4).to_sparse_bsc((1, 2))))
add("bits8", linear, changed(bias=torch.empty(2, dtype=torch.bits8)))
add("float4", linear, changed(bias=torch.empty(2, dtype=torch.float4_e2m1fn_x2)))
for name in ("float8_e4m3fn", "float8_e8m0fnu", "uint16", "bool", "bfloat16", "complex32"):
    add(f"copied-{name}", linear, changed(bias=torch.zeros(2, dtype=getattr(torch, name))))
