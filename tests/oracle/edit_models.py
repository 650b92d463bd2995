# SPDX-License-Identifier: Apache-2.0
"""The edits of ptsd, done in Python to what torch.load() returned.

Written after ptsd's documentation and torch's own functions, not after ptsd. Each takes the root,
a dict that says what the edit is, and the locations of the storages by their addresses; it returns
the new root.
"""

import collections
import dataclasses
import re
from typing import Any

import torch

import describing
import listing
import recording
import same_values

USUAL = ("state_dict", "model_state_dict", "model", "module", "net", "params")


class NotModelled(Exception):
    """The edit is somewhere this file does not follow ptsd to. Counted, and printed."""


@dataclasses.dataclass
class Spot:
    holder: Any
    key: Any
    value: Any
    fragile: bool = False  # a part of an object that makes something of its state


class Spots:
    """What lies where: the first object of each path, as listing.py spells it."""

    def __init__(self, root):
        self.by_path = {}
        self.root = root
        self.open = [("", True, Spot(None, None, root))]
        entered = set()
        while self.open:
            path, at_root, spot = self.open.pop()
            self.by_path.setdefault(path, spot)
            if id(spot.value) in entered:
                continue  # its other paths are not asked for
            entered.add(id(spot.value))
            self.enter(listing.Place(path, at_root), spot.value)

    def add(self, place, holder, key, value, fragile=False):
        self.open.append((place.path, place.root, Spot(holder, key, value, fragile)))

    def enter(self, place, value):
        if isinstance(value, torch.nn.Module):
            self.module(place if place.root else place.below(""), value)
        elif isinstance(value, dict):
            for key, child in reversed(value.items()):
                self.add(place.under(listing.key_text(key, value)), value, key, child)
        elif type(value) in (list, tuple):
            for index in reversed(range(len(value))):
                self.add(place.below(index), value, index, value[index])
        elif hasattr(value, "__dict__") and not isinstance(value, (type, torch.Tensor)):
            state = value.__dict__
            for key, child in reversed(state.items()):
                fragile = hasattr(type(value), "__setstate__")
                self.add(place.under(listing.key_text(key, state)), state, key, child, fragile)

    def module(self, base, module, dotted=""):
        for members in (module._parameters, module._buffers, module.__dict__, module._modules):
            for name, child in reversed(members.items()):
                if members is module.__dict__ and name in ("_parameters", "_buffers", "_modules"):
                    continue
                place = listing.Place(base.path + dotted + listing.escape(name), False)
                if isinstance(child, torch.nn.Module):
                    self.by_path.setdefault(place.path, Spot(members, name, child))
                    self.module(base, child, f"{dotted}{listing.escape(name)}.")
                else:
                    self.add(place, members, name, child)

    def at(self, path, root_too=True):
        if not path and not root_too and isinstance(self.root, dict):
            return Spot(self.root, "", self.root[""])  # has the path of the root, too
        if path not in self.by_path:
            raise NotModelled(f"no path {path!r}")
        return self.by_path[path]


def is_state_dict(value):
    return (
        isinstance(value, dict)
        and all(type(key) is str for key in value)
        and any(isinstance(child, torch.Tensor) for child in value.values())
    )


def state_dicts(root, edit):
    """Those that ptsd says it worked on, once it is clear that it should have."""
    spots = Spots(root)
    found = [
        spots.at(path, root_too=number == 0).value
        for number, path in enumerate(edit["state_dicts"])
    ]
    for path, value in zip(edit["state_dicts"], found):
        if not is_state_dict(value):
            raise AssertionError(f"{path!r} is edited, and is no state dict")
    if edit["all"]:
        check_all(root, found)
    else:
        check_choice(root, edit["state_dicts"])
    return found


def check_all(root, chosen):
    """None is left out in dicts and lists; what is below integer keys is the state of an optimizer."""
    chosen = {id(value) for value in chosen}
    pending, met = [root], set()
    while pending:
        value = pending.pop()
        if id(value) in met:
            continue
        met.add(id(value))
        if is_state_dict(value) and id(value) not in chosen:
            raise AssertionError(f"{same_values.show(list(value))} was left out by --in '*'")
        if type(value) in (list, tuple):
            pending.extend(value)
        elif type(value) in (dict, collections.OrderedDict):
            pending.extend(item for key, item in value.items() if not is_number(key))


def is_number(key):
    """Directories of torch.distributed.checkpoint have made text of the numbers of parameters."""
    return type(key) is int or (type(key) is str and re.fullmatch("-?[0-9]+", key) is not None)


def check_choice(root, chosen):
    if is_state_dict(root):
        expected = ""
    else:
        children = root if isinstance(root, dict) else {}
        expected = next((name for name in USUAL if is_state_dict(children.get(name))), None)
    if len(chosen) != 1 or (expected is not None and chosen != [expected]):
        raise AssertionError(f"{chosen} was edited, {expected!r} should have been")


