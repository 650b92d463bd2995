# SPDX-License-Identifier: Apache-2.0
"""Whether two loaded checkpoints are the same to the last bit, and shared alike.

Everything is compared that can be told apart from outside: types, order, bits of floats, whole
storages, attributes, and which places hold one object. Nothing recurses.
"""

import copyreg
import ctypes
import enum
import struct
import types

import numpy as np
import torch

import describing
import recording

# Values whose identity says nothing.
PLAIN = (type(None), bool, int, str, float, complex, bytes, type(Ellipsis), type(NotImplemented))
NAMED = (type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType, torch.dtype)
NAMED += (torch.layout, torch.memory_format, enum.Enum)
STORAGES = tuple(
    getattr(owner, name)
    for owner in (torch, torch.storage)
    for name in ("UntypedStorage", "_UntypedStorage", "TypedStorage", "_TypedStorage")
    if hasattr(owner, name)
)
COMPRESSED = ("crow_indices", "col_indices", "ccol_indices", "row_indices", "values")
RANDOM = (np.random.RandomState, np.random.Generator, np.random.BitGenerator)


class Different(Exception):
    pass


def show(value):
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


class Comparison:
    """Of what was found with what was expected. `tags`: location by address of the storage."""

    def __init__(self, found_tags=None, expected_tags=None):
        self.pending = []
        self.met = ({}, {})  # id of an object -> the other one
        self.kept = []
        self.tags = (found_tags or {}, expected_tags or {})

    def run(self, found, expected):
        """None, or what is not the same."""
        self.pending.append(("", found, expected))
        try:
            while self.pending:
                self.visit(*self.pending.pop())
        except Different as difference:
            return str(difference)
        return None

    def fail(self, path, what, found, expected):
        raise Different(f"{path or 'root'}: {what}: {show(found)}, should be {show(expected)}")

    def demand(self, path, what, found, expected):
        if found != expected:
            self.fail(path, what, found, expected)

    def push(self, path, found, expected):
        self.pending.append((path, found, expected))

    def first_meeting(self, path, found, expected, identities=None):
        """False if both were met before, as each other; fails if only one was, or otherwise."""
        one, other = identities or (id(found), id(expected))
        known = self.met[0].get(one, other), self.met[1].get(other, one)
        if known != (other, one):
            self.fail(path, "sharing", "not the same object as elsewhere", "alike")
        new = one not in self.met[0]
        self.met[0][one], self.met[1][other] = other, one
        self.kept.append((found, expected))
        return new

    def visit(self, path, found, expected):
        if type(found) is not type(expected):
            self.fail(path, "type", type(found), type(expected))
        if isinstance(found, NAMED):
            if found is not expected:
                self.fail(path, "which", found, expected)
        elif type(found) in PLAIN:
            self.demand(path, "value", bits(found), bits(expected))
        elif type(found) in (tuple, frozenset) and not found:
            self.demand(path, "value", found, expected)
        elif self.first_meeting(path, found, expected):
            self.enter(path, found, expected)

    def enter(self, path, found, expected):
        if isinstance(found, torch.Tensor):
            with torch._C.DisableTorchFunction():
                self.tensor(path, found, expected)
        elif isinstance(found, STORAGES):
            self.demand(path, "dtype", *(getattr(v, "dtype", None) for v in (found, expected)))
            self.storage(path, recording.untyped(found), recording.untyped(expected))
        elif isinstance(found, np.ndarray):
            self.array(path, found, expected)
        elif isinstance(found, RANDOM):
            # How it was seeded is not in every file, and then made up.
            self.push(f"{path}/~state", *map(random_state, (found, expected)))
        elif isinstance(found, np.generic):
            self.demand(path, "dtype", found.dtype, expected.dtype)
            self.demand(path, "value", found.tobytes(), expected.tobytes())
        elif isinstance(found, (set, frozenset)):
            self.set(path, found, expected)
        elif type(found) in (list, tuple):
            self.items(path, found, expected)
        elif type(found) is dict:
            self.pairs(path, found, expected)
        else:
            self.object(path, found, expected)

    def items(self, path, found, expected):
        self.demand(path, "length", len(found), len(expected))
        for index, pair in enumerate(zip(found, expected)):
            self.push(f"{path}/{index}", *pair)

    def pairs(self, path, found, expected):
        if list(found) != list(expected):
            self.keys(path, list(found), list(expected))
        for (key, value), (other_key, other) in zip(found.items(), expected.items()):
            self.push(f"{path}/(key {show(key)})", key, other_key)
            self.push(f"{path}/{show(key)}", value, other)

    def keys(self, path, found, expected):
        self.demand(path, "number of keys", len(found), len(expected))
        for one, other in zip(found, expected):
            if type(one) in PLAIN and bits(one) != bits(other):
                self.fail(path, "key", one, other)

    def set(self, path, found, expected):
        if found == expected:
            return
        order = [sorted(value, key=repr) for value in (found, expected)]
        self.items(path, *order)

    def array(self, path, found, expected):
        for name in ("dtype", "shape", "strides"):
            self.demand(path, name, getattr(found, name), getattr(expected, name))
        if found.dtype.hasobject:
            self.items(path, found.ravel().tolist(), expected.ravel().tolist())
        else:
            self.demand(path, "elements", found.tobytes(), expected.tobytes())
        if type(found) is not np.ndarray:
            self.attributes(path, found, expected)

    def object(self, path, found, expected):
        for value in (found, expected):
            getattr(value, "__dict__", None)  # asked for, some are there that were not
        try:
            made = found.__reduce_ex__(4), expected.__reduce_ex__(4)
        except (TypeError, AttributeError, NotImplementedError):
            self.attributes(path, found, expected)
            return
        if isinstance(made[0], str):
            self.demand(path, "which", *made)
            return
        lists = [list(parts) + [None] * (6 - len(parts)) for parts in made]
        self.kept.append((made, lists))
        for name, one, other in zip(("callable", "arguments", "state"), *lists):
            self.push(f"{path}/~{name}", one, other)
        self.items(path, *(list(parts[3] or ()) for parts in lists))
        pairs = [list(parts[4] or ()) for parts in lists]
        self.keys(path, *([key for key, _ in each] for each in pairs))
        for (key, value), (other_key, other) in zip(*pairs):
            self.push(f"{path}/(key {show(key)})", key, other_key)
            self.push(f"{path}/{show(key)}", value, other)

    def attributes(self, path, found, expected):
        states = []
        for value in (found, expected):
            state = dict(getattr(value, "__dict__", {}))
            for name in copyreg._slotnames(type(value)):
                if hasattr(value, name):
                    state[name] = getattr(value, name)
            states.append(state)
        self.pairs(path, *states)

    def tensor(self, path, found, expected):
        lazy = torch.nn.parameter.is_lazy(found)  # has neither a shape nor a storage
        shapeless = lazy or found.is_nested or describing.is_jagged(found)
        for name in ("dtype", "layout", "device", "shape", "requires_grad", "is_quantized"):
            if name != "shape" or not shapeless:
                self.demand(path, name, getattr(found, name), getattr(expected, name))
        self.demand(path, "nested", found.is_nested, expected.is_nested)
        if describing.is_jagged(found):
            self.jagged(path, found, expected)
            return
        self.attributes(path, found, expected)
        self.push(f"{path}/~hooks", found._backward_hooks, expected._backward_hooks)
        if lazy:
            return
        if found.layout in describing.SPARSE:
            self.sparse(path, found, expected)
        elif found.is_nested:
            self.nested(path, found, expected)
        else:
            self.strided(path, found, expected)

    def strided(self, path, found, expected):
        self.demand(path, "stride", found.stride(), expected.stride())
        self.demand(path, "storage_offset", found.storage_offset(), expected.storage_offset())
        self.demand(path, "conj", found.is_conj(), expected.is_conj())
        self.demand(path, "neg", found.is_neg(), expected.is_neg())
        if found.is_quantized:
            self.quantized(path, found, expected)
        if found.is_meta:
            return
        try:
            storages = recording.untyped(found), recording.untyped(expected)
            if type(found) is not torch.Tensor:
                storages[1].data_ptr()
        except (NotImplementedError, RuntimeError):
            return  # a wrapper without a storage
        self.storage(path, *storages)

    def quantized(self, path, found, expected):
        self.demand(path, "qscheme", found.qscheme(), expected.qscheme())
        if found.qscheme() in (torch.per_tensor_affine, torch.per_tensor_symmetric):
            self.push(f"{path}/~scale", found.q_scale(), expected.q_scale())
            self.push(f"{path}/~zero_point", found.q_zero_point(), expected.q_zero_point())
            return
        self.demand(path, "axis", found.q_per_channel_axis(), expected.q_per_channel_axis())
        for name in ("q_per_channel_scales", "q_per_channel_zero_points"):
            self.alike(f"{path}/~{name}", getattr(found, name)(), getattr(expected, name)())

    def alike(self, path, found, expected):
        """Tensors that PyTorch makes anew whenever they are asked for."""
        self.demand(path, "dtype", found.dtype, expected.dtype)
        self.demand(path, "shape", found.shape, expected.shape)
        self.demand(path, "elements", element_bytes(found), element_bytes(expected))

    def sparse(self, path, found, expected):
        if found.layout == torch.sparse_coo:
            self.demand(path, "coalesced", found.is_coalesced(), expected.is_coalesced())
            self.demand(path, "sparse_dim", found.sparse_dim(), expected.sparse_dim())
            self.push(f"{path}/~indices", found._indices(), expected._indices())
            self.push(f"{path}/~values", found._values(), expected._values())
            return
        rows = found.layout in (torch.sparse_csr, getattr(torch, "sparse_bsr", None))
        for name in COMPRESSED[:2] if rows else COMPRESSED[2:4]:
            self.push(f"{path}/~{name}", getattr(found, name)(), getattr(expected, name)())
        self.push(f"{path}/~values", found.values(), expected.values())

    def jagged(self, path, found, expected):
        """By its parts; what it caches is no part of it."""
        self.demand(path, "ragged dimension", found._ragged_idx, expected._ragged_idx)
        for name in ("_values", "_offsets", "_lengths"):
            self.push(f"{path}/~{name}", getattr(found, name), getattr(expected, name))

    def nested(self, path, found, expected):
        for name in ("_nested_tensor_size", "_nested_tensor_strides"):
            self.alike(f"{path}/~{name}", getattr(found, name)(), getattr(expected, name)())
        self.push(f"{path}/~values", found.values(), expected.values())

    def storage(self, path, found, expected):
        if not self.first_meeting(path, found, expected, (found._cdata, expected._cdata)):
            return
        tags = [tags.get(v._cdata) for tags, v in zip(self.tags, (found, expected))]
        self.demand(path, "location", *tags)
        self.demand(path, "bytes in the storage", found.nbytes(), expected.nbytes())
        if found.device.type == "cpu" and storage_bytes(found) != storage_bytes(expected):
            one, other = storage_bytes(found), storage_bytes(expected)
            at = next(i for i, (a, b) in enumerate(zip(one, other)) if a != b)
            self.fail(path, f"byte {at} of the storage", one[at : at + 8], other[at : at + 8])


def random_state(value):
    if isinstance(value, np.random.RandomState):
        return value.get_state(legacy=False)
    return getattr(value, "bit_generator", value).state


def bits(value):
    """Something that is equal for the same bits only."""
    if type(value) is float:
        return struct.pack("<d", value)
    if type(value) is complex:
        return struct.pack("<dd", value.real, value.imag)
    return value


def storage_bytes(storage):
    return ctypes.string_at(storage.data_ptr(), storage.nbytes()) if storage.nbytes() else b""


def element_bytes(tensor):
    tensor = tensor.detach().contiguous()
    size = tensor.numel() * tensor.element_size()
    return ctypes.string_at(tensor.data_ptr(), size) if size else b""


def difference(found, expected, found_tags=None, expected_tags=None):
    return Comparison(found_tags, expected_tags).run(found, expected)
