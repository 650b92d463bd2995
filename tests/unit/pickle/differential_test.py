# SPDX-License-Identifier: Apache-2.0
"""Compares the graphs that ptsd reads from pickles with the objects that CPython loads.

usage: differential_test.py DUMP_GRAPH [SEED [COUNT]], the seed else from PTSD_SEED

First random objects, written by both of CPython's picklers in every protocol: the graph must be
the objects, sharing included. Then the opcodes of such pickles shuffled: whatever one side reads
and the other refuses must have a reason that is listed here.
"""

import collections
import copyreg
import io
import os
import pickle
import pickletools
import random
import re
import struct
import subprocess
import sys
import tempfile

# Objects to pickle.


class Plain:
    pass


class Slotted:
    __slots__ = ("a", "b")

    def __getstate__(self):
        return None, {name: getattr(self, name) for name in self.__slots__ if hasattr(self, name)}


class ManyParts:
    """Pickled with whatever parts it was made from."""

    def __init__(self, args, state, items, pairs):
        self.args, self.state, self.items, self.pairs = args, state, items, pairs

    def __reduce_ex__(self, protocol):
        return function_of_ours, self.args, self.state, iter(self.items), iter(self.pairs)


class WithKeywords:
    def __getnewargs_ex__(self):
        return (self.args, self.keywords)


class Persistent:
    def __init__(self, name):
        self.name = name


class ListOfOurs(list):
    pass


class DictOfOurs(dict):
    pass


Pair = collections.namedtuple("Pair", "left right")


def function_of_ours(*args):
    raise AssertionError("nothing is called")


EXTENSIONS = {5: Plain, 300: function_of_ours, 70000: Pair}
FLOATS = (0.0, -0.0, 1.5, 1e300, 5e-324, float("inf"), float("-inf"), float("nan"))


class Objects:
    def __init__(self, rng):
        self.rng = rng
        self.made = []

    def scalar(self):
        rng = self.rng
        return rng.choice(
            (
                lambda: rng.choice((None, True, False, "", "a", b"", b"a", ())),
                lambda: rng.randrange(-3, 260),
                lambda: rng.choice((-1, 1)) * (1 << rng.choice((8, 15, 16, 31, 32, 63, 64)))
                + rng.randrange(-1, 2),
                lambda: rng.getrandbits(rng.choice((70, 300, 2040, 2048, 9000))) * rng.choice((1, -1)),
                lambda: rng.choice(FLOATS),
                lambda: struct.unpack("<d", rng.randbytes(8))[0],
                lambda: "".join(
                    chr(rng.choice((10, 0, 92, 39, 97, 233, 0x20AC, 0x1F600, 0xD800, 26, 13)))
                    for _ in range(rng.randrange(6))
                ),
                lambda: "x" * rng.choice((255, 256, 70000) if rng.random() < 0.05 else (3,)),
                lambda: rng.randbytes(rng.choice((0, 1, 5, 255, 256))),
            )
        )()

    def hashable(self):
        if self.rng.random() < 0.2:
            return tuple(self.scalar() for _ in range(self.rng.randrange(5)))
        return self.scalar()

    def any(self, depth=0):
        rng = self.rng
        if self.made and rng.random() < 0.25:
            return rng.choice(self.made)
        if depth > 4 or rng.random() < 0.35:
            value = self.scalar()
        else:
            value = self.compound(depth + 1)
        if rng.random() < 0.6:
            self.made.append(value)
        return value

    def several(self, depth):
        wide = depth == 1 and self.rng.random() < 0.02
        count = self.rng.choice((999, 1000, 1001, 2000)) if wide else self.rng.randrange(5)
        return [self.any(depth) for _ in range(count)]

    def pairs(self, depth):
        return [(self.hashable(), value) for value in self.several(depth)]

    def compound(self, depth):
        rng = self.rng
        kind = rng.randrange(14)
        if kind == 0:
            return tuple(self.several(depth))
        if kind == 1:
            return set(self.hashable() for _ in range(rng.randrange(5)))
        if kind == 2:
            return frozenset(self.hashable() for _ in range(rng.randrange(5)))
        if kind == 3:
            return bytearray(rng.randbytes(rng.randrange(5)))
        if kind == 4:
            return Pair(self.any(depth), self.any(depth))
        if kind == 5:
            return rng.choice((Plain, function_of_ours, Pair, dict, print, range(3), 2 - 3j))
        if kind == 6:
            return Persistent(f"id {rng.randrange(3)}")
        if kind == 7:
            args = tuple(self.several(depth))
            return ManyParts(args, self.any(depth), self.several(depth), self.pairs(depth))
        # The rest is filled after it can be met again, so that cycles come about.
        if kind in (8, 9):
            made = rng.choice((list, ListOfOurs, collections.deque))()
            self.made.append(made)
            made.extend(self.several(depth))
        elif kind in (10, 11):
            made = rng.choice((dict, DictOfOurs, collections.OrderedDict))()
            self.made.append(made)
            made.update(self.pairs(depth))
        elif kind == 12:
            made = rng.choice((Plain, Slotted))()
            self.made.append(made)
            made.a = self.any(depth)
            made.b = self.any(depth)
        else:
            made = WithKeywords()
            made.args = tuple(self.several(depth))
            made.keywords = {"key": self.any(depth)}
        return made