def metadata_of(state_dict):
    try:
        return getattr(state_dict, "_metadata", None)
    except KeyError:  # its attributes are its items
        return None


def replace_items(holder, pairs):
    holder.clear()
    for key, value in pairs:
        holder[key] = value


def renamed(edit, name):
    kind, old, new = edit["rule"]
    if kind == "regex":
        return re.sub(old, lambda match: match.expand(new), name)
    if kind == "map":
        return new if name == old else name
    return new + name[len(old) :] if name.startswith(old) else name


def rename_modules(metadata, edit):
    """A module goes where the names under it go, and takes the place of what is there.

    As torch.nn.modules.utils.consume_prefix_in_state_dict_if_present() does for `module.`.
    """
    _, old, new = edit["rule"]
    moved = {}
    for path in metadata:
        beginning = f"{path}." if path else ""
        if beginning.startswith(old):
            target = new + beginning[len(old) :]
            if not target or target.endswith("."):
                moved[path] = target[:-1]
    taken = set(moved.values())
    pairs = [
        (moved.get(path, path), value)
        for path, value in metadata.items()
        if path in moved or path not in taken
    ]
    replace_items(metadata, pairs)


def everything(root):
    """Every container below the root, once."""
    pending, met = [root], set()
    while pending:
        value = pending.pop()
        if id(value) in met:
            continue
        met.add(id(value))
        yield value
        if isinstance(value, dict):
            pending.extend(value.values())
        elif isinstance(value, (list, tuple)):
            pending.extend(value)
        if hasattr(value, "__dict__") and not isinstance(value, type):
            pending.extend(value.__dict__.values())


def rename_parameters(root, names):
    for value in everything(root):
        groups = value.get("param_groups") if isinstance(value, dict) else None
        for group in groups if isinstance(groups, list) else ():
            if isinstance(group, dict) and isinstance(group.get("param_names"), list):
                group["param_names"][:] = [names.get(n, n) for n in group["param_names"]]


def rename(root, edit, tags):
    names = {}
    for state_dict in state_dicts(root, edit):
        for key in state_dict:
            names.setdefault(key, renamed(edit, key))
        replace_items(state_dict, [(renamed(edit, k), v) for k, v in state_dict.items()])
        metadata = metadata_of(state_dict)
        if isinstance(metadata, dict) and edit["rule"][0] == "prefix":
            rename_modules(metadata, edit)
    rename_parameters(root, names)
    return root


def prune(metadata, before, after):
    """A module goes with its last entry; one that never had any goes with the one it is in."""

    def left(module):
        while module:
            if any(name.startswith(f"{module}.") for name in before):
                return any(name.startswith(f"{module}.") for name in after)
            module = module.rpartition(".")[0]
        return True

    replace_items(metadata, [(k, v) for k, v in metadata.items() if left(k)])


def keep(root, edit, tags):
    for state_dict in state_dicts(root, edit):
        before = list(state_dict)
        wanted = set(edit["names"])
        replace_items(state_dict, [(k, v) for k, v in state_dict.items() if k in wanted])
        metadata = metadata_of(state_dict)
        if isinstance(metadata, dict) and len(state_dict) < len(before):
            prune(metadata, before, list(state_dict))
    return root


def drop(root, edit, tags):
    spot = Spots(root).at(edit["path"])
    if spot.holder is None or isinstance(spot.holder, tuple):
        raise NotModelled(f"{edit['path']!r} is in no container that loses items")
    if spot.fragile:
        raise NotModelled(f"{type(spot.value)} is a part of what has a __setstate__()")
    del spot.holder[spot.key]
    return root


def extract(root, edit, tags):
    return Spots(root).at(edit["path"]).value


def is_rebuilt(value):
    """A tensor that PyTorch's functions make, so that its type is in the file."""
    usual = (torch.Tensor.__reduce_ex__, torch.nn.Parameter.__reduce_ex__)
    if not isinstance(value, torch.Tensor):
        return False
    return type(value).__reduce_ex__ in usual or describing.is_jagged(value)


def entries(root, edit):
    """Every tensor of the state dicts, once."""
    tensors = {}
    for state_dict in state_dicts(root, edit):
        for value in state_dict.values():
            if is_rebuilt(value) and not torch.nn.parameter.is_lazy(value):
                tensors[id(value)] = value
    return tensors.values()


