# SPDX-License-Identifier: Apache-2.0
"""Loads a checkpoint with real PyTorch and remembers how every object was made.

The objects are those of torch.load(weights_only=False); beside them stands what the pickle said:
the callable and its arguments, the items, the state, and which storage has which key.
"""

import dataclasses
import pickle
import types
import unittest.mock
from typing import Any

import torch


@dataclasses.dataclass
class Made:
    value: Any  # kept, so that its id stays its own
    function: Any
    arguments: tuple
    keywords: dict = dataclasses.field(default_factory=dict)
    items: list = dataclasses.field(default_factory=list)
    has_state: bool = False
    state: Any = None


@dataclasses.dataclass
class StorageRecord:
    key: str
    location: str
    count: int
    storage: Any


class Recording:
    def __init__(self):
        self.made = {}
        self.storages = {}  # address of the StorageImpl -> StorageRecord
        self.tensors = []  # every tensor that any call in the file returned

    def note(self, value, function, arguments, keywords=None):
        self.made[id(value)] = Made(value, function, arguments, keywords or {})
        if isinstance(value, torch.Tensor):
            self.tensors.append(value)

    def of(self, value):
        return self.made.get(id(value))

    def storage_of(self, tensor):
        with torch._C.DisableTorchFunction():
            try:
                return self.storages.get(untyped(tensor)._cdata)
            except NotImplementedError:  # a wrapper subclass in 1.13
                return None


def untyped(holder):
    """The untyped storage of a tensor, or of a storage of any kind, in any release."""
    if isinstance(holder, torch.Tensor):
        holder = (
            holder.untyped_storage() if hasattr(holder, "untyped_storage") else holder.storage()
        )
    for attribute in ("_untyped_storage", "_storage"):
        if hasattr(holder, attribute):
            return getattr(holder, attribute)
    return holder


def shallow_copy(state):
    if type(state) is dict:
        return dict(state)
    if type(state) is tuple:
        return tuple(map(shallow_copy, state))
    return state


def unpickler_type(recording):
    class Unpickler(pickle._Unpickler):
        """CPython's unpickler in Python, with a note taken at each constructing opcode."""

        dispatch = dict(pickle._Unpickler.dispatch)

        def load_reduce(self):
            function, arguments = self.stack[-2:]
            if function is torch._tensor._rebuild_from_type_v2 and arguments[3] is None:
                # Written by 1.13 under Python 3.11, and refused by the same.
                self.stack[-1] = (*arguments[:3], {})
            super().load_reduce()
            recording.note(self.stack[-1], function, arguments)

        def load_newobj(self):
            class_, arguments = self.stack[-2:]
            super().load_newobj()
            recording.note(self.stack[-1], class_, arguments)

        def load_newobj_ex(self):
            class_, arguments, keywords = self.stack[-3:]
            super().load_newobj_ex()
            recording.note(self.stack[-1], class_, arguments, keywords)

        def load_build(self):
            state = shallow_copy(self.stack[-1])
            super().load_build()
            made = recording.of(self.stack[-1])
            made.has_state, made.state = True, state

        def load_append(self):
            self.note_items(self.stack[-2], self.stack[-1:])
            super().load_append()

        def load_appends(self):
            self.note_items(self.metastack[-1][-1], self.stack)
            super().load_appends()

        def load_additems(self):
            self.note_items(self.metastack[-1][-1], self.stack, make=True)
            super().load_additems()

        def load_frozenset(self):
            items = list(self.stack)
            super().load_frozenset()
            recording.note(self.stack[-1], frozenset, (items,))

        def load_binpersid(self):
            identifier = self.stack[-1]
            super().load_binpersid()
            storage = self.stack[-1]
            _, _, key, location, count = identifier
            recording.storages[untyped(storage)._cdata] = StorageRecord(
                key, location, count, storage
            )

        def note_items(self, holder, items, make=False):
            if make and recording.of(holder) is None:
                recording.note(holder, type(holder), ([],))
            made = recording.of(holder)
            if made is not None:
                made.items.extend(items)

    for opcode, method in (
        (pickle.REDUCE, "load_reduce"),
        (pickle.NEWOBJ, "load_newobj"),
        (pickle.NEWOBJ_EX, "load_newobj_ex"),
        (pickle.BUILD, "load_build"),
        (pickle.APPEND, "load_append"),
        (pickle.APPENDS, "load_appends"),
        (pickle.ADDITEMS, "load_additems"),
        (pickle.FROZENSET, "load_frozenset"),
        (pickle.BINPERSID, "load_binpersid"),
    ):
        Unpickler.dispatch[opcode[0]] = getattr(Unpickler, method)
    return Unpickler


def load(path):
    """(value, Recording) of a file."""
    recording = Recording()
    module = types.ModuleType("recording_pickle")
    module.__dict__.update({name: getattr(pickle, name) for name in pickle.__all__})
    module.Unpickler = unpickler_type(recording)
    # 1.13 takes a pickle_module= and forgets it, so the module is put where torch.load looks.
    with unittest.mock.patch.object(torch.serialization, "pickle", module):
        return torch.load(path, map_location="cpu", weights_only=False), recording