def dump(value, protocol, pickler):
    class Pickler(pickler):
        def persistent_id(self, obj):
            if not isinstance(obj, Persistent):
                return None
            return obj.name if protocol == 0 else ("storage", obj.name)

    out = io.BytesIO()
    Pickler(out, protocol).dump(value)
    return out.getvalue()


# What CPython loads a pickle to when every global is a stand-in.


class Global(type):
    def __call__(cls, *args, **kwargs):
        return Made("reduce", cls, args)


class Made:
    """An object, and all that was done to it."""

    def __init__(self, how, callable, args, kwargs=None):
        self.how, self.callable, self.args, self.kwargs = how, callable, args, kwargs
        self.changes = []

    def __call__(self, *args):
        return Made("reduce", self, args)

    def append(self, item):
        self.changes.append(("append", item))

    def extend(self, items):
        self.changes.extend(("append", item) for item in items)

    def add(self, item):
        self.changes.append(("additems", item))

    def __setitem__(self, key, value):
        self.changes.extend((("setitems", key), ("setitems", value)))

    def __setstate__(self, state):
        self.changes.append(("build", state))


def new_object(cls, *args, **kwargs):
    return Made("newobj", cls, args, kwargs)


class Loaded:
    """What persistent_load made."""

    def __init__(self, pid):
        self.pid = pid


GLOBALS = {}  # outlives an unpickler, as copyreg's cache of extensions does


class Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        if not module:
            raise ValueError("Empty module name")  # as __import__() has it
        if not name:
            raise AttributeError("no attribute ''")  # as getattr() of a module has it
        if (module, name) not in GLOBALS:
            space = {"__new__": new_object, "module": module, "qualified_name": name}
            GLOBALS[module, name] = Global("Global", (), space)
        return GLOBALS[module, name]

    def persistent_load(self, pid):
        return Loaded(pid)


def load(stream):
    return Unpickler(io.BytesIO(stream), encoding="latin-1", fix_imports=False).load()


# The comparison.


class Different(Exception):
    pass


def check(condition, *what):
    if not condition:
        raise Different(*what)


class Node:
    def __init__(self, line):
        self.kind, *rest = line.split(" ")
        self.value = rest[0] if rest else ""
        self.changes = []
        for change, operands in zip(rest[1::2], rest[2::2]):
            self.changes += [(change, node) for node in references(operands)]


def references(text):
    return [int(part) for part in text[1:].split(",")[:-1]]


def unhex(text):
    return bytes.fromhex(text.removeprefix("x"))


SCALARS = {
    "none": lambda value: None,
    "false": lambda value: False,
    "true": lambda value: True,
    "int": int,
    "longbytes": lambda value: int.from_bytes(unhex(value), "little", signed=True),
    "longdigits": lambda value: int(unhex(value)),
    "float": lambda value: struct.pack("<Q", int(value)),
    "str": lambda value: unhex(value).decode("utf-8", "surrogatepass"),
    "bytestr": lambda value: unhex(value).decode("latin-1"),
    "bytes": unhex,
}


def key_of(nodes, number):
    """Something equal for what Python would hold equal; objects are equal to themselves."""
    node = nodes[number]
    if node.kind == "float":
        value = struct.unpack("<d", SCALARS["float"](node.value))[0]
        return value if value == value else ("nan", number)
    if node.kind in SCALARS:
        return SCALARS[node.kind](node.value)
    if node.kind == "tuple":
        return tuple(key_of(nodes, item) for item in references(node.value))
    if node.kind == "frozenset":
        return frozenset(key_of(nodes, item) for item in references(node.value))
    if node.kind in ("global", "ext"):
        return GLOBALS[global_name(node)]
    return "object", number


