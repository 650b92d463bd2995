# SPDX-License-Identifier: Apache-2.0
"""Dicts, lists, tuples and their relatives: order, keys, nesting, sharing, cycles, size."""

import collections
import types

import torch

from registry import add, case


def t(*shape):
    return torch.zeros(*shape)


@case("container")
def nested_kinds():
    return {"list": [t(1), [t(2)]], "tuple": (t(3), (t(4),), ()), "dict": {"d": {"e": t(5)}}}


@case("container")
def a_list_at_the_root():
    return [t(1), "text", t(2), None, [t(3)]]


@case("container")
def a_tuple_at_the_root():
    return (t(1), t(2), t(3), t(4), (t(5), t(6)))


@case("container")
def nothing():
    return {}


@case("container")
def no_tensors():
    return {"a": 1, "b": [None, True, 2.5, "x"], "c": ()}


@case("container")
def only_none():
    return None


@case("container")
def ordered_dict():
    return collections.OrderedDict([("z", t(1)), ("a", t(2)), ("m", t(3))])


@case("container")
def ordered_dict_moved():
    value = collections.OrderedDict([("z", t(1)), ("a", t(2))])
    value.move_to_end("z")
    return value


@case("container")
def ordered_dict_with_attributes():
    value = collections.OrderedDict(a=t(1))
    value.note = "n"
    value.extra = t(2)
    value.more = [t(3), {"k": t(4)}]
    return {"value": value, "after": t(5)}


@case("container")
def default_dict():
    value = collections.defaultdict(list)
    value["b"].append(t(1))
    value["a"] += [t(2), t(3)]
    return value


@case("container")
def default_dict_of_default_dict():
    value = collections.defaultdict(dict)
    value["x"]["y"] = t(1)
    return {"state": value, "factory-none": collections.defaultdict(None, {"k": t(2)})}


@case("container")
def counter():
    return {"counter": collections.Counter("abracadabra"), "x": t(1)}


@case("container")
def counter_of_tensors():
    value = collections.Counter()
    value["a"] = t(1)
    value["b"] = t(2)
    return value


@case("container")
def deque():
    return {"a": collections.deque([t(1), t(2)]), "b": collections.deque([t(3)], maxlen=5)}


Pair = collections.namedtuple("Pair", "first second")


class Named(Pair):
    """A named tuple with a __dict__, hence with arguments and state."""


@case("container")
def named_tuple():
    named = Named(t(3), 4)
    named.extra = t(5)
    return {"plain": Pair(t(1), [t(2)]), "named": named}


@case("container")
def return_types():
    return {"max": torch.max(torch.arange(6.0).reshape(2, 3), dim=0), "x": t(1)}


class MyList(list):
    pass


class MyDict(dict):
    pass


class MyOrdered(collections.OrderedDict):
    pass


class MyTuple(tuple):
    pass


class MyDeque(collections.deque):
    pass


@case("container")
def subclasses():
    a_list = MyList([t(1), t(2)])
    a_dict = MyDict(k=t(3))
    ordered = MyOrdered(k=t(4))
    return {"list": a_list, "dict": a_dict, "ordered": ordered, "tuple": MyTuple((t(5), t(6)))}


@case("container")
def subclasses_with_attributes():
    a_list = MyList([t(1), t(2)])
    a_list.extra = t(3)
    a_dict = MyDict(k=t(4))
    a_dict.extra = [t(5)]
    a_deque = MyDeque([t(6)])
    a_deque.extra = t(7)
    return {"list": a_list, "dict": a_dict, "deque": a_deque}


@case("container")
def sets():
    return {"set": {1, "a", (2, 3)}, "frozen": frozenset("xy"), "empty": set(), "x": t(1)}


@case("container")
def read_only_views_made_plain():
    return {
        "mapping": dict(types.MappingProxyType({"a": t(1)})),
        "chain": collections.ChainMap({"b": t(2)}, {"c": t(3)}),
    }


@case("container")
def user_dict_and_list():
    return {"dict": collections.UserDict(a=t(1)), "list": collections.UserList([t(2)])}


# Keys


@case("key")
def of_many_types():
    return {
        "text": t(1),
        7: t(2),
        -3: t(3),
        2**80: t(4),
        0.5: t(5),
        1e300: t(6),
        float("inf"): t(7),
        None: t(8),
        True: t(9),
        (1, "a"): t(10),
        (2,): t(11),
        (): t(12),
        b"bytes": t(13),
        (None, (0.1, True), b"\x00'"): t(14),
    }


