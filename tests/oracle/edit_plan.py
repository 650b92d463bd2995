# SPDX-License-Identifier: Apache-2.0
"""Which edits a file is given: options of ptsd, and the same in words for edited.py."""

import dataclasses
import os

import round_trips

FLOATS = {"float16", "bfloat16", "float32", "float64"}
CASTS = ["bfloat16", "float16", "float64", "float8_e4m3fn"]


@dataclasses.dataclass
class Plan:
    kind: str  # as it is counted
    command: str
    options: list
    edit: dict
    address: str = ""  # what follows the `#`
    unless: tuple = ()  # parts of messages with which ptsd may refuse it


@dataclasses.dataclass
class Subject:
    """A case, and what is known of it."""

    case: dict
    place: round_trips.There
    other: list  # paths of what is no tensor
    torch: str
    chance: object
    directory: str

    @property
    def names(self):
        return [name for name in self.place.names if round_trips.usable(name)]

    def base(self, kind, **words):
        where = {"state_dicts": self.place.state_dicts, "all": bool(self.place.options)}
        return {"kind": kind, **where, **words}

    def inside(self):
        """The tensors of the state dicts."""
        for tensor in self.case["tensors"]:
            parent, _, _ = tensor["path"].rpartition("/")
            if parent in self.place.state_dicts:
                yield tensor


def rename(subject, kind, old, new, options):
    edit = subject.base("rename", rule=["prefix", old, new])
    return Plan(kind, "rename", [*options, *subject.place.options], edit)


def add_prefix(subject):
    prefix = subject.chance.choice(["model.", "a.b.", "x"])
    return rename(subject, "add a prefix", "", prefix, ["--add-prefix", prefix])


def beginnings(subject):
    dots = {name[: i + 1] for name in subject.names for i, c in enumerate(name) if c == "." and i}
    return sorted(dots)


def rename_prefix(subject):
    found = beginnings(subject) or [name[:1] for name in subject.names if name]
    if not found:
        return None
    old = subject.chance.choice(found)
    new = subject.chance.choice(["renamed.", "one.two.", "y"])
    if any(name.startswith(new) for name in subject.names):
        return None
    return rename(subject, "rename a prefix", old, new, ["--from", old, "--to", new])


def strip(subject):
    names = set(subject.names)
    found = []
    for beginning in beginnings(subject):
        bare = [name[len(beginning) :] for name in names if name.startswith(beginning)]
        rest = {name for name in names if not name.startswith(beginning)}
        if not rest.intersection(bare) and "" not in bare:
            found.append(beginning)
    if not found:
        return None
    old = subject.chance.choice(found)
    return rename(subject, "strip a prefix", old, "", ["--strip-prefix", old])


def regex(subject):
    names = [name for name in subject.names if name.endswith(".weight")]
    if not names or any(name.endswith(".gamma") for name in subject.names):
        return None
    edit = subject.base("rename", rule=["regex", r"\.weight\Z", ".gamma"])
    options = ["--regex", r"\.weight\z=>.gamma", *subject.place.options]
    return Plan("rename by an expression", "rename", options, edit)


