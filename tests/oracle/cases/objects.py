# SPDX-License-Identifier: Apache-2.0
"""Values that are no tensors beside tensors, and tensors inside objects of all kinds."""

import argparse
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import io
import ipaddress
import logging
import operator
import pathlib
import random
import re
import types
import typing
import uuid

import torch

from registry import add, case


def t(*shape):
    return torch.zeros(*shape)


def beside(value):
    return {"before": t(1), "value": value, "after": t(2)}


class Color(enum.Enum):
    RED = 1
    GREEN = "green"


class Level(enum.IntEnum):
    LOW = 0
    HIGH = 300


class Bits(enum.Flag):
    A = 1
    B = 2


class Outer:
    class Inner:
        pass

    @staticmethod
    def method():
        pass


def function(a, b=None):
    return a


VALUES = {
    "none-and-bools": lambda: [None, True, False],
    "ints": lambda: [
        0,
        1,
        255,
        256,
        65535,
        65536,
        2**31 - 1,
        2**31,
        -1,
        -129,
        2**63,
        2**64,
        -(2**63),
    ],
    "huge-ints": lambda: [2**2000, -(2**2000), 10**1000],
    "ints-over-255-bytes": lambda: [2**2040, -(2**5000)],
    "floats": lambda: [0.0, -0.0, 1.5, 1e300, float("inf"), float("-inf"), float("nan"), 5e-324],
    "complex": lambda: [1j, complex(1, -2), complex(float("nan"), float("inf"))],
    "text": lambda: ["", "a", "é", "\x00", "x" * 300, "\ud800"],
    "bytes": lambda: [b"abc", bytes(range(256)), b"x" * 300],
    "empty-bytes": lambda: b"",
    "bytearray": lambda: [bytearray(b"abc"), bytearray(range(256))],
    "empty-bytearray": bytearray,
    "set": lambda: {1, 2, 3},
    "empty-set": set,
    "frozenset": lambda: frozenset([1, 2]),
    "range": lambda: [range(3), range(10, 0, -2)],
    "slice": lambda: [slice(1, 2), slice(None)],
    "ellipsis": lambda: [..., NotImplemented],
    "types": lambda: [int, str, type(None), type, dict, list, object, collections.OrderedDict],
    "functions": lambda: [function, len, print, torch.add, operator.itemgetter(1), str.upper],
    "nested-class": lambda: [Outer.Inner, Outer.Inner(), Outer.method],
    "namespace": lambda: argparse.Namespace(
        lr=0.1, layers=[1, 2], path=pathlib.PurePosixPath("a/b")
    ),
    "simple-namespace": lambda: types.SimpleNamespace(a=1, b="x"),
    "enums": lambda: [Color.RED, Color.GREEN, Level.HIGH, Bits.A | Bits.B],
    "paths": lambda: [
        pathlib.PurePosixPath("/a/b.c"),
        pathlib.PureWindowsPath("C:/x"),
        pathlib.Path("."),
    ],
    "dates": lambda: [
        datetime.date(2024, 2, 29),
        datetime.datetime(2024, 2, 29, 12, 30, 1, 5),
        datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc),
        datetime.time(1, 2, 3),
        datetime.timedelta(days=1, seconds=2),
    ],
    "decimal-and-fraction": lambda: [decimal.Decimal("1.50"), fractions.Fraction(1, 3)],
    "uuid": lambda: uuid.UUID(int=12345),
    "counter": lambda: collections.Counter("hello"),
    "deque": lambda: collections.deque([1, 2], maxlen=3),
    "ordered-dict": lambda: collections.OrderedDict(a=1),
    "partial": lambda: functools.partial(function, 1, b=2),
    "regular-expression": lambda: re.compile("a+", re.IGNORECASE),
    "exceptions": lambda: [ValueError("x", 1), KeyError("k"), OSError(2, "no such file")],
    "torch-size": lambda: [torch.Size([2, 3]), torch.Size([])],
    "torch-device": lambda: [
        torch.device("cpu"),
        torch.device("cuda", 1),
        torch.device("cuda:0"),
        torch.device("meta"),
    ],
    "torch-layout": lambda: [torch.strided, torch.sparse_coo, torch.sparse_csr],
    "torch-qscheme": lambda: [torch.per_tensor_affine, torch.per_channel_affine],
    "random-state": lambda: random.Random(0).getstate(),
    "torch-random-state": lambda: torch.Generator().manual_seed(1).get_state(),
    "bytes-io": lambda: io.BytesIO(b"abc"),
    "ip-address": lambda: ipaddress.ip_address("127.0.0.1"),
    "typing": lambda: [typing.Any, typing.Optional[int], typing.List[str]],
    "itemgetter": lambda: operator.attrgetter("a", "b"),
    "logger": lambda: logging.getLogger("x"),
}

for _name, _value in VALUES.items():
    add(f"value/{_name}", lambda value=_value: beside(value()))
    add(f"value-protocol-4/{_name}", lambda value=_value: beside(value()), protocol=4)


@case("value")
def bare():
    return 42


@case("value")
def bare_text():
    return "no tensors here"


# Tensors inside


@dataclasses.dataclass
class Config:
    width: int
    weight: typing.Any
    parts: typing.List[typing.Any] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class Frozen:
    weight: typing.Any


