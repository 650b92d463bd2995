# SPDX-License-Identifier: Apache-2.0
"""What CPython's C pickler writes comes out of ptsd as it was, to the byte.

usage: roundtrip_test.py REENCODE TESTDATA [SEED [COUNT]]

REENCODE is the program built from reencode.cc. The pickles: random objects in protocols 1 to 5,
also without the PUTs that nobody needs; containers of every size at which the pickler changes its
ways; objects that contain themselves; large strings; and those in the archives of TESTDATA.
"""

import collections
import copyreg
import functools
import pathlib
import pickle
import pickletools
import random
import struct
import subprocess
import sys
import tempfile
import zipfile

import differential_test as objects

SIZES = (0, 1, 2, 3, 4, 999, 1000, 1001, 2000, 2001)
TEXT_SIZES = (0, 255, 256, 65535, 65536, 70000)

# The C++ pickler of TorchScript writes an empty group into an empty container.
OTHER_DIALECT = {"script.pt:script/data.pkl", "torch113_script.pt:torch113_script/data.pkl"}


class Holder:
    """Pickled as function_of_ours(what it holds)."""

    def __reduce_ex__(self, protocol):
        return objects.function_of_ours, (self.held,), {"state": 1}, iter([1, 2])


class NewHolder:
    def __getnewargs__(self):
        return (self.held,)


def fill(container, count):
    for number in range(count):
        if isinstance(container, (list, collections.deque)):
            container.append(number)
        elif isinstance(container, set):
            container.add(number)
        else:
            container[str(number)] = number
    return container


def sized():
    makers = (
        list,
        dict,
        set,
        objects.ListOfOurs,
        objects.DictOfOurs,
        collections.OrderedDict,
        collections.Counter,
        collections.deque,
        functools.partial(collections.defaultdict, list),
    )
    for count in SIZES:
        for maker in makers:
            yield fill(maker(), count)
        yield tuple(range(count))
        yield frozenset(range(count))
        yield objects.ManyParts((), {}, list(range(count)), list(enumerate(range(count))))
        yield [[str(number)] for number in range(count)]


def recursive():
    for size in range(1, 6):
        for inner in ([], {}, objects.Plain(), collections.OrderedDict()):
            outer = (*range(size - 1), inner)
            if isinstance(inner, list):
                inner.append(outer)
            elif isinstance(inner, dict):
                inner["outer"] = outer
            else:
                inner.outer = outer
            yield outer
            yield inner
            yield (outer, inner, outer)
    lists = [[], [], []]
    nest = tuple(lists)
    for each in lists:
        each.extend((nest, nest))
    yield nest
    plain = objects.Plain()
    plain.set = frozenset([plain, 1, "a"])
    yield plain.set
    yield plain
    for cls in (Holder, NewHolder):
        holder = cls()
        holder.held = [1, holder, [holder]]
        yield holder
        yield holder.held
    tied = objects.Plain()
    tied.dict = {"self": tied, "tuple": (tied, "x", tied)}
    yield tied.dict["tuple"]


def texts():
    for size in TEXT_SIZES:
        yield "x" * size
        yield ["a", "y" * size, b"z" * size, bytearray(size), "b"]
        yield {"\u20ac" * (size // 3): "\ud800"}
    yield [str(number) * 7 for number in range(20000)]
    yield [(number, "z" * 60000) for number in range(4)]
    yield ["a" * 65527, 1, "b" * 65526, None, "c" * 65525]


def integers():
    for bits in (7, 8, 15, 16, 31, 32, 39, 63, 64, 71, 2039, 2040, 2047, 2048, 3000):
        for value in (1 << bits, -(1 << bits)):
            yield [value - 1, value, value + 1]


def random_objects(seed, count):
    for number in range(count):
        yield objects.Objects(random.Random(f"{seed} {number}")).any()


def of_cpython(seed, count):
    """Names and pickles."""
    values = {
        "sized": sized(),
        "recursive": recursive(),
        "texts": texts(),
        "integers": integers(),
        "random": random_objects(seed, count),
    }
    for what, each in values.items():
        for number, value in enumerate(each):
            for protocol in range(1, 6):
                try:
                    stream = objects.dump(value, protocol, pickle.Pickler)
                except RecursionError:  # nor can CPython
                    continue
                name = f"{what} {number}, protocol {protocol}"
                yield name, stream
                # Longer ones it would cut into other frames.
                if what in ("recursive", "random") and len(stream) < 1000:
                    yield f"{name}, optimized", pickletools.optimize(stream)


def of_archives(folder):
    for path in sorted(pathlib.Path(folder).glob("*.pt")):
        if zipfile.is_zipfile(path):
            yield from of_zip(path)
        else:
            yield from one_behind_the_other(path)


def of_zip(path):
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(".pkl") and f"{path.name}:{name}" not in OTHER_DIALECT:
                with archive.open(name) as member:
                    member._expected_crc = None  # one archive has none
                    yield f"{path.name}:{name}", member.read()


def one_behind_the_other(path):
    """The pickles at the start of a legacy file; payload follows."""
    data = path.read_bytes()
    at = 0
    while data[at : at + 1] == b"\x80":
        *_, (_, _, stop) = pickletools.genops(data[at:])
        yield f"{path.name}+{at:#x}", data[at : at + stop + 1]
        at += stop + 1


def reencode(program, streams):
    with tempfile.TemporaryDirectory() as folder:
        into, out = pathlib.Path(folder, "in"), pathlib.Path(folder, "out")
        into.write_bytes(b"".join(struct.pack("<Q", len(s)) + s for s in streams))
        subprocess.run([program, into, out], check=True)
        rest = memoryview(out.read_bytes())
    while rest:
        (size,) = struct.unpack_from("<Q", rest)
        yield bytes(rest[8 : 8 + size])
        rest = rest[8 + size :]


def has_lost_twins(stream):
    """Whether an object was written inside its own arguments, which CPython made for each anew.

    Below protocol 4 sets have a list of their items there, at protocol 1 subclasses a copy of
    themselves. Of the two only one is left in the graph.
    """
    codes = [op.name for op, _, _ in pickletools.genops(stream) if "PUT" not in op.name]
    return ("REDUCE", "POP") in zip(codes, codes[1:]) and "MEMOIZE" not in codes


def first_difference(expected, actual):
    at = next((i for i, (a, b) in enumerate(zip(expected, actual)) if a != b), None)
    if at is None:
        at = min(len(expected), len(actual))
    return f"at {at}: {expected[at:at + 20]!r} became {actual[at:at + 20]!r}"


def main(program, testdata, seed="1", count="400"):
    for code, value in objects.EXTENSIONS.items():
        copyreg.add_extension(value.__module__, value.__qualname__, code)
    print(f"seed {seed}")
    cases = [*of_cpython(seed, int(count)), *of_archives(testdata)]
    results = list(reencode(program, [stream for _, stream in cases]))
    assert len(results) == len(cases)
    failures, excused = 0, 0
    for (name, stream), result in zip(cases, results):
        if result == stream:
            continue
        if result and has_lost_twins(stream):
            excused += 1
            continue
        failures += 1
        print(f"{name}: {first_difference(stream, result)}")
    print(f"{len(cases)} pickles, {failures} differences, {excused} excused")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
