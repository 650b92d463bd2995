#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes seeds of corpus/load and corpus/shards: safetensors files and indexes, sound and broken."""

import pathlib
import struct

TYPES = "BOOL F4 F6_E2M3 U8 I8 F8_E5M2 F8_E4M3 F8_E8M0 I16 F16 BF16 I32 F32 C64 F64 I64".split()
BITS = dict(zip(TYPES, (8, 4, 6, 8, 8, 8, 8, 8, 16, 16, 16, 32, 32, 64, 64, 64)))


def entry(name, dtype, shape, begin, end):
    return f'"{name}":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{begin},{end}]}}'


def file(*parts, data=b"", tail="", size=None):
    header = ("{" + ",".join(parts) + "}" + tail).encode()
    return struct.pack("<Q", len(header) if size is None else size) + header + data


def all_types():
    parts, end = [], 0
    for dtype in TYPES:
        if dtype != "F6_E2M3":  # torch has none
            parts.append(entry(dtype.lower(), dtype, "[4,2]", end, end + BITS[dtype]))
            end += BITS[dtype]
    return file(*parts, data=bytes(range(256))[:end] if end <= 256 else bytes(end))


A = entry("a", "U8", "[2]", 0, 2)
B = entry("b", "F32", "[1]", 2, 6)
METADATA = '"__metadata__":{"format":"pt","tied":"a"}'

FILES = {
    "all_types": all_types(),
    "metadata": file(METADATA, A, B, data=b"123456", tail="  \n"),
    "nothing": file(),
    "null_metadata": file('"__metadata__":null', A, data=b"12"),
    "escapes": file(entry("\\u00e9\\ud83d\\ude00\\n\\\"", "U8", "[0]", 0, 0)),
    "extra_field": file('"a":{"x":[{"y":[1e5,-0.5,null]}],"dtype":"U8","shape":[],"data_offsets":[0,1]}',
                        data=b"1"),
    "f6": file(entry("a", "F6_E2M3", "[4]", 0, 3), data=b"123"),
    "f4_odd": file(entry("a", "F4", "[2,1]", 0, 1), data=b"1"),
    "twice": file(A, A, data=b"12"),
    "hole": file(A, entry("b", "U8", "[2]", 3, 5), data=b"12345"),
    "overlap": file(A, entry("b", "U8", "[2]", 1, 3), data=b"123"),
    "tail": file(A, data=b"123"),
    "cut": file(A, data=b"1"),
    "wrap": file(entry("a", "I64", "[4294967296,4294967296,2]", 0, 0)),
    "large_size": file(entry("a", "U8", "[18446744073709551615]", 0, 18446744073709551615)),
    "long_header": file(A, data=b"12", size=99_999_999),
    "deep": file('"a":{"x":' + "[" * 300 + "]" * 300 + "}"),
    "long_number": file('"a":{"shape":[' + "9" * 300 + "]}"),
}

INDEXES = {
    "two_parts": '{"metadata":{"total_size":6},"weight_map":{"a":"1","b":"2"}}',
    "alias": '{"metadata":{"total_size":6.0,"tied":"a","x":[1, {"y": "z"}]},'
             '"weight_map":{"b":"2","a":"1"}}\n',
    "other_part": '{"weight_map":{"a":"2","b":"1"}}',
    "lacking": '{"weight_map":{"a":"1","c":"1"}}',
    "unnamed": '{"weight_map":{"b":"2"}, "more": [true, false, null]}',
    "elsewhere": '{"weight_map":{"a":"../1","b":"/2"}}',
    "twice": '{"weight_map":{"a":"1","\\u0061":"1"}}',
    "no_map": '{"metadata":{}}',
    "no_part": '{"metadata":{},"weight_map":{}}',
}


def main():
    corpus = pathlib.Path(__file__).parent / "corpus"
    for folder in ("load", "shards"):
        (corpus / folder).mkdir(parents=True, exist_ok=True)
    for name, data in FILES.items():
        (corpus / "load" / f"safetensors_{name}.bin").write_bytes(data)
    for name, text in INDEXES.items():
        (corpus / "load" / f"index_{name}.json").write_text(text)
        (corpus / "shards" / f"{name}.json").write_text(text)


if __name__ == "__main__":
    main()