class Slots:
    __slots__ = ("a", "b", "unset")

    def __init__(self, a, b):
        self.a, self.b = a, b


class SlotsAndDict(Slots):
    def __init__(self, a, b, c):
        super().__init__(a, b)
        self.c = c


class Plain:
    def __init__(self, **attributes):
        self.__dict__.update(attributes)


class StateTuple:
    """Its state is a tuple, which is nobody's attributes."""

    def __init__(self, *parts):
        self.parts = parts

    def __getstate__(self):
        return self.parts

    def __setstate__(self, state):
        self.parts = state


class StateList(StateTuple):
    def __getstate__(self):
        return list(self.parts)


class StateTensor(StateTuple):
    def __getstate__(self):
        return self.parts[0]

    def __setstate__(self, state):
        self.parts = (state,)


class StateIntKeys(StateTuple):
    def __getstate__(self):
        return {0: self.parts[0], "x": self.parts[1]}

    def __setstate__(self, state):
        self.parts = (state[0], state["x"])


class ByArguments:
    def __init__(self, first, second):
        self.first, self.second = first, second

    def __reduce__(self):
        return ByArguments, (self.first, self.second)


class ByArgumentsAndState(ByArguments):
    def __reduce__(self):
        return ByArgumentsAndState, (self.first, self.second), {"extra": self.first}


class ByArgumentsAndItems(list):
    def __init__(self, label):
        super().__init__()
        self.label = label

    def __reduce__(self):
        return ByArgumentsAndItems, (self.label,), None, iter(list(self))


class NewArguments:
    def __new__(cls, weight, *, scale=None):
        self = super().__new__(cls)
        self.weight = weight
        return self

    def __getnewargs_ex__(self):
        return (self.weight,), {"scale": torch.ones(1)}

    def __getstate__(self):
        return {"other": torch.ones(2)}


class NewArgumentsPlain:
    def __new__(cls, weight):
        self = super().__new__(cls)
        self.weight = weight
        return self

    def __getnewargs__(self):
        return (self.weight,)

    def __getstate__(self):
        return None


@case("object")
def namespace():
    return argparse.Namespace(weight=t(1), sub=argparse.Namespace(x=t(2)), lr=0.1)


@case("object")
def simple_namespace():
    return {"ns": types.SimpleNamespace(b=t(1), a=[t(2), {"k": t(3)}])}


@case("object")
def dataclass():
    return {"config": Config(3, t(1), [t(2), Frozen(t(3))])}


@case("object")
def user_class():
    return Plain(first=t(1), second={"k": t(2)}, third=Plain(x=t(3)))


@case("object")
def slots():
    return {"slots": Slots(t(1), [t(2)]), "both": SlotsAndDict(t(3), t(4), t(5))}


@case("object")
def odd_attribute_names():
    value = Plain()
    value.__dict__.update({"a/b": t(1), "~": t(2), "": t(3), "é": t(4)})
    return value


@case("object")
def state_tuple():
    return {"s": StateTuple(t(1), [t(2)])}


@case("object")
def state_list():
    return StateList(t(1), t(2))


@case("object")
def state_tensor():
    return StateTensor(t(1))


@case("object")
def state_with_int_keys():
    return {"s": StateIntKeys(t(1), t(2))}


@case("object")
def arguments():
    return {"a": ByArguments(t(1), {"k": t(2)}), "b": [ByArguments(0, t(3))]}


@case("object")
def arguments_and_state():
    return {"a": ByArgumentsAndState(t(1), t(2))}


@case("object")
def arguments_and_items():
    value = ByArgumentsAndItems(t(1))
    value.extend([t(2), t(3)])
    return {"value": value}


@case("object")
def new_arguments():
    return {"value": NewArgumentsPlain(t(1))}


add("object/new-arguments-by-keyword-protocol-4", lambda: {"v": NewArguments(t(1))}, protocol=4)
add("object/new-arguments-by-keyword", lambda: {"v": NewArguments(t(1))})


@case("object")
def partial():
    return {"p": functools.partial(function, t(1), b=t(2))}


@case("object")
def bound_method():
    return {"m": Plain(w=t(1)).__init__, "x": t(2)}


@case("object")
def exception_with_a_tensor():
    error = ValueError("x", t(1))
    error.extra = t(2)
    return {"error": error, "plain": RuntimeError(t(3))}


@case("object")
def shared_between_objects():
    shared = t(4)
    return {"a": Plain(w=shared), "b": argparse.Namespace(w=shared[1:]), "c": shared}


@case("object")
def in_a_set():
    return {"set": {t(1)}, "x": t(2)}


add("object/in-a-set-protocol-4", lambda: {"set": {t(1)}, "frozen": frozenset([t(2)])}, protocol=4)


class Config2(dict):
    """A dict whose items are its attributes, as many configuration libraries have it."""

    __getattr__ = dict.__getitem__
    __setattr__ = dict.__setitem__

    def __getstate__(self):
        return None


@case("object")
def attribute_dict():
    return Config2(a=t(1), b=Config2(c=t(2)))


for _protocol in (1, 3, 4, 5):
    add(f"object/dataclass-protocol-{_protocol}", dataclass, protocol=_protocol)
    add(f"object/slots-protocol-{max(_protocol, 2)}-{_protocol}", slots, protocol=max(_protocol, 2))
