#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds of corpus/zip: small archives, sound and broken, each with one thing to find."""

import argparse
import pathlib
import struct
import zlib

MARKER = 0xFFFFFFFF


class Archive:
    """A zip archive in PyTorch's layout, or plain. Fields are set before they are written."""

    def __init__(self, torch=True, alignment=64):
        self.torch = torch
        self.alignment = alignment
        self.out = b""
        self.entries = []
        self.end = {}

    def extra(self, name, size, local_extra):
        if not self.torch:
            return local_extra
        begin = len(self.out) + 30 + len(name) + len(local_extra) + 4
        padding = -begin % self.alignment
        return local_extra + b"FB" + struct.pack("<H", padding) + b"Z" * padding

    def member(self, name, data=b"", method=0, crc=None, flags=None, local_extra=b"",
               local_name=None, size=None, descriptor=None, **central):
        name = name.encode() if isinstance(name, str) else name
        local_name = name if local_name is None else local_name
        size = len(data) if size is None else size
        crc = zlib.crc32(data) if crc is None else crc
        packed = data
        if method == 8:
            packer = zlib.compressobj(9, zlib.DEFLATED, -15)
            packed = packer.compress(data) + packer.flush()
        if flags is None:
            flags = (0x808 if size else 0x800) if self.torch else 0
        offset = len(self.out)
        extra = self.extra(local_name, size, local_extra)
        values = (0, 0, 0) if flags & 8 else (crc, len(packed), size)
        self.out += struct.pack("<IHHHIIIIHH", 0x04034B50, 0, flags, method, 0, *values,
                                len(local_name), len(extra)) + local_name + extra + packed
        if flags & 8:
            if descriptor is None:
                descriptor = struct.pack("<IIII", 0x08074B50, crc, len(packed), size)
            self.out += descriptor
        entry = {"flags": flags, "method": method, "crc": crc, "csize": len(packed),
                 "usize": size, "extra": b"", "comment": b"", "disk": 0, "offset": offset}
        entry.update(central)
        self.entries.append((name, entry))
        return self

    def bytes(self, gap=b"", before_end=b"", comment=b"", trailing=b"", zip64=None, **end):
        out = self.out + gap
        offset = len(out)
        for name, e in self.entries:
            out += struct.pack("<IHHHHIIIIHHHHHII", 0x02014B50, 0, 0, e["flags"], e["method"], 0,
                               e["crc"], e["csize"], e["usize"], len(name), len(e["extra"]),
                               len(e["comment"]), e["disk"], 0, 0, e["offset"])
            out += name + e["extra"] + e["comment"]
        size = len(out) - offset
        out += before_end
        count = len(self.entries)
        if self.torch if zip64 is None else zip64:
            place = len(out)
            out += struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 0x31E, 0x2D, 0, 0, count, count,
                               size, offset)
            out += struct.pack("<IIQI", 0x07064B50, 0, place, 1)
        f = {"disk": 0, "count": count, "size": size, "offset": offset}
        f.update(end)
        out += struct.pack("<IHHHHIIH", 0x06054B50, f["disk"], 0, f["count"], f["count"],
                           f["size"], f["offset"], len(comment))
        return out + comment + trailing


def field(ident, data):
    return struct.pack("<HH", ident, len(data)) + data


def checkpoint(**options):
    return (Archive(**options).member("m/data.pkl", b"\x80\x02}q\x00.")
            .member("m/data/0", b"").member("m/data/1", b"12345678").member("m/version", b"3\n"))


def plain():
    return Archive(torch=False).member("m/data.pkl", b"\x80\x02}.").member("m/version", b"3\n")