def global_name(node):
    if node.kind == "ext":
        return "__main__", EXTENSIONS[int(node.value)].__name__
    return tuple(SCALARS["str"](part) for part in node.value.split(":"))


class Comparison:
    def __init__(self, nodes):
        self.nodes = nodes
        self.to_object = {}
        self.to_node = {}
        self.pending = []

    def run(self, root, value):
        self.pending.append((root, value))
        while self.pending:
            self.one(*self.pending.pop())

    def all(self, numbers, values):
        check(len(numbers) == len(values), "length", len(numbers), len(values))
        self.pending.extend(zip(numbers, values))

    def seen(self, number, value):
        """Whether the pair was compared; a node and an object stand for each other alone."""
        if number in self.to_object or id(value) in self.to_node:
            check(self.to_object.get(number) is value, "sharing", number, value)
            check(self.to_node.get(id(value)) == number, "sharing", number, value)
            return True
        self.to_object[number] = value
        self.to_node[id(value)] = number
        return False

    def one(self, number, value):
        node = self.nodes[number]
        if node.kind in SCALARS:
            found = SCALARS[node.kind](node.value)
            if node.kind == "float":
                value = struct.pack("<d", value)
            check(type(found) is type(value) and found == value, node.kind, found, value)
        elif node.kind in ("global", "ext"):
            check(GLOBALS[global_name(node)] is value, "global", global_name(node), value)
        elif (node.kind, node.value) == ("tuple", "@"):
            check(value == () and type(value) is tuple, "empty tuple", value)
        elif not self.seen(number, value):
            getattr(self, node.kind)(node, value)

    def bytearray(self, node, value):
        check(type(value) is bytearray and value == unhex(node.value), "bytearray", value)

    def tuple(self, node, value):
        check(type(value) is tuple, "tuple", value)
        self.all(references(node.value), value)

    def list(self, node, value):
        check(type(value) is list, "list", value)
        self.all([operand for _, operand in node.changes], value)

    def dict(self, node, value):
        check(type(value) is dict, "dict", value)
        self.entries(self.pairs(node), value)

    def keywords(self, node, value):
        """What a cycle put into the dict after the call had unpacked it is not in the call."""
        pairs = self.pairs(node)
        while len({key_of(self.nodes, key) for key, _ in pairs}) > len(value):
            pairs.pop()
        self.entries(pairs, value)

    @staticmethod
    def pairs(node):
        operands = [operand for _, operand in node.changes]
        return list(zip(operands[::2], operands[1::2]))

    def entries(self, pairs, value):
        last = {}
        for key, item in pairs:
            last[key_of(self.nodes, key)] = (last.get(key_of(self.nodes, key), (key,))[0], item)
        self.all([key for key, _ in last.values()], list(value))
        self.all([item for _, item in last.values()], list(value.values()))

    def elements(self, numbers, value):
        # A set has an order of its own. Elements that are equal only to themselves are counted.
        keys = {key_of(self.nodes, number) for number in numbers}
        check(len(keys) == len(value), "elements", keys, value)
        for key in keys:
            if "'object'" not in repr(key) and "'nan'" not in repr(key):
                check(key in value, "element", key, value)

    def frozenset(self, node, value):
        check(type(value) is frozenset, "frozenset", value)
        self.elements(references(node.value), value)

    def set(self, node, value):
        check(type(value) is set, "set", value)
        self.elements([operand for _, operand in node.changes], value)

    def persid(self, node, value):
        check(type(value) is Loaded, "persistent", value)
        self.pending.append((references(node.value)[0], value.pid))

    def object(self, node, value, how):
        check(type(value) is Made and value.how == how, how, value)
        callable, args, *kwargs = references(node.value)
        self.pending.append((callable, value.callable))
        # The call unpacked the tuple and the dict: only what was in them is compared.
        self.all(references(self.nodes[args].value), value.args)
        for number in kwargs:
            self.keywords(self.nodes[number], value.kwargs)
        check([change for change, _ in node.changes] == [change for change, _ in value.changes])
        self.all([item for _, item in node.changes], [item for _, item in value.changes])

    def reduce(self, node, value):
        self.object(node, value, "reduce")

    def newobj(self, node, value):
        self.object(node, value, "newobj")

    newobjex = newobj

    def obj(self, node, value):
        callable, args = references(node.value)
        self.object(node, value, "reduce" if self.nodes[args].value != "@" else "newobj")


