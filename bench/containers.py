#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast one container becomes another, as ratios measured side by side in one run.

    bench/containers.py PTSD [--torch PYTHON] [--keep DIR]

Needs hyperfine and GNU time; PYTHON is an interpreter with PyTorch, which writes the checkpoints.
Prints one line per claim: what, measured, wanted. Writes up to 6 GB.
"""

import subprocess

import measuring
from editing import checkpoint, seconds
from measuring import claim, milliseconds, peak_mib

MANY = """
import sys, torch
torch.save({f"encoder.{i}.weight": torch.randn(4, 4) for i in range(1000)}, sys.argv[1])
"""


def once(command, out):
    if not out.exists():
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return out


def measure(ptsd, python, folder):
    one = checkpoint(python, folder / "one.pt", 1)
    many = once([python, "-c", MANY, folder / "many.pt"], folder / "many.pt")
    listed = once([ptsd, "rewrite", many, "-o", folder / "many.safetensors"],
                  folder / "many.safetensors")
    took = milliseconds([ptsd, "ls", listed])
    yield claim("ls of 1,000 tensors in a safetensors file", f"{took:.1f} ms", "<= 5 ms", took <= 5)

    out = folder / "out.safetensors"
    copy = seconds(["cp", one, out], out)
    convert = [ptsd, "rewrite", one, "-o", out]
    took = seconds(convert, out)
    yield claim("an archive of 1 GB to safetensors against cp, both synced",
                f"{took:.2f} s / {copy:.2f} s = {took / copy:.2f}", "<= 1.3", took <= 1.3 * copy)
    out.unlink()
    peaks = {"to safetensors": peak_mib(convert)}

    two = checkpoint(python, folder / "two.pt", 2)
    for kind, to in (("bin", "pt"), ("safetensors", "safetensors")):
        parts = once([ptsd, "rewrite", two, "--to", to, "--max-shard-size", "500MB", "-o",
                      folder / kind], folder / kind)
        files = sorted(parts.glob(f"*.{kind}"))
        joined = folder / ("joined." + ("pt" if kind == "bin" else kind))
        cat = seconds(["sh", "-c", 'target=$1; shift; cat "$@" > "$target"', "sh", joined, *files],
                      joined)
        join = [ptsd, "rewrite", parts, "-o", joined]
        took = seconds(join, joined)
        yield claim(f"{len(files)} parts of 0.5 GB ({kind}) joined against cat, both synced",
                    f"{took:.2f} s / {cat:.2f} s = {took / cat:.2f}", "<= 1.2", took <= 1.2 * cat)
        joined.unlink()
        peaks[f"joining {kind}"] = peak_mib(join)
        joined.unlink()
    for what, peak in peaks.items():
        yield claim(f"{what}: memory", f"{peak:.1f} MiB", "<= 48 MiB", peak <= 48)


if __name__ == "__main__":
    measuring.run(__doc__, measure)
