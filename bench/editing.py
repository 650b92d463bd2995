#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast the editing commands are, as ratios measured side by side in one run.

    bench/editing.py PTSD [--torch PYTHON] [--keep DIR]

Needs GNU time; PYTHON is an interpreter with PyTorch, which writes the checkpoints and is measured
too. Prints one line per claim: what, measured, wanted. Writes up to 12 GB.
"""

import os
import subprocess
import time

import measuring
from measuring import claim, peak_mib

WRITE = """
import sys, torch
path, count, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.save({f"encoder.{i}.weight": torch.randn(size) for i in range(count)}, path)
"""

CAST = """
import sys, torch
state = torch.load(sys.argv[1])
torch.save({name: tensor.to(torch.bfloat16) for name, tensor in state.items()}, sys.argv[2])
"""

LOAD = """
import sys, torch
print(len(torch.load(sys.argv[1], mmap=True)))
"""

RUNS = 5


def seconds(make_command, target):
    """The least of several runs, each with the output on disk: what the machine can do."""
    best = None
    for _ in range(RUNS):
        target.unlink(missing_ok=True)
        os.sync()
        start = time.perf_counter()
        subprocess.run(make_command, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        with open(target, "rb") as file:
            os.fsync(file.fileno())
        took = time.perf_counter() - start
        best = took if best is None else min(best, took)
    return best


def checkpoint(python, path, gigabytes):
    if not path.exists():
        count = 150
        size = gigabytes * 10**9 // 4 // count
        subprocess.run([python, "-c", WRITE, path, str(count), str(size)], check=True)
    return path


def measure(ptsd, python, folder):
    one = checkpoint(python, folder / "one.pt", 1)
    five = checkpoint(python, folder / "five.pt", 5)
    out = folder / "out.pt"
    commands = {
        "rename": [ptsd, "rename", one, "--from", "encoder.", "--to", "backbone.", "-o", out],
        "filter": [ptsd, "filter", one, "--exclude", "encoder.7.weight", "-o", out],
        "cast": [ptsd, "rewrite", one, "--cast", "bfloat16", "-o", out],
    }
    copy = seconds(["cp", one, out], out)
    for name in ("rename", "filter"):
        took = seconds(commands[name], out)
        yield claim(f"{name} of 1 GB against cp, both synced",
                    f"{took:.2f} s / {copy:.2f} s = {took / copy:.2f}", "<= 1.15",
                    took <= 1.15 * copy)
    cast = seconds(commands["cast"], out)
    by_torch = seconds([python, "-c", CAST, one, out], out)
    yield claim("cast to bfloat16 of 1 GB against torch",
                f"{by_torch:.2f} s / {cast:.2f} s = {by_torch / cast:.1f}", ">= 4",
                by_torch >= 4 * cast)
    yield claim("cast to bfloat16 of 1 GB against cp",
                f"{cast:.2f} s / {copy:.2f} s = {cast / copy:.2f}", "<= 2",
                cast <= 2 * copy)
    for file, size in ((one, 1), (five, 5)):
        for name, command in commands.items():
            out.unlink(missing_ok=True)
            peak = peak_mib([file if part is one else part for part in command])
            yield claim(f"{name} of {size} GB: memory", f"{peak:.1f} MiB", "<= 48 MiB",
                        peak <= 48)
    out.unlink(missing_ok=True)
    subprocess.run([file if part is one else part for part in commands["rename"]], check=True,
                   stderr=subprocess.DEVNULL)
    loaded = subprocess.run([python, "-c", LOAD, out], capture_output=True, text=True)
    yield claim("5 GB (zip64), renamed: torch loads it", loaded.stdout.strip() or "no",
                "150 tensors", loaded.stdout.strip() == "150")
    out.unlink(missing_ok=True)


if __name__ == "__main__":
    measuring.run(__doc__, measure)