class Casting:
    """Casts whole storages, elements that no tensor shows among them, and keeps their sharing."""

    def __init__(self, dtype, tags):
        self.dtype = dtype
        self.tags = tags
        self.made = {}  # by address: the old storage, kept, and a tensor of the new one
        self.replaced = {}  # by id
        self.kept = []

    def whole(self, storage, dtype):
        if storage._cdata not in self.made:
            new = torch.empty(0, dtype=dtype).set_(storage).to(self.dtype)
            self.made[storage._cdata] = storage, new
            self.tags[recording.untyped(new)._cdata] = self.tags.get(storage._cdata)
        return self.made[storage._cdata][1]

    def strided(self, tensor):
        whole = self.whole(recording.untyped(tensor), tensor.dtype)
        place = tensor.storage_offset(), tensor.shape, tensor.stride()
        view = torch.empty(0, dtype=self.dtype).set_(recording.untyped(whole), *place)
        if tensor.is_neg():
            return torch._neg_view(view)
        if same_values.element_bytes(view) != same_values.element_bytes(tensor.to(self.dtype)):
            raise NotModelled("torch casts a view otherwise than the whole storage")
        return view

    def coordinates(self, tensor):
        values = self.strided(tensor._values())
        new = torch.sparse_coo_tensor(tensor._indices(), values, tensor.shape)
        return new._coalesced_(tensor.is_coalesced())

    def nested(self, tensor):
        if describing.is_jagged(tensor):
            options = {"lengths": tensor._lengths, "_ragged_idx": tensor._ragged_idx}
            tensor._values.data = self.strided(tensor._values)
            return type(tensor)(tensor._values, tensor._offsets, **options)
        parts = ("size", "strides", "storage_offsets")
        return torch._nested_view_from_buffer(
            self.strided(tensor.values()),
            *(getattr(tensor, f"_nested_tensor_{part}")() for part in parts),
        )

    def compressed(self, tensor):
        rows = tensor.layout in (torch.sparse_csr, getattr(torch, "sparse_bsr", None))
        names = same_values.COMPRESSED[:2] if rows else same_values.COMPRESSED[2:4]
        indices = [getattr(tensor, name)() for name in names]
        return torch.sparse_compressed_tensor(
            *indices, self.strided(tensor.values()), tensor.shape, layout=tensor.layout
        )

    def cast(self, tensor):
        """In place, but where that is not possible: nested and compressed sparse tensors."""
        nested = tensor.is_nested or describing.is_jagged(tensor)
        if tensor.layout not in describing.SPARSE and not nested:
            tensor.data = self.strided(tensor)
        elif tensor.layout == torch.sparse_coo:
            tensor.data = self.coordinates(tensor)
        else:
            make = self.nested if nested else self.compressed
            new = make(tensor).requires_grad_(tensor.requires_grad)
            if isinstance(tensor, torch.nn.Parameter):
                new = torch.nn.Parameter(new.detach(), tensor.requires_grad)
            self.replaced[id(tensor)] = new
            self.kept.append(tensor)

    def has(self, value):
        storages = same_values.STORAGES
        return isinstance(value, storages) and recording.untyped(value)._cdata in self.made

    def typed_storage(self, storage):
        """A storage that stands for itself is still that of the tensors."""
        new = self.made[recording.untyped(storage)._cdata][1]
        dtype = torch.uint8 if new.element_size() == 1 else self.dtype
        return torch.storage.TypedStorage(wrap_storage=recording.untyped(new), dtype=dtype)


def cast(root, edit, tags):
    casting = Casting(getattr(torch, edit["dtype"]), tags)
    with torch._C.DisableTorchFunction(), torch.no_grad():
        for tensor in entries(root, edit):
            if tensor.is_floating_point() and tensor.dtype != casting.dtype:
                casting.cast(tensor)
    for holder in everything(root):
        if isinstance(holder, (dict, list)):
            pairs = holder.items() if isinstance(holder, dict) else enumerate(holder)
            for key, value in list(pairs):
                if casting.has(value):
                    holder[key] = casting.typed_storage(value)
                elif id(value) in casting.replaced:
                    holder[key] = casting.replaced[id(value)]
    return root


def device(root, edit, tags):
    for storage in tags:
        tags[storage] = edit["device"]
    return root


def requires_grad(root, edit, tags):
    with torch._C.DisableTorchFunction():
        for tensor in entries(root, edit):
            if not tensor.is_leaf:
                raise NotModelled("torch.load() made something that is no leaf")
            if tensor.is_floating_point() or tensor.is_complex():
                tensor.requires_grad_(edit["value"])
    return root


def nothing(root, edit, tags):
    return root


MODELS = {
    "rename": rename,
    "filter": keep,
    "drop": drop,
    "extract": extract,
    "cast": cast,
    "device": device,
    "requires_grad": requires_grad,
    "nothing": nothing,
}


def apply(root, edit, tags):
    return MODELS[edit["kind"]](root, edit, tags)