def seeds():
    data = b"12345678"
    crc = zlib.crc32(data)
    wide = struct.pack("<IQQ", crc, 8, 8)
    sizes = field(1, struct.pack("<QQ", 2, 2))
    inner = plain().bytes()
    yield "torch", checkpoint().bytes()
    yield "torch_alignment_1", checkpoint(alignment=1).bytes()
    yield "torch_alignment_256", checkpoint(alignment=256).bytes()
    yield "plain", plain().bytes()
    yield "empty", Archive(torch=False).bytes()
    yield "empty_zip64", Archive().bytes()
    yield "folders", Archive(torch=False).member("m/").member("m/data.pkl", b".").bytes()
    yield "deflated", Archive().member("m/data.pkl", b"a" * 500, method=8).bytes()
    yield "deflated_wrong_size", Archive().member("m/x", b"a" * 50, method=8, size=40).bytes()
    yield "deflated_stored_block", Archive().member("m/x", bytes(range(256)), method=8).bytes()
    yield "zip64_end_on_plain", plain().bytes(zip64=True)
    yield "zip64_markers", plain().bytes(zip64=True, count=0xFFFF, size=MARKER, offset=MARKER)
    yield "zip64_fields", Archive(torch=False).member(
        "m/version", b"3\n", csize=MARKER, usize=MARKER, extra=sizes).bytes()
    yield "zip64_offset", plain().member(
        "m/x", b"", offset=MARKER, extra=field(1, struct.pack("<Q", 85))).bytes()
    yield "zip64_local_offset", Archive().member(
        "m/x", data, local_extra=field(1, struct.pack("<Q", 0)),
        descriptor=b"PK\7\10" + wide).bytes()
    yield "descriptor_wide", Archive().member("m/x", data, descriptor=b"PK\7\10" + wide).bytes()
    yield "descriptor_bare", Archive().member(
        "m/x", data, descriptor=struct.pack("<III", crc, 8, 8)).bytes()
    yield "descriptor_bare_wide", Archive().member("m/x", data, descriptor=wide).bytes()
    yield "descriptor_missing", Archive().member("m/x", data, descriptor=b"").bytes()
    yield "descriptor_wrong", Archive().member(
        "m/x", data, descriptor=b"PK\7\10" + b"\1" * 12).bytes()
    yield "no_crc", Archive().member("m/x", data, crc=0).bytes()
    yield "wrong_crc", Archive().member("m/x", data, crc=1).bytes()
    yield "comment", plain().bytes(comment=b"a comment")
    yield "trailing", plain().bytes(trailing=b"more")
    yield "two_ends", plain().bytes(comment=b"PK\5\6" + bytes(18))
    yield "nested", Archive().member("m/inner.zip", inner).bytes()
    yield "gaps", plain().bytes(gap=b"gap", before_end=b"gap")
    yield "hidden_padding", Archive(torch=False).member(
        "m/x", data, local_extra=field(0x4246, b"ZhiddenZ")).bytes()
    yield "unicode_path", Archive(torch=False).member(
        "m/x", data, extra=field(0x7075, b"\1" + bytes(4) + b"m/y")).bytes()
    yield "names", Archive(torch=False).member("m/Data.pkl").member("n/x").member(
        b"m/\xff").member("M/version").member("m/" + "x" * 600).bytes()
    yield "duplicate", plain().member("m/version", b"4\n").bytes()
    yield "equal_without_case", plain().member("m/VERSION", b"4\n").bytes()
    yield "two_names", plain().member("m/x", data, local_name=b"m/y").bytes()
    yield "overlap", plain().member("m/x", data, offset=0).bytes()
    yield "quoted", Archive(torch=False).member("m/a", inner).member("m/b", offset=33).bytes()
    yield "encrypted", plain().member("m/x", data, flags=1).bytes()
    yield "bzip2", plain().member("m/x", data, method=12).bytes()
    yield "split", plain().bytes(disk=1)
    yield "count_low", plain().bytes(count=1)
    yield "count_high", plain().bytes(count=3)
    yield "cut_short", checkpoint().bytes()[:300]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path, nargs="?",
                        default=pathlib.Path(__file__).parent / "corpus" / "zip")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in seeds():
        (folder / (name + ".zip")).write_bytes(data)


if __name__ == "__main__":
    main()
