#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast `ptsd ls` is, as ratios measured side by side in one run.

    bench/listing.py PTSD [--torch PYTHON] [--keep DIR]

Needs hyperfine, unzip and GNU time; PYTHON is an interpreter with PyTorch, which writes the
checkpoints and is measured too. Prints one line per claim: what, measured, wanted.
"""

import argparse
import json
import pathlib
import re
import shlex
import struct
import subprocess
import sys
import tempfile

WRITE = """
import sys, torch
path, count, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.save({f"layers.{i // 2}.{'weight' if i % 2 else 'bias'}": torch.zeros(size) for i in range(count)}, path)
"""

LOAD = "import sys, time, torch\nstart = time.perf_counter()\ntorch.load(sys.argv[1])\nprint(time.perf_counter() - start)\n"


def milliseconds(command):
    """The least of several runs: what the machine can do when nothing disturbs it."""
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        subprocess.run(
            ["hyperfine", "-N", "--warmup=2", "--min-runs=8", "--export-json", report.name,
             "--output=null", command],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return json.load(open(report.name))["results"][0]["min"] * 1000


def peak_mib(command):
    """Maximum resident set size."""
    run = subprocess.run(["/usr/bin/time", "-v", *shlex.split(command)], stdout=subprocess.DEVNULL,
                         stderr=subprocess.PIPE, text=True, check=True)
    return int(re.search(r"Maximum resident set size \(kbytes\): (\d+)", run.stderr)[1]) / 1024


def write_with_torch(python, path, count, size):
    if not path.exists():
        subprocess.run([python, "-c", WRITE, path, str(count), str(size)], check=True)


def terabyte(path):
    """A zip64 archive as torch.save lays it out, whose 16 storages of 64 GiB are holes."""
    if path.exists():
        return
    count, elements = 16, 1 << 34
    size = 4 * elements
    pickle = [b"\x80\x02}("]
    for i in range(count):
        name, key = f"w{i}".encode(), str(i).encode()
        text = lambda data: b"X" + struct.pack("<I", len(data)) + data
        number = b"\x8a" + bytes([8]) + struct.pack("<q", elements)
        pickle += [text(name), b"ctorch._utils\n_rebuild_tensor_v2\n((", text(b"storage"),
                   b"ctorch\nFloatStorage\n", text(key), text(b"cpu"), number, b"tQK\0", number,
                   b"\x85K\1\x85\x89ccollections\nOrderedDict\n)RtR"]
    pickle.append(b"u.")
    records = [("data.pkl", b"".join(pickle)), ("byteorder", b"little")]
    records += [(f"data/{i}", size) for i in range(count)] + [("version", b"3\n")]
    directory = b""
    with open(path, "wb") as out:
        for name, content in records:
            offset, name = out.tell(), f"big/{name}".encode()
            length = content if isinstance(content, int) else len(content)
            large = length >= 0xFFFFFFFF, offset >= 0xFFFFFFFF
            zip64 = (struct.pack("<QQ", length, 0) if large[0] else b"") + (
                struct.pack("<Q", offset) if large[1] else b"")
            extra = struct.pack("<HH", 1, len(zip64)) + zip64 if zip64 else b""
            pad = -(offset + 30 + len(name) + len(extra) + 4) % 64
            extra += b"FB" + struct.pack("<H", pad) + b"Z" * pad
            out.write(struct.pack("<IHHHHHIIIHH", 0x04034B50, 0, 0x0808, 0, 0, 0, 0, 0, 0,
                                  len(name), len(extra)) + name + extra)
            if isinstance(content, int):
                out.seek(content, 1)
            else:
                out.write(content)
            crc = 0  # as with compute_crc32=False
            out.write(struct.pack("<IIQQ" if zip64 else "<IIII", 0x08074B50, crc, length, length))
            zip64 = (struct.pack("<QQ", length, length) if large[0] else b"") + (
                struct.pack("<Q", offset) if large[1] else b"")
            extra = struct.pack("<HH", 1, len(zip64)) + zip64 if zip64 else b""
            directory += struct.pack(
                "<IHHHHHHIIIHHHHHII", 0x02014B50, 0, 0, 0x0808, 0, 0, 0, crc,
                min(length, 0xFFFFFFFF), min(length, 0xFFFFFFFF), len(name), len(extra), 0, 0, 0, 0,
                min(offset, 0xFFFFFFFF)) + name + extra
        start, number = out.tell(), len(records)
        out.write(directory)
        end = out.tell()
        out.write(struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 0x031E, 45, 0, 0, number, number,
                              len(directory), start))
        out.write(struct.pack("<IIQI", 0x07064B50, 0, end, 1))
        out.write(struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, number, number, len(directory),
                              min(start, 0xFFFFFFFF), 0))


def report(what, measured, wanted, holds):
    print(f"{'ok  ' if holds else 'MISS'}  {what:<58} {measured:>26}   wanted {wanted}")
    return holds


def many_tensors(ptsd, python, folder):
    path = folder / "t100k.pt"
    write_with_torch(python, path, 100_000, 6)
    ls = milliseconds(f"{ptsd} ls {path}")
    unzip = milliseconds(f"unzip -l {path}")
    load = 1000 * min(float(subprocess.run([python, "-c", LOAD, path], check=True, text=True,
                                           stdout=subprocess.PIPE).stdout) for _ in range(3))
    yield report("100,000 tensors against unzip -l", f"{ls:.0f} ms / {unzip:.0f} ms = {ls / unzip:.2f}",
                 "<= 2", ls <= 2 * unzip)
    yield report("100,000 tensors against torch.load, import not counted",
                 f"{ls:.0f} ms / {load:.0f} ms = 1/{load / ls:.0f}", "<= 1/30", ls <= load / 30)


def half_gigabyte(ptsd, python, folder):
    path = folder / "half.pt"
    write_with_torch(python, path, 150, 1 << 20)
    ls, peak = milliseconds(f"{ptsd} ls {path}"), peak_mib(f"{ptsd} ls {path}")
    yield report("150 tensors, 0.6 GB: time", f"{ls:.1f} ms", "<= 10 ms", ls <= 10)
    yield report("150 tensors, 0.6 GB: memory", f"{peak:.1f} MiB", "<= 16 MiB", peak <= 16)


def one_terabyte(ptsd, _, folder):
    path = folder / "terabyte.pt"
    terabyte(path)
    ls = milliseconds(f"{ptsd} ls {path}")
    yield report("1 TiB of holes, zip64: time", f"{ls:.1f} ms", "<= 20 ms", ls <= 20)


def a_million(ptsd, python, folder):
    small, large = folder / "t100k.pt", folder / "t1m.pt"
    write_with_torch(python, large, 1_000_000, 6)
    ls = milliseconds(f"{ptsd} ls {small}"), milliseconds(f"{ptsd} ls {large}")
    peak = peak_mib(f"{ptsd} ls {large}")
    yield report("1,000,000 tensors against ten times 100,000",
                 f"{ls[1]:.0f} ms / {10 * ls[0]:.0f} ms = {ls[1] / ls[0] / 10:.2f}", "about 1",
                 ls[1] <= 15 * ls[0])
    yield report("1,000,000 tensors: memory", f"{peak:.0f} MiB", "< 600 MiB", peak < 600)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ptsd")
    parser.add_argument("--torch", default=".venv/bin/python", metavar="PYTHON")
    parser.add_argument("--keep", metavar="DIR", type=pathlib.Path, help="where the files stay")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.keep or pathlib.Path(scratch)
        folder.mkdir(exist_ok=True)
        results = [holds for measure in (many_tensors, half_gigabyte, one_terabyte, a_million)
                   for holds in measure(arguments.ptsd, arguments.torch, folder)]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
