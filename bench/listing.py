#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast `ptsd ls` is, as ratios measured side by side in one run.

    bench/listing.py PTSD [--torch PYTHON] [--keep DIR]

Needs hyperfine, unzip and GNU time; PYTHON is an interpreter with PyTorch, which writes the
checkpoints and is measured too. Prints one line per claim: what, measured, wanted.
"""

import struct
import subprocess

import measuring
from measuring import claim, milliseconds, peak_mib

WRITE = """
import sys, torch
path, count, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.save({f"layers.{i // 2}.{'weight' if i % 2 else 'bias'}": torch.zeros(size) for i in range(count)}, path)
"""

LOAD = "import sys, time, torch\nstart = time.perf_counter()\ntorch.load(sys.argv[1])\nprint(time.perf_counter() - start)\n"


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


def many_tensors(ptsd, python, folder):
    path = folder / "t100k.pt"
    write_with_torch(python, path, 100_000, 6)
    ls = milliseconds([ptsd, "ls", path])
    unzip = milliseconds(["unzip", "-l", path])
    load = 1000 * min(float(subprocess.run([python, "-c", LOAD, path], check=True, text=True,
                                           stdout=subprocess.PIPE).stdout) for _ in range(3))
    yield claim("100,000 tensors against unzip -l", f"{ls:.0f} ms / {unzip:.0f} ms = {ls / unzip:.2f}",
                 "<= 2", ls <= 2 * unzip)
    yield claim("100,000 tensors against torch.load, import not counted",
                 f"{ls:.0f} ms / {load:.0f} ms = 1/{load / ls:.0f}", "<= 1/30", ls <= load / 30)


def half_gigabyte(ptsd, python, folder):
    path = folder / "half.pt"
    write_with_torch(python, path, 150, 1 << 20)
    ls, peak = milliseconds([ptsd, "ls", path]), peak_mib([ptsd, "ls", path])
    yield claim("150 tensors, 0.6 GB: time", f"{ls:.1f} ms", "<= 10 ms", ls <= 10)
    yield claim("150 tensors, 0.6 GB: memory", f"{peak:.1f} MiB", "<= 16 MiB", peak <= 16)


def one_terabyte(ptsd, _, folder):
    path = folder / "terabyte.pt"
    terabyte(path)
    ls = milliseconds([ptsd, "ls", path])
    yield claim("1 TiB of holes, zip64: time", f"{ls:.1f} ms", "<= 20 ms", ls <= 20)


def a_million(ptsd, python, folder):
    small, large = folder / "t100k.pt", folder / "t1m.pt"
    write_with_torch(python, large, 1_000_000, 6)
    ls = milliseconds([ptsd, "ls", small]), milliseconds([ptsd, "ls", large])
    peak = peak_mib([ptsd, "ls", large])
    yield claim("1,000,000 tensors against ten times 100,000",
                 f"{ls[1]:.0f} ms / {10 * ls[0]:.0f} ms = {ls[1] / ls[0] / 10:.2f}", "about 1",
                 ls[1] <= 15 * ls[0])
    yield claim("1,000,000 tensors: memory", f"{peak:.0f} MiB", "< 600 MiB", peak < 600)


def measure(ptsd, python, folder):
    for part in (many_tensors, half_gigabyte, one_terabyte, a_million):
        yield from part(ptsd, python, folder)


if __name__ == "__main__":
    measuring.run(__doc__, measure)
