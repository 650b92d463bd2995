# SPDX-License-Identifier: Apache-2.0
"""Keys with every kind of character in them, and file names that become archive roots."""

import torch

from registry import add, case

ODD = {
    "separators": ["a/b", "/", "//", "a/", "/a", "~", "~0", "~1", "a~1b", "~/~", "/~"],
    "dots-and-spaces": ["a.b.c", ".", "..", "", " ", " a ", "a b", ".a", "a."],
    "quotes": ["'", '"', "\\", "`", "'1'", "$(x)", "#", "a#b", "%s", "{}", "<b>&amp;"],
    "controls": ["\x00", "\t", "\n", "\r\n", "\x1b[31mred\x1b[0m", "\x7f", "\x85", "a\x00b", "\b"],
    "bidirectional": [
        "\u202egnp.exe",
        "\u2066a\u2069",
        "\u200e",
        "\u061c",
        "\ufeff",
        "\u200b",
        "\u2028",
    ],
    "scripts": [
        "größe",
        "重み",
        "ключ",
        "مفتاح",
        "키",
        "é",
        "e\u0301",
        "\U0001d54f",
        "😀",
        "👩‍👩‍👧",
    ],
    "edges-of-utf8": [
        "\x7f",
        "\x80",
        "\u07ff",
        "\u0800",
        "\ud7ff",
        "\ue000",
        "\uffff",
        "\U00010000",
        "\U0010ffff",
    ],
    "surrogates": ["\ud800", "a\udfffb", "\ude00\ud83d", "\udc80"],
    "globs": ["*", "?", "[a]", "re:x", "!", "-o", "--json", "=", "a=b", "=>", "a=>b", ","],
    "states": ["~state", "~args", "state_dict", "__dict__", "_metadata"],
    "case": ["Weight", "weight", "WEIGHT"],
    "numbers": ["0", "00", "1e3", "-1", "+1", "1.0", "NaN", "True", "None"],
}

for _name, _keys in ODD.items():
    add(f"name/{_name}", lambda keys=_keys: {key: torch.zeros(1) for key in keys})
    add(
        f"name/{_name}-nested",
        lambda keys=_keys: {key: {"in": torch.zeros(1), key: [torch.zeros(2)]} for key in keys},
    )


@case("name")
def every_byte():
    return {chr(code): torch.zeros(1) for code in range(256)}


@case("name")
def long():
    return {
        "x" * 10000: {"y" * 10000: torch.zeros(1)},
        "é" * 127: torch.zeros(1),
        "é" * 128: torch.zeros(1),
    }


# File names: the archive's root is made from them when the file is saved.
ROOTS = {
    "plain": "model.pt",
    "two-dots": "model.pth.tar",
    "no-extension": "checkpoint",
    "space": "my model.pt",
    "dots": "a.b.c.d.bin",
    "hidden": ".hidden.pt",
    "non-ascii": "größe.pt",
    "long": "x" * 200 + ".pt",
    "hash": "a#b.pt",
    "quote": "it's.pt",
    "dash": "-o.pt",
}

for _name, _filename in ROOTS.items():
    add(
        f"root/{_name}",
        lambda: {"w": torch.zeros(3), "b": torch.ones(2)},
        filename=f"root-{_name}/{_filename}",
    )

add("root/file-object", lambda: {"w": torch.zeros(3)}, buffer=True)
