# SPDX-License-Identifier: Apache-2.0
"""Whether a name of a state dict is one string object with something outside it.

CPython's pickler writes an object once and fetches it from the memo wherever it stands again. So
the stream tells: a key that is fetched more often than the dict has it is used elsewhere too.
Nothing is imported and nothing called; classes and what they make are symbols.
"""

import collections
import io
import pickle
import zipfile

import compare


class Text(str):
    """A string that stands in the stream; its identity is what counts."""


class Symbol:
    def __init__(self):
        self.state = None
        self.pairs = []
        self.items = []

    def __setitem__(self, key, value):
        self.pairs.append((key, value))

    def append(self, item):
        self.items.append(item)

    def extend(self, items):
        self.items.extend(items)

    add = append

    def __call__(self, *arguments, **keywords):
        return Symbol()


class Reader(pickle._Unpickler):
    dispatch = dict(pickle._Unpickler.dispatch)

    def __init__(self, data):
        super().__init__(io.BytesIO(data))
        self.uses = collections.Counter()  # of a string object, by its id
        self.keys = collections.defaultdict(list)  # of a dict, by its id
        self.kept = []

    def find_class(self, module, name):
        return Symbol()

    def persistent_load(self, identifier):
        return Symbol()

    def push_text(self):
        text = Text(self.stack[-1])
        self.kept.append(text)
        self.uses[id(text)] += 1
        self.stack[-1] = text

    def note_fetch(self):
        if isinstance(self.stack[-1], Text):
            self.uses[id(self.stack[-1])] += 1

    def call(self, function, count):
        del self.stack[-count:]
        self.stack.append(function())

    def load_reduce(self):
        self.call(Symbol, 2)

    def load_newobj(self):
        self.call(Symbol, 2)

    def load_newobj_ex(self):
        self.call(Symbol, 3)

    def load_build(self):
        state = self.stack.pop()
        self.stack[-1].state = state

    def dicts(self):
        """What has items in the memo, with its keys."""
        for value in self.memo.values():
            if id(value) in self.keys:
                yield value, self.keys[id(value)]

    def load_setitem(self):
        self.keys[id(self.stack[-3])].append(self.stack[-2])
        super().load_setitem()

    def load_setitems(self):
        self.keys[id(self.metastack[-1][-1])].extend(self.stack[::2])
        super().load_setitems()


def after(method, then):
    def load(self):
        method(self)
        then(self)

    return load


for opcode in (pickle.SHORT_BINUNICODE, pickle.BINUNICODE, pickle.BINUNICODE8):
    Reader.dispatch[opcode[0]] = after(Reader.dispatch[opcode[0]], Reader.push_text)
for opcode in (pickle.GET, pickle.BINGET, pickle.LONG_BINGET):
    Reader.dispatch[opcode[0]] = after(Reader.dispatch[opcode[0]], Reader.note_fetch)
for opcode, name in (
    (pickle.REDUCE, "load_reduce"),
    (pickle.NEWOBJ, "load_newobj"),
    (pickle.NEWOBJ_EX, "load_newobj_ex"),
    (pickle.BUILD, "load_build"),
    (pickle.SETITEM, "load_setitem"),
    (pickle.SETITEMS, "load_setitems"),
):
    Reader.dispatch[opcode[0]] = getattr(Reader, name)


def children(value, segment):
    """What has the last segment of a path in a container or in the attributes of an object.

    Several, if what is shown for lone surrogates makes their keys alike.
    """
    if isinstance(value, (list, tuple)):
        return [value[int(segment)]]
    if isinstance(value, dict):
        pairs = list(value.items())
    else:
        pairs = list(value.pairs) + list(enumerate(value.items))
        for part in value.state if type(value.state) is tuple else (value.state,):
            pairs += part.items() if isinstance(part, dict) else ()
    found = [
        value
        for key, value in pairs
        if isinstance(key, (str, int)) and compare.shown(str(key)) == segment
    ]
    if not found:
        raise KeyError(segment)
    return found if "\ufffd" in segment else found[-1:]


def at(root, path, first):
    """The root and what lies under the key "" have the same path; the root comes first."""
    if not path:
        return [root] if first else children(root, "")
    found = [root]
    for segment in path.split("/"):
        segment = segment.replace("~1", "/").replace("~0", "~")
        found = [child for value in found for child in children(value, segment)]
    return found


def pickle_of(path):
    with zipfile.ZipFile(path) as archive:
        name = next(n for n in archive.namelist() if n.endswith("/data.pkl") and n.count("/") == 1)
        with archive.open(name) as file:
            file._expected_crc = None  # a file may be written without checksums
            return file.read()


def metadata_of(state_dict):
    state = getattr(state_dict, "state", None)
    return state.get("_metadata") if isinstance(state, dict) else None


def is_renamed(key, renamed):
    """A name, or the path of a module with such a name in it."""
    shown = compare.shown(str(key))
    return shown in renamed or any(not key or name.startswith(f"{shown}.") for name in renamed)


def found_at(reader, root, path, first, names):
    """The state dict at a path; where the path leads through the making of an object, all dicts
    that could be it by their keys."""
    try:
        return at(root, path, first)
    except (KeyError, IndexError, ValueError, AttributeError):
        return [
            found
            for found, keys in reader.dicts()
            if all(compare.shown(str(key)) in names for key in keys)
        ]


def names_used_elsewhere(path, state_dicts, names, renamed):
    """Those of the renamed names, and of the modules that they are in, that stand outside these
    state dicts and their _metadata as the same object."""
    reader = Reader(pickle_of(path))
    root = reader.load()
    inside = collections.Counter()
    texts, containers = {}, {}
    for number, state_dict in enumerate(state_dicts):
        for found in found_at(reader, root, state_dict, number == 0, names):
            containers[id(found)] = found
            containers[id(metadata_of(found))] = found
    for container in containers:
        for key in reader.keys[container]:
            inside[id(key)] += 1
            texts[id(key)] = key
    return sorted(
        str(texts[key])
        for key, count in inside.items()
        if reader.uses[key] > count and is_renamed(texts[key], renamed)
    )
