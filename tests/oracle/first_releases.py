# SPDX-License-Identifier: Apache-2.0
"""Files in the forms of the first releases, which no PyTorch of today writes: tar archives, legacy
streams pickled by Python 2, storages that are parts of others."""

import collections
import io
import pickle
import struct
import tarfile

SYSTEM = {"type_sizes": {"int": 4, "long": 4, "short": 2}, "protocol_version": 1001,
          "little_endian": True}


class Python2Pickler(pickle._Pickler):
    """The dialect of Python 2: text is bytes, an OrderedDict is made of a list of lists."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_text(self, text):
        data = text.encode()
        size = struct.pack("<B", len(data)) if len(data) < 256 else struct.pack("<i", len(data))
        self.write((b"U" if len(data) < 256 else b"T") + size + data)
        self.memoize(text)

    def save_ordered(self, value):
        pairs = [[key, item] for key, item in value.items()]
        self.save_reduce(collections.OrderedDict, (pairs,), obj=value)

    dispatch[str] = save_text
    dispatch[collections.OrderedDict] = save_ordered


def pickled(value, identify=None):
    file = io.BytesIO()
    pickler = Python2Pickler(file, 2)
    if identify:
        pickler.persistent_id = identify
    pickler.dump(value)
    return file.getvalue()


def elements(tensor):
    """The bytes of a storage."""
    import torch

    whole = torch.empty(0, dtype=tensor.dtype).set_(tensor.untyped_storage())
    return whole.numpy().tobytes()


def storage_class(torch, dtype):
    return getattr(torch, torch.storage._dtype_to_storage_type_map()[dtype])


def stream(torch, value, views=()):
    """A legacy stream. `views`: tensors whose storage is said to be elements 2 to the last but one
    of a longer one."""
    storages = {}

    def identify(item):
        if not isinstance(item, torch.storage.TypedStorage):
            return None
        key = str(1000 + item._untyped_storage._cdata % 10**9)
        data = item._untyped_storage
        cls = storage_class(torch, item.dtype)
        raw = bytes(data.tolist())
        count, width = item._size(), item._element_size()
        if item._untyped_storage._cdata in views:
            root = key + "0"
            storages[root] = (count + 3, b"\1" * 2 * width + raw + b"\2" * width)
            return ("storage", cls, root, "cpu", count + 3, (key, 2, count))
        storages[key] = (count, raw)
        return ("storage", cls, key, "cpu", count, None)

    head = [0x1950A86A20F9469CFC6C, 1001, SYSTEM]
    out = b"".join(map(pickled, head)) + pickled(value, identify) + pickled(sorted(storages))
    for key in sorted(storages):
        count, raw = storages[key]
        out += struct.pack("<q", count) + raw
    return out


def tar(torch, value, oldest):
    """A tar archive; every second tensor has a view of a storage if it is not the oldest form."""
    tensors, storages, views = {}, {}, []

    def identify(item):
        if isinstance(item, torch.Tensor):
            tensors[id(item)] = item
            return str(id(item))
        return None

    stream = pickled(value, identify)
    described = pickled(len(tensors))
    for number, (key, tensor) in enumerate(tensors.items()):
        storage = tensor.untyped_storage()
        raw, width = elements(tensor), tensor.element_size()
        root = 7 * storage._cdata
        cls = storage_class(torch, tensor.dtype)
        if root not in storages:
            if number % 2 and not oldest:
                views.append((root, root + 1, 1, len(raw) // width))
                storages[root] = None
                raw, root = b"\1" * width + raw, root + 1
            storages[root] = (cls, len(raw) // width, raw)
        root = 7 * storage._cdata
        kind = getattr(torch, cls.__name__.replace("Storage", "Tensor"))
        entry = (key, kind, root) if oldest else (key, root, kind)
        described += pickled(entry) + struct.pack("<iI", tensor.dim(), 0xABADCAFE)
        described += struct.pack(f"<{tensor.dim()}q", *tensor.shape)
        described += struct.pack(f"<{tensor.dim()}q", *tensor.stride())
        described += struct.pack("<q", tensor.storage_offset())
    real = {key: storage for key, storage in storages.items() if storage}
    stored = pickled(len(real))
    for key, (cls, count, raw) in real.items():
        stored += pickled((key, cls) if oldest else (key, "cpu", cls))
        stored += struct.pack("<q", count) + raw
    if not oldest:
        stored += pickled(views)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:", format=tarfile.PAX_FORMAT) as archive:
        for name, data in (("sys_info", pickled({**SYSTEM, "protocol_version": 1000})),
                           ("pickle", stream), ("tensors", described), ("storages", stored)):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()
