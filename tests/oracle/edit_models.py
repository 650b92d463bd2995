# SPDX-License-Identifier: Apache-2.0
"""The edits of ptsd, done in Python to what torch.load() returned.

Written after ptsd's documentation and torch's own functions, not after ptsd. Each takes the root,
a dict that says what the edit is, and the locations of the storages by their addresses; it returns
the new root.
"""

import dataclasses
import re
from typing import Any

import torch

import listing
import recording

USUAL = ("state_dict", "model_state_dict", "model", "module", "net", "params")


class NotModelled(Exception):
    """The edit is somewhere this file does not follow ptsd to. Counted, and printed."""


@dataclasses.dataclass
class Spot:
    holder: Any
    key: Any
    value: Any


class Spots:
    """What lies where: the first object of each path, as listing.py spells it."""

    def __init__(self, root):
        self.by_path = {}
        self.open = [("", True, Spot(None, None, root))]
        entered = set()
        while self.open:
            path, at_root, spot = self.open.pop()
            self.by_path.setdefault(path, spot)
            if id(spot.value) in entered:
                continue  # its other paths are not asked for
            entered.add(id(spot.value))
            self.enter(listing.Place(path, at_root), spot.value)

    def add(self, place, holder, key, value):
        self.open.append((place.path, place.root, Spot(holder, key, value)))

    def enter(self, place, value):
        if isinstance(value, torch.nn.Module):
            self.module(place if place.root else place.below(""), value)
        elif isinstance(value, dict):
            for key, child in reversed(value.items()):
                self.add(place.under(listing.key_text(key, value)), value, key, child)
        elif isinstance(value, (list, tuple)):
            for index in reversed(range(len(value))):
                self.add(place.below(index), value, index, value[index])
        elif hasattr(value, "__dict__") and not isinstance(value, (type, torch.Tensor)):
            state = value.__dict__
            for key, child in reversed(state.items()):
                self.add(place.under(listing.key_text(key, state)), state, key, child)

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

    def at(self, path):
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
    found = [spots.at(path).value for path in edit["state_dicts"]]
    for path, value in zip(edit["state_dicts"], found):
        if not is_state_dict(value):
            raise AssertionError(f"{path!r} is edited, and is no state dict")
    if not edit["all"]:
        check_choice(root, edit["state_dicts"])
    return found


def check_choice(root, chosen):
    if is_state_dict(root):
        expected = ""
    else:
        children = root if isinstance(root, dict) else {}
        expected = next((name for name in USUAL if is_state_dict(children.get(name))), None)
    if len(chosen) != 1 or (expected is not None and chosen != [expected]):
        raise AssertionError(f"{chosen} was edited, {expected!r} should have been")


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
    stay = [path for path in metadata if path not in moved and path not in moved.values()]
    pairs = [(moved.get(path, path), metadata[path]) for path in metadata if path in moved or path in stay]
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
        metadata = getattr(state_dict, "_metadata", None)
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
        metadata = getattr(state_dict, "_metadata", None)
        if isinstance(metadata, dict) and len(state_dict) < len(before):
            prune(metadata, before, list(state_dict))
    return root


def drop(root, edit, tags):
    spot = Spots(root).at(edit["path"])
    if spot.holder is None or isinstance(spot.holder, tuple):
        raise NotModelled(f"{edit['path']!r} is in no container that loses items")
    del spot.holder[spot.key]
    return root


def extract(root, edit, tags):
    return Spots(root).at(edit["path"]).value


def entries(root, edit):
    """Every tensor of the state dicts, once."""
    tensors = {}
    for state_dict in state_dicts(root, edit):
        for value in state_dict.values():
            if isinstance(value, torch.Tensor):
                tensors[id(value)] = value
    return tensors.values()


def cast_storage(storage, old, new):
    """All of it, elements that no tensor shows among them."""
    with torch.no_grad():
        view = torch.empty(0, dtype=old).set_(typed(storage, old))
        return view.to(new)


def typed(storage, dtype):
    """What Tensor.set_() takes for a dtype: 1.13 wants a typed storage."""
    if torch.__version__.startswith("1."):
        return torch.storage._TypedStorage(wrap_storage=storage, dtype=dtype)
    return storage


def cast(root, edit, tags):
    dtype = getattr(torch, edit["dtype"])
    made = {}
    with torch._C.DisableTorchFunction(), torch.no_grad():
        for tensor in entries(root, edit):
            if not tensor.is_floating_point() or tensor.dtype == dtype:
                continue
            storage = recording.untyped(tensor)
            if storage._cdata not in made:
                made[storage._cdata] = storage, cast_storage(storage, tensor.dtype, dtype)
            whole = made[storage._cdata][1]
            place = tensor.storage_offset(), tensor.shape, tensor.stride()
            tags[recording.untyped(whole)._cdata] = tags.get(storage._cdata)
            view = torch.empty(0, dtype=dtype)
            view.set_(typed(recording.untyped(whole), dtype), *place)
            exact = tensor.to(dtype)
            if not torch.equal(bytes_of(view), bytes_of(exact)) and not tensor.is_neg():
                raise NotModelled("torch casts a view otherwise than the whole storage")
            tensor.data = torch._neg_view(view) if tensor.is_neg() else view
    return root


def bytes_of(tensor):
    return tensor.contiguous().view(-1).view(torch.uint8)


def device(root, edit, tags):
    for storage in tags:
        tags[storage] = edit["device"]
    return root


def requires_grad(root, edit, tags):
    with torch._C.DisableTorchFunction():
        for tensor in entries(root, edit):
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
