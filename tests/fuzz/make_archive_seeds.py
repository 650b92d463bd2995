#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes seeds of corpus/archives and corpus/tar: what is in archives of testdata/ and in
corpus/load/tar.bin, as these harnesses take it. No PyTorch is needed."""

import argparse
import pathlib
import struct
import tarfile
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
TESTDATA = HERE.parent.parent / "testdata"

# Seeds of corpus/archives: a letter, an archive, the end of the member's name.
ARCHIVES = {
    "script": ("S", "script.pt", "/data.pkl"),
    "script_old": ("S", "torch113_script.pt", "/data.pkl"),
    "script_constants": ("C", "script.pt", "/constants.pkl"),
    "weights": ("W", "program.pt2", "_weights_config.json"),
    "constants": ("K", "program.pt2", "_constants_config.json"),
    "package": ("P", "package.pt", ".pkl"),
}

# As in tar_fuzz.cc.
NAMES = ["sys_info", "pickle", "tensors", "storages", "other", "pickle/"]


def member(name, kind, data):
    return bytes([NAMES.index(name)]) + kind + struct.pack("<H", len(data)) + data


def in_archive(path, end):
    with zipfile.ZipFile(path) as archive:
        return next(archive.read(name) for name in archive.namelist() if name.endswith(end))


def tar_seeds():
    with tarfile.open(HERE / "corpus" / "load" / "tar.bin") as archive:
        members = [(m.name, archive.extractfile(m).read()) for m in archive if m.isreg()]
    sound = b"".join(member(name, b"0", data) for name, data in members)
    record = b"15 path=pickle\n"
    other = dict(members)["pickle"]
    return {
        "sound": sound,
        "pax": sound + member("other", b"x", record) + member("other", b"0", other),
        "pax_global": sound + member("other", b"g", record) + member("other", b"0", other),
        "link": sound + member("other", b"2", other),
        "directory": member("pickle/", b"5", b"") + sound,
        "rest": b"".join(member(name, b"0", data + b"rest") for name, data in members),
        "raw": b"\xff000" + (HERE / "corpus" / "load" / "tar.bin").read_bytes(),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", nargs="?", type=pathlib.Path, default=HERE / "corpus")
    corpus = parser.parse_args().corpus
    seeds = {
        f"archives/{name}.bin": letter.encode() + in_archive(TESTDATA / file, end)
        for name, (letter, file, end) in ARCHIVES.items()
    }
    seeds |= {f"tar/{name}.bin": data for name, data in tar_seeds().items()}
    for name, data in seeds.items():
        (corpus / name).parent.mkdir(parents=True, exist_ok=True)
        (corpus / name).write_bytes(data)


if __name__ == "__main__":
    main()