@case("key")
def floats():
    values = [
        0.1,
        1e16,
        1e-5,
        123456789.125,
        1e22,
        5e-324,
        -0.0,
        1.7976931348623157e308,
        100.0,
        1e15,
    ]
    return {value: t(1) for value in values}


@case("key")
def tuples_with_odd_text():
    return {("it's", 'a "b"', "both ' and \""): t(1), ("a/b", "~", "\n", "é", "\x7f"): t(2)}


@case("key")
def int_beside_text():
    return {1: t(1), "1": t(2), "2": t(3), 3: t(4), "01": t(5), -1: t(6), "-1": t(7)}


@case("key")
def text_beside_int_below():
    return {"a": {"0": t(1), 0: t(2)}, "b": {"0": t(3)}, "c": {0: t(4)}}


@case("key")
def ints_at_the_edges():
    edges = [
        0,
        255,
        256,
        65535,
        65536,
        2**31 - 1,
        2**31,
        -1,
        -(2**31),
        -(2**31) - 1,
        2**63,
        -(2**63),
    ]
    return {edge: t(1) for edge in edges}


@case("key")
def huge_ints():
    return {10**300: t(1), -(10**700): t(2)}


@case("key")
def bytes_and_text():
    return {b"": t(1), b"\xff\x00": t(2), b"plain": t(3), "": t(4)}


# Sharing and cycles


@case("sharing")
def one_dict_many_times():
    inner = {"x": t(1), "y": {"z": t(2)}}
    return [inner, inner, {"a": inner, "b": (inner,)}]


@case("sharing")
def one_list_in_two_dicts():
    layers = [t(1), t(2)]
    return {"a": {"layers": layers}, "b": {"layers": layers}, "c": layers}


@case("sharing")
def a_diamond_ten_high():
    node = {"x": t(1)}
    for _ in range(5):
        node = {"l": node, "r": node}
    return node


@case("cycle")
def dict_in_itself():
    value = {"a": t(1)}
    value["self"] = value
    value["z"] = t(2)
    return value


@case("cycle")
def list_in_itself():
    value = [t(1)]
    value += [value, t(2), {"v": value}]
    return value


@case("cycle")
def two_dicts():
    a, b = {"x": t(1)}, {"y": t(2)}
    a["b"], b["a"] = b, a
    return {"a": a, "b": b}


class Node:
    def __init__(self, value):
        self.value = value
        self.other = None


@case("cycle")
def objects():
    a, b = Node(t(1)), Node(t(2))
    a.other, b.other = b, a
    return {"a": a}


@case("cycle")
def a_tuple_in_itself():
    inner = [t(1)]
    value = (inner, t(2))
    inner.append(value)
    return {"value": value}


@case("cycle")
def a_long_tuple_in_itself():
    inner = []
    value = (t(1), inner, t(2), t(3), t(4))
    inner.append(value)
    return value


# Size and depth


def deep(kind, depth):
    value = t(2)
    for level in range(depth):
        value = kind(value, level)
    return value


add("deep/dicts", lambda: deep(lambda v, n: {f"level{n}": v, "x": t(1)}, 50))
add("deep/lists", lambda: deep(lambda v, n: [v, t(1)], 50))
add("deep/tuples", lambda: deep(lambda v, n: (n, v), 60))
add("deep/objects", lambda: deep(lambda v, n: types.SimpleNamespace(inner=v), 50))
add("deep/mixed", lambda: deep(lambda v, n: [{"k": v}, [v], (v,), MyList([v])][n % 4], 50))

for _count in (999, 1000, 1001, 2000, 2001):
    add(f"large/list-{_count}", lambda n=_count: [t(0)] + [0] * (n - 2) + [t(1)])
    add(f"large/dict-{_count}", lambda n=_count: {**{str(i): i for i in range(n - 1)}, "x": t(1)})


@case("large")
def a_long_ordered_dict():
    return collections.OrderedDict((f"layer.{i}.weight", torch.full((2,), i)) for i in range(1300))


@case("large")
def a_long_deque():
    return collections.deque([t(1)] * 1001)


@case("large")
def a_set():
    return {"set": set(range(2500)), "x": t(1)}


@case("large")
def many_storages():
    return [torch.full((1,), float(i)) for i in range(1100)]


@case("large")
def text():
    return {"x" * 70000: t(1), "text": "y" * 300000, "z": t(2)}