def keep_half(subject):
    names = [n for n in subject.names if n and n.isprintable() and n == n.strip()]
    if not names:
        return None
    kept = subject.chance.sample(names, (len(names) + 1) // 2)
    path = os.path.join(subject.directory, "names.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.write("".join(f"{name}\n" for name in kept))
    options = ["--names-from", path, *subject.place.options]
    return Plan("keep half of the names", "filter", options, subject.base("filter", names=kept))


def plain(path):
    """Whether a path is no glob, no address of what made an object, and can be typed."""
    bare = path.replace("~0", "").replace("~1", "")
    return path.isprintable() and path and not set("*?[]~#\\\ufffd'") & set(bare)


def paths(subject):
    found = {}
    for path in [tensor["path"] for tensor in subject.case["tensors"]] + subject.other:
        parts = path.split("/")
        for end in range(1, len(parts) + 1):
            found["/".join(parts[:end])] = end
    return {path: depth for path, depth in found.items() if plain(path)}


def drop_path(subject, kind, wanted):
    found = [path for path, depth in paths(subject).items() if wanted(depth)]
    found = [path for path in found if not path.rpartition("/")[2].isdecimal()]
    if not found or not subject.case["spelled"]:
        return None
    path = subject.chance.choice(found)
    refusals = ("alone", "cannot be removed")
    return Plan(kind, "filter", ["--drop", path], {"kind": "drop", "path": path}, unless=refusals)


def drop_top(subject):
    return drop_path(subject, "drop what is at the top", lambda depth: depth == 1)


def drop_nested(subject):
    return drop_path(subject, "drop what is nested", lambda depth: depth > 1)


def extract(subject):
    found = list(paths(subject))
    if not found or not subject.case["spelled"]:
        return None
    path = subject.chance.choice(found)
    return Plan("extract a part", "rewrite", [], {"kind": "extract", "path": path}, address=path)


CANNOT_CAST = ("not cast", "cannot be cast", "cannot cast", "has no storage of its own")
# torch._utils._rebuild_tensor_v3 makes no tensor that requires grad.
CANNOT_REQUIRE_GRAD = ("of this form", "requires_grad")


def cast(dtype):
    def make(subject):
        if dtype.startswith("float8") and subject.torch.startswith("1."):
            return None
        if not any(t["dtype"] in FLOATS - {dtype} for t in subject.inside()):
            return None
        options = ["--cast", dtype, "--allow-inf", *subject.place.options]
        edit = subject.base("cast", dtype=dtype)
        refusals = CANNOT_CAST + CANNOT_REQUIRE_GRAD
        return Plan(f"cast to {dtype}", "rewrite", options, edit, unless=refusals)

    return make


def device(subject):
    """To the CPU what is elsewhere; elsewhere, of the rest, one in ten."""
    storages = [t["device"] for t in subject.case["tensors"] if t["device"] != "meta"]
    if not storages:
        return None
    target = "cpu" if any(tag != "cpu" for tag in storages) else "cuda:1"
    if target != "cpu" and subject.chance.random() > 0.1:
        return None
    edit = {"kind": "device", "device": target}
    return Plan("change the location", "rewrite", ["--device", target], edit)


def requires_grad(value):
    def make(subject):
        floats = [t for t in subject.inside() if t["dtype"].startswith(("float", "bfloat"))]
        if all(tensor["requires_grad"] == value for tensor in floats):
            return None
        text = "true" if value else "false"
        options = ["--requires-grad", text, *subject.place.options]
        edit = subject.base("requires_grad", value=value)
        return Plan(
            f"requires_grad becomes {text}", "rewrite", options, edit, unless=CANNOT_REQUIRE_GRAD
        )

    return make


def align(subject):
    return Plan("align to 4096", "rewrite", ["--align", "4096"], {"kind": "nothing"})


def no_crc(subject):
    return Plan("write no checksums", "rewrite", ["--no-crc"], {"kind": "nothing"})


OF_STATE_DICTS = [
    add_prefix,
    rename_prefix,
    strip,
    regex,
    keep_half,
    *map(cast, CASTS),
    requires_grad(True),
    requires_grad(False),
]
OF_ALL = [drop_top, drop_nested, extract, align, no_crc]
RARE = [device]


def plans(subject, most, done):
    """At most so many, first what was done least; `done` counts."""
    makers = list(OF_ALL)
    if subject.place:
        makers += OF_STATE_DICTS
    subject.chance.shuffle(makers)
    made = 0
    makers.sort(key=lambda make: done[make])
    for make in [*RARE, *makers]:
        plan = make(subject)
        if plan is None:
            continue
        done[make] += 1
        yield plan
        made += 1
        if made >= most:
            return
