# SPDX-License-Identifier: Apache-2.0
"""Compares the Python 3 names that ptsd gives globals with those of _compat_pickle."""

import _compat_pickle as compat
import subprocess
import sys

TORCH = {"torch.tensor": "torch._tensor"}


def spelling(module, name):
    if (module, name) in compat.NAME_MAPPING:
        return compat.NAME_MAPPING[module, name]
    module = compat.IMPORT_MAPPING.get(module, module)
    return TORCH.get(module, module), name


def main(dump_graph):
    modules = set(compat.IMPORT_MAPPING) | set(compat.REVERSE_IMPORT_MAPPING) | set(TORCH)
    modules |= {"torch", "torch._utils", "collections", "A", "zzz", "builtins", "UserDic", "UserDictt"}
    names = {"x", "A", "zzz"}
    for mapping in (compat.NAME_MAPPING, compat.REVERSE_NAME_MAPPING):
        for old, new in mapping.items():
            modules |= {old[0], new[0]}
            names |= {old[1], new[1]}
    pairs = [(module, name) for module in sorted(modules) for name in sorted(names)]
    lines = "".join(f"{module} {name}\n" for module, name in pairs)
    result = subprocess.run(
        [dump_graph, "--names"], input=lines, capture_output=True, text=True, check=True
    )
    found = [tuple(line.split(" ")) for line in result.stdout.splitlines()]
    wrong = [
        f"{pair}: {ours}, Python says {spelling(*pair)}"
        for pair, ours in zip(pairs, found, strict=True)
        if ours != spelling(*pair)
    ]
    print(f"{len(pairs)} names compared")
    sys.exit("\n".join(wrong) or 0)


main(sys.argv[1])
