# SPDX-License-Identifier: Apache-2.0
"""Writes the cases of the registry as archives and as legacy streams, with real PyTorch.

    python legacy_write.py DIRECTORY

DIRECTORY/written.json then lists the files of each case. A stream "numbered" is that of torch with
the keys that an archive has, in the order of their first mention.
"""

import contextlib
import io
import json
import os
import pickle
import pickletools
import struct
import sys
import warnings

import torch

import cases  # noqa: F401 (fills the registry)
import registry

PROTOCOLS = (2, 1, 2, 4, 2, 3, 2, 5)


def saved(value, protocol, **options):
    file = io.BytesIO()
    torch.manual_seed(0)
    torch.save(value, file, pickle_protocol=protocol, **options)
    return file.getvalue()


def end_of_pickle(data, begin):
    file = io.BytesIO(data)
    file.seek(begin)
    for _ in pickletools.genops(file):
        pass
    return file.tell()


class Numbers(dict):
    def __missing__(self, key):
        self[key] = str(len(self))
        return self[key]


def mentioned(stream, keys):
    """The keys in the order in which the stream mentions them."""
    found = (text for _, text, _ in pickletools.genops(stream) if isinstance(text, str))
    return [text for text in found if text in keys]


def numbered(data, sizes):
    """A legacy stream of protocol 2 or 3 with other keys: those that an archive would have."""
    begin = 0
    for _ in range(3):
        begin = end_of_pickle(data, begin)
    end = end_of_pickle(data, begin)
    storages = end_of_pickle(data, end)
    stream, keys = data[begin:end], pickle.loads(data[end:storages])
    contents, at = {}, storages
    for key, size in zip(keys, sizes):
        contents[key] = data[at : at + 8 + size]
        at += 8 + size
    assert at == len(data)
    numbers = Numbers()
    for key in mentioned(stream, set(keys)):
        number = numbers[key]
        old, new = (b"X" + struct.pack("<I", len(k)) + k.encode() for k in (key, number))
        stream = stream.replace(old, new)
    order = sorted(keys, key=lambda key: numbers[key])
    listed = pickle.dumps([numbers[key] for key in order], protocol=data[1])
    return data[:begin] + stream + listed + b"".join(contents[key] for key in order)


@contextlib.contextmanager
def noted_sizes():
    """The bytes of the storages, in the order in which they are written."""
    sizes = []
    original = torch.UntypedStorage._write_file

    def write_file(storage, *arguments):
        sizes.append(storage.nbytes())
        return original(storage, *arguments)

    torch.UntypedStorage._write_file = write_file
    try:
        yield sizes
    finally:
        torch.UntypedStorage._write_file = original


def write(name, data, directory):
    with open(os.path.join(directory, name), "wb") as file:
        file.write(data)
    return name


def write_case(number, case, directory):
    torch.manual_seed(0)
    value = case.build()
    row = {"name": case.name, "archives": {}, "streams": {}, "numbered": None}
    # By turns: all of them take too long.
    for protocol in [PROTOCOLS[number % len(PROTOCOLS)]]:
        with noted_sizes() as sizes:
            data = saved(value, protocol, _use_new_zipfile_serialization=False)
        archive = saved(value, protocol)
        row["streams"][protocol] = write(f"{number}.{protocol}.legacy", data, directory)
        row["archives"][protocol] = write(f"{number}.{protocol}.zip", archive, directory)
        if protocol == 2 and b"X\x06\0\0\0moduleq" not in data:
            row["numbered"] = write(f"{number}.numbered", numbered(data, sizes), directory)
    return row


def main(directory):
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    rows, skipped = [], []
    for number, case in enumerate(registry.CASES.values()):
        # Packed parameters abort the process when they are not saved as an archive.
        packed = case.name.startswith(("quantized-module/", "quantized-layer/dynamic"))
        # Their packed weights have other bytes each time that it is asked for.
        packed = packed or case.name.startswith("quantized-layer/embedding")
        if not case.available or packed or case.saving is not contextlib.nullcontext:
            continue
        try:
            rows.append(write_case(number, case, directory))
        except Exception as error:
            skipped.append(f"{case.name}: {error}")
    with open(os.path.join(directory, "written.json"), "w") as file:
        json.dump({"torch": torch.__version__, "cases": rows, "skipped": skipped}, file, indent=1)


if __name__ == "__main__":
    main(*sys.argv[1:])
