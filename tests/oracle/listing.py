# SPDX-License-Identifier: Apache-2.0
"""The tensors of a loaded checkpoint in ptsd's order, under ptsd's paths.

Keys from the root are joined by `/`, with `~0` for `~` and `~1` for `/` inside a key. A container
that is already on the way from the root is not entered again; one that is reached twice by
different ways is listed twice.
"""

import collections
import dataclasses
from typing import Any

import torch

STATE, ARGUMENTS, KEYWORDS, CALLABLE = "~state", "~args", "~kwargs", "~callable"


@dataclasses.dataclass(frozen=True)
class Place:
    """Where in the tree. The root and what lies under the key "" have the same path."""

    path: str = ""
    root: bool = True

    def below(self, segment):
        return Place(str(segment) if self.root else f"{self.path}/{segment}", False)

    def under(self, key):
        return self.below(escape(key))


@dataclasses.dataclass
class Found:
    path: str
    tensor: Any


def escape(text):
    return text.replace("~", "~0").replace("/", "~1")


def key_text(key, siblings):
    if type(key) is str:
        if key.lstrip("-").isdecimal() and any(
            type(other) is int and str(other) == key for other in siblings
        ):
            return f"'{key}'"
        return key
    if type(key) is int:
        return integer_text(key)
    return repr(key)


def integer_text(value):
    import sys

    sys.set_int_max_str_digits(0)
    return str(value)


def is_attributes(state):
    """A dict, or (dict or None, dict of slots): what BUILD turns into attributes by itself."""
    return type(state) is dict or (
        type(state) is tuple
        and len(state) == 2
        and (state[0] is None or type(state[0]) is dict)
        and type(state[1]) is dict
    )


def attributes(state):
    for part in state if type(state) is tuple else (state,):
        for key, value in (part or {}).items():
            yield key_text(key, part), value


def is_rebuilt(made):
    """Whether PyTorch's own functions made this tensor, so that its type is in the file."""
    return (
        made is not None
        and getattr(made.function, "__name__", "").startswith("_rebuild_")
        and (made.function.__module__ in ("torch._utils", "torch._tensor"))
    )


WITH_STATE = ("_rebuild_from_type_v2", "_rebuild_from_type", "_rebuild_parameter_with_state")


def tensor_state(made):
    return made.arguments[3] if made.function.__name__ in WITH_STATE else None


def tensor_parts(made):
    """What a tensor was made from, without its attributes."""
    return made.arguments[:3] if made.function.__name__ in WITH_STATE else made.arguments


class Walk:
    def __init__(self, recording):
        self.recording = recording
        self.found = []
        self.open = set()

    def visit(self, place, value):
        if id(value) in self.open:
            return
        self.open.add(id(value))
        try:
            self.enter(place, value)
        finally:
            self.open.remove(id(value))

    def enter(self, place, value):
        made = self.recording.of(value)
        if isinstance(value, torch.Tensor) and is_rebuilt(made):
            self.tensor(place, value, made)
        elif self.is_module(value):
            self.module(place if place.root else place.below(""), value)
        elif type(value) in (list, tuple):
            self.sequence(place, value)
        elif type(value) is dict or type(value) is collections.Counter:
            self.mapping(place, value)
        elif type(value) in (set, frozenset):
            self.sequence(place, list(made.arguments[0]) + made.items if made else [])
        elif made is not None:
            self.made(place, value, made)

    def sequence(self, place, values):
        for index, value in enumerate(values):
            self.visit(place.below(index), value)

    def mapping(self, place, values):
        for key, value in values.items():
            self.visit(place.under(key_text(key, values)), value)

    def made(self, place, value, made):
        """An object: constructor arguments, items, then state, as they lie in the file."""
        has_items = isinstance(value, (dict, list, collections.deque)) or bool(made.items)
        bare = not has_items and not made.has_state
        self.visit(place.below(CALLABLE), made.function)
        self.sequence(place if bare else place.below(ARGUMENTS), made.arguments)
        self.mapping(place.below(KEYWORDS), made.keywords)
        if isinstance(value, dict):
            self.mapping(place, value)
        elif has_items:
            self.sequence(place, made.items)
        if made.has_state:
            if is_attributes(made.state):
                self.attributes(place.below(STATE) if has_items else place, made.state)
            else:
                self.visit(place.below(STATE), made.state)

    def attributes(self, place, state):
        for name, value in attributes(state):
            self.visit(place.under(name), value)

    def tensor(self, place, value, made):
        self.found.append(Found(place.path, value))
        state = tensor_state(made)
        if state is not None:
            self.attributes(place.below(STATE), state)

    # Modules have dotted names, as their state_dict() does; `base` is where those names start.

    def module(self, base, module, dotted=""):
        state = self.recording.of(module).state

        def member(name):
            return Place(base.path + dotted + escape(name), False)

        transient = state.get("_non_persistent_buffers_set", set())
        for name, value in state["_parameters"].items():
            self.visit(member(name), value)
        for name, value in state["_buffers"].items():
            if name not in transient:
                self.visit(member(name), value)
        for name, child in state["_modules"].items():
            self.child(base, member(name), child, f"{dotted}{escape(name)}.")
        for name, value in state["_buffers"].items():
            if name in transient:
                self.visit(member(name), value)
        for name, value in state.items():
            if name not in ("_parameters", "_buffers", "_modules"):
                self.visit(member(name), value)

    def child(self, base, place, value, dotted):
        if not self.is_module(value):
            self.visit(place, value)
        elif id(value) not in self.open:
            self.open.add(id(value))
            self.module(base, value, dotted)
            self.open.remove(id(value))

    def is_module(self, value):
        made = self.recording.of(value)
        return isinstance(value, torch.nn.Module) and made and type(made.state) is dict


def tensors(value, recording):
    walk = Walk(recording)
    walk.visit(Place(), value)
    return walk.found


def unaccounted(found, recording):
    """Tensors in the file that are neither listed nor a part of a listed one: a hole in the walk.

    What an unknown function made is no tensor to a reader; its arguments are walked instead.
    (UninitializedParameter is one of them: it has neither a shape nor a storage.)
    """
    known = set()
    pending = [entry.tensor for entry in found]
    while pending:
        value = pending.pop()
        if isinstance(value, (tuple, list)):
            pending.extend(value)
        elif isinstance(value, dict):
            pending.extend(value.values())
        elif isinstance(value, torch.Tensor) and id(value) not in known:
            known.add(id(value))
            made = recording.of(value)
            if made is not None:
                pending.extend(made.arguments)
    return [
        tensor
        for tensor in recording.tensors
        if id(tensor) not in known and is_rebuilt(recording.of(tensor))
    ]
