#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds of corpus/dcp with PyTorch: directories in the form that dcp_fuzz.cc takes."""

import contextlib
import io
import pathlib
import pickle
import struct
import tempfile
import unittest.mock

import torch
import torch.distributed.checkpoint as dcp
from torch.distributed.checkpoint.filesystem import _StorageInfo
from torch.distributed.checkpoint.metadata import (
    BytesStorageMetadata,
    ChunkStorageMetadata,
    Metadata,
    MetadataIndex,
    TensorProperties,
    TensorStorageMetadata,
)

FOLDER = pathlib.Path(__file__).resolve().parent / "corpus" / "dcp"


class Writer:
    """A directory of one file, chunk by chunk."""

    def __init__(self):
        self.data = b""
        self.entries = {}
        self.items = {}
        self.paths = {}

    def item(self, index, value):
        buffer = io.BytesIO()
        torch.save(value, buffer)
        self.items[index] = _StorageInfo("__0_0.distcp", len(self.data), buffer.tell())
        self.data += buffer.getvalue()

    def tensor(self, name, whole, cuts, path=None, turned=False):
        """`cuts`: offsets and sizes of the chunks."""
        chunks = []
        for offsets, sizes in cuts:
            part = whole[tuple(slice(a, a + n) for a, n in zip(offsets, sizes))].clone()
            if turned:
                part = part.t().contiguous().t()
            self.item(MetadataIndex(name, offsets), part)
            chunks.append(ChunkStorageMetadata(torch.Size(offsets), torch.Size(sizes)))
        self.entries[name] = TensorStorageMetadata(
            TensorProperties(dtype=whole.dtype), whole.size(), chunks)
        self.paths[name] = path or (name,)

    def value(self, name, value, path=None):
        self.item(MetadataIndex(name), value)
        self.entries[name] = BytesStorageMetadata()
        self.paths[name] = path or (name,)

    def bytes(self):
        metadata = pickle.dumps(Metadata(self.entries, self.paths, self.items))
        return struct.pack("<I", len(metadata)) + metadata + self.data


def saved(state):
    # The pickle keeps the directory's name and a random number.
    module = "torch.distributed.checkpoint.filesystem._generate_uuid"
    with (tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder),
          unittest.mock.patch(module, lambda: "0" * 8)):
        dcp.save(state, checkpoint_id="seed", no_dist=True)
        metadata = pathlib.Path("seed", ".metadata").read_bytes()
        data = pathlib.Path("seed", "__0_0.distcp").read_bytes()
    return struct.pack("<I", len(metadata)) + metadata + data


def seeds():
    yield "saved", saved({"w": torch.arange(3.0), "s": torch.tensor(1), "n": 3})
    rows = Writer()
    rows.tensor("w", torch.arange(6).reshape(3, 2), [((0, 0), (2, 2)), ((2, 0), (1, 2))])
    yield "rows", rows.bytes()
    mesh = Writer()
    mesh.tensor("w", torch.arange(12, dtype=torch.uint8).reshape(3, 4),
                [((0, 0), (3, 1)), ((0, 1), (1, 3)), ((1, 1), (2, 3))], turned=True)
    yield "mesh", mesh.bytes()
    hole = Writer()
    hole.tensor("w", torch.arange(4), [((0,), (1,)), ((2,), (2,))])
    yield "hole", hole.bytes()
    nested = Writer()
    nested.value("l.2.k", {"x": [1, None]}, ("l", 2, "k"))
    nested.tensor("l.0", torch.ones(()), [((), ())], ("l", 0))
    yield "nested", nested.bytes()
    shared = Writer()
    shared.value("s", 1, ("p" * 200,) * 20)
    yield "shared", shared.bytes()
    clash = Writer()
    clash.value("a", 1)
    clash.value("a.b", 2, ("a", "b"))
    yield "clash", clash.bytes()


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, data in seeds():
        (FOLDER / (name + ".bin")).write_bytes(data)


if __name__ == "__main__":
    main()