def read_by_ptsd(dump_graph, streams):
    """Of every stream the nodes and the root, or the text of the error."""
    with tempfile.NamedTemporaryFile() as file:
        for stream in streams:
            file.write(struct.pack("<I", len(stream)) + stream)
        file.flush()
        out = subprocess.run([dump_graph, file.name], capture_output=True, text=True, check=True)
    nodes = []
    for line in out.stdout.splitlines():
        if line.startswith("error "):
            yield line
            nodes = []
        elif line.startswith("root "):
            yield nodes, int(line[5:])
            nodes = []
        else:
            nodes.append(Node(line))


# The shuffled streams.

OURS_ALONE = re.compile(  # what CPython reads and ptsd does not
    r"FRAME|frame|READONLY_BUFFER|no decimal integer|no memo index"
    r"|as its target"  # lists and byte arrays have more methods than picklers use
    r"|STACK_GLOBAL with a str"  # a Python 2 string, of which Python 3 makes text
    r"|cannot be hashed"  # by a container that is no dict
    r"|as the (class|callable)"
)
THEIRS_ALONE = re.compile(  # what ptsd reads and CPython, given stand-ins, does not
    r"class argument must be a type|args argument must be a tuple|kwargs argument must be a dict"
    r"|keywords must be strings|is not callable|argument list must be a tuple|after \* must be"
    r"|unhashable|unregistered extension|must be a tuple, not Made"
)


def shuffled(rng, streams):
    """A stream of opcodes of the streams: taken out, put in, doubled, exchanged."""
    first, second = (opcodes(rng.choice(streams)) for _ in range(2))
    first = first[:-1]
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(first) + 1)
        start = rng.randrange(len(second))
        first[at : at + rng.randrange(3)] = second[start : start + rng.randrange(3)]
    return b"".join(first) + b"."


def opcodes(stream):
    starts = [position for _, _, position in pickletools.genops(stream)] + [len(stream)]
    return [stream[start:end] for start, end in zip(starts, starts[1:])]


def compare_shuffled(dump_graph, rng, streams, count):
    streams = [stream for stream in streams if len(stream) < 1000]
    tries = [shuffled(rng, streams) for _ in range(count)]
    both = neither = 0
    for stream, ours in zip(tries, read_by_ptsd(dump_graph, tries), strict=True):
        try:
            theirs = load(stream)
        except Exception as error:  # whatever a pickle can make CPython raise
            refused = f"{type(error).__name__}: {error}"
            if isinstance(ours, str):
                neither += 1
            elif not THEIRS_ALONE.search(refused):
                yield stream, f"CPython alone refuses: {refused}"
            continue
        if isinstance(ours, str):
            if not OURS_ALONE.search(ours):
                yield stream, f"ptsd alone refuses: {ours}"
            continue
        try:
            Comparison(ours[0]).run(ours[1], theirs)
            both += 1
        except Different as difference:
            yield stream, f"read differently: {difference}"
    print(f"{count} shuffled: {both} read by both, {neither} by neither")


def random_streams(rng, count):
    for _ in range(count):
        value = Objects(rng).compound(0)
        for protocol in range(6):
            for pickler in (pickle.Pickler, pickle._Pickler):
                try:
                    stream = dump(value, protocol, pickler)
                except RecursionError:  # a cycle through arguments, which pickle cannot write
                    continue
                yield stream
                yield pickletools.optimize(stream)


def compare_random(dump_graph, streams):
    for stream, ours in zip(streams, read_by_ptsd(dump_graph, streams), strict=True):
        try:
            check(not isinstance(ours, str), ours)
            Comparison(ours[0]).run(ours[1], load(stream))
        except Different as difference:
            yield stream, str(difference)
    print(f"{len(streams)} random pickles compared")


def main(dump_graph, seed=None, count=100):
    if hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(0)
    for code, extension in EXTENSIONS.items():
        copyreg.add_extension("__main__", extension.__name__, code)
    seed = int(seed or os.environ.get("PTSD_SEED") or random.randrange(1 << 32))
    print(f"seed {seed}")
    rng = random.Random(seed)
    streams = list(random_streams(rng, int(count)))
    wrong = list(compare_random(dump_graph, streams))
    wrong += compare_shuffled(dump_graph, rng, streams, 20 * int(count))
    for stream, what in wrong[:10]:
        print(f"{stream[:300]!r}\n  {what[:500]}")
    sys.exit(f"{len(wrong)} differences" if wrong else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
