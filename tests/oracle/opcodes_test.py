# SPDX-License-Identifier: Apache-2.0
"""ptsd's opcode table is the one of Python's pickletools.

    python opcodes_test.py OPCODE_TABLE

OPCODE_TABLE is the program built from opcode_table.cc. If a recent PyTorch is at hand, the column
that says what torch.load(weights_only=True) knows is compared with its unpickler.
"""

import pickletools
import subprocess
import sys

import interpreters

KNOWN_TO_TORCH = """
import pickle, pickletools
import torch._weights_only_unpickler as unpickler
for op in pickletools.opcodes:
    if getattr(unpickler, op.name, None) == op.code.encode("latin1"):
        print(op.name)
"""


def pickletools_rows():
    for op in pickletools.opcodes:
        yield ord(op.code), op.name, op.arg.name if op.arg else "none", op.proto


def table_rows(program):
    output = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    for line in output.splitlines():
        code, name, argument, protocol, weights_only = line.split("\t")
        yield (int(code), name, argument, int(protocol)), weights_only == "1"


def differences(expected, actual, what):
    for row in sorted(expected - actual):
        yield f"{what}: missing or different: {row}"
    for row in sorted(actual - expected):
        yield f"{what}: not there: {row}"


def main(program):
    rows = list(table_rows(program))
    found = list(differences(set(pickletools_rows()), {row for row, _ in rows}, "pickletools"))
    if len({row for row, _ in rows}) != len(rows):
        found.append("a row stands twice")
    python = interpreters.find("new")
    if python is None:
        print(f"weights_only column not checked: {interpreters.advice('new')}", file=sys.stderr)
    else:
        known = subprocess.run(
            [python, "-c", KNOWN_TO_TORCH], check=True, capture_output=True, text=True
        )
        ours = {row[1] for row, weights_only in rows if weights_only}
        found += differences(set(known.stdout.split()), ours, "weights_only")
    print(*found, f"{len(rows)} opcodes, {len(found)} differences", sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
