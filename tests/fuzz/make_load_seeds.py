#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes seeds of corpus/load: the smallest checkpoints of the containers that are no archives of
torch.save. No PyTorch is needed."""

import argparse
import collections
import io
import pathlib
import pickle
import struct
import sys
import tarfile
import types
import zipfile


def module(name, **members):
    made = sys.modules[name] = types.ModuleType(name)
    for key, member in members.items():
        member.__module__, member.__qualname__, member.__name__ = name, key, key
        setattr(made, key, member)
    return made


def function():
    def call(*arguments):
        raise NotImplementedError

    return call


torch = module("torch", FloatStorage=type("FloatStorage", (), {}),
               FloatTensor=type("FloatTensor", (), {}))
utils = module("torch._utils", _rebuild_tensor_v2=function())
storage = module("torch.storage", _load_from_bytes=function())
module("numpy.core")
multiarray = module("numpy.core.multiarray", _reconstruct=function(), scalar=function())
script = module("__torch__", M=type("M", (), {}))
numpy = module("numpy", ndarray=type("ndarray", (), {}), dtype=function())


class Made:
    """Pickled as a call of a function, with a state."""

    def __init__(self, function, arguments, state=None):
        self.made = (function, arguments, state)

    def __reduce__(self):
        return self.made if self.made[2] is not None else self.made[:2]


class Identified:
    def __init__(self, identifier):
        self.identifier = identifier


class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        return value.identifier if isinstance(value, Identified) else None


def pickled(value, protocol=2):
    file = io.BytesIO()
    Pickler(file, protocol).dump(value)
    return file.getvalue()


def tensor(held, size, stride):
    hooks = collections.OrderedDict()
    return Made(utils._rebuild_tensor_v2, (held, 0, size, stride, False, hooks))


def identifier(key, count, view=None):
    return Identified(("storage", torch.FloatStorage, key, "cpu", count, view))


def stream(value, storages, protocol=2):
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"long": 4}}
    parts = [0x1950A86A20F9469CFC6C, 1001, system, value, sorted(storages)]
    out = b"".join(pickled(part, protocol) for part in parts)
    for key in storages if isinstance(storages, dict) else ():
        out += struct.pack("<q", len(storages[key]) // 4) + storages[key]
    return out


def legacy(protocol=2):
    value = {"a": tensor(identifier("7", 2), (2,), (1,)), "b": [1, "x"]}
    return stream(value, {"7": b"01234567"}, protocol)


def legacy_view():
    value = [tensor(identifier("7", 3, ("8", 1, 2)), (2,), (1,))]
    return stream(value, {"7": b"0123456789ab"})


def legacy_module():
    cls = Identified(("module", torch.FloatTensor, "m.py", "class C: pass"))
    return stream({"c": cls, "d": torch.FloatTensor}, {})


def bare(protocol):
    held = Made(storage._load_from_bytes, (stream(identifier("7", 2), {"7": b"01234567"}),))
    return pickled({"w": tensor(held, (2,), (1,))}, protocol)


def array():
    dtype = Made(numpy.dtype, ("f4", False, True), (3, ">", None, None, None, -1, -1, 0))
    made = Made(multiarray._reconstruct, (numpy.ndarray, (0,), b"b"),
                (1, (1, 2), dtype, True, b"01234567"))
    return pickled({"a": made}, 4)


def scalar():
    """A number without bytes, of a type that is not read."""
    return pickled(Made(multiarray.scalar, (Made(numpy.dtype, ("f2", False, True)), b"")), 4)


def lacking():
    """Arrays that share a dtype with a long name."""
    dtype = Made(numpy.dtype, ("U" * 500, False, True))
    shared = [dtype, numpy.ndarray, (0,), b"b"]
    return pickled([Made(multiarray._reconstruct, tuple(shared[1:]),
                         (1, (1,), shared[0], False, b"0123")) for _ in range(20)], 4)


def script_names():
    """Modules in modules, all of one long name."""
    name = sys.intern("n" * 500)
    made = tensor(Identified(("storage", torch.FloatStorage, "0", "cpu", 2)), (2,), (1,))
    for _ in range(20):
        outer = script.M()
        outer.__dict__.update({"training": True, name: made})
        made = outer
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for record, data in (("data.pkl", pickled(made)), ("data/0", b"01234567"),
                             ("constants.pkl", pickled(())), ("version", b"3\n")):
            archive.writestr(zipfile.ZipInfo("m/" + record), data)
    return out.getvalue()


def npy():
    header = b"{'descr': '>f4', 'fortran_order': True, 'shape': (1, 2), }\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + b"01234567"


def npz():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, method in (("a.npy", zipfile.ZIP_STORED), ("b.npy", zipfile.ZIP_DEFLATED)):
            archive.writestr(zipfile.ZipInfo(name), npy(), method)
    return out.getvalue()


def tar():
    entry = pickled((1, 8, torch.FloatTensor))
    members = {
        "sys_info": pickled({"protocol_version": 1000}),
        "pickle": pickled([Identified("1"), Identified("7")]),
        "tensors": pickled(1) + entry + struct.pack("<iiqqq", 1, 0, 2, 1, 0),
        "storages": pickled(1) + pickled((7, "cpu", torch.FloatStorage)) + struct.pack("<q", 3)
        + b"0123456789ab" + pickled([(8, 7, 1, 2)]),
    }
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:", format=tarfile.PAX_FORMAT) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()[: 512 * 9]


SEEDS = {
    "legacy.bin": legacy(),
    "legacy_1.bin": legacy(1),
    "legacy_4.bin": legacy(4),
    "legacy_view.bin": legacy_view(),
    "legacy_module.bin": legacy_module(),
    "pickle_0.bin": bare(0),
    "pickle_2.bin": bare(2),
    "pickle_5.bin": bare(5),
    "legacy_listed_twice.bin": stream(identifier("7", 2), ["7"] * 50),
    "pickle_array.bin": array(),
    "pickle_lacking.bin": lacking(),
    "pickle_scalar.bin": scalar(),
    "script_names.bin": script_names(),
    "npy.bin": npy(),
    "npz.bin": npz(),
    "tar.bin": tar(),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    here = pathlib.Path(__file__).parent / "corpus" / "load"
    parser.add_argument("folder", nargs="?", type=pathlib.Path, default=here)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in SEEDS.items():
        (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
