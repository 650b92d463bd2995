#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast `ptsd diff` and `ptsd stat` are, as ratios measured side by side in one run.

    bench/comparing.py PTSD [--torch PYTHON] [--keep DIR]

Needs hyperfine, cmp and GNU time; PYTHON is an interpreter with PyTorch, which writes the
checkpoints and is measured too. Prints one line per claim: what, measured, wanted. Writes 4 GB.
"""

import shutil
import subprocess

import measuring
from measuring import claim, milliseconds, peak_mib

WRITE = """
import sys, torch
torch.manual_seed(0)
state = {f"encoder.{i}.weight": torch.randn(2_500_000) for i in range(100)}
torch.save(state, sys.argv[1])
for tensor in state.values():
    tensor *= 1 + 1e-7
torch.save(state, sys.argv[2])
state["encoder.0.weight"][12345] += 1
torch.save(state, sys.argv[3])
"""

ALLCLOSE = """
import sys, torch
a, b = (torch.load(path, mmap=True) for path in sys.argv[1:])
assert a.keys() == b.keys()
print(all(torch.allclose(a[name], b[name], rtol=1e-5, atol=1e-8, equal_nan=True) for name in a))
"""

STAT = """
import sys, torch
for name, x in torch.load(sys.argv[1], mmap=True).items():
    std, mean = torch.std_mean(x)
    print(name, x.min(), x.max(), mean, std, (x == 0).sum(), x.isnan().sum(), x.isinf().sum(),
          torch.histc(x, 7))
"""


def write(python, folder):
    names = [folder / name for name in ("one.pt", "close.pt", "other.pt", "same.pt")]
    if not names[0].exists():
        subprocess.run([python, "-c", WRITE, *names[:3]], check=True)
    shutil.copyfile(names[0], names[3])
    return names


def measure(ptsd, python, folder):
    one, close, other, same = write(python, folder)
    cmp = milliseconds(["cmp", one, same])

    def against_cmp(what, command, most):
        took = milliseconds(command, may_fail=True)
        return took, claim(what, f"{took:.0f} ms / {cmp:.0f} ms = {took / cmp:.2f}",
                           f"<= {most}", took <= most * cmp)

    exact, holds = against_cmp("diff of equal files of 1 GB against cmp", [ptsd, "diff", one, same],
                               1.0)
    yield holds
    allclose = [ptsd, "diff", "--rtol", "1e-5", "--atol", "1e-8", one, close]
    tolerant, holds = against_cmp("diff --rtol --atol of 1 GB against cmp", allclose, 1.3)
    yield holds
    by_torch = milliseconds([python, "-c", ALLCLOSE, one, close])
    yield claim("diff --rtol --atol of 1 GB against torch, import counted",
                f"{by_torch:.0f} ms / {tolerant:.0f} ms = {by_torch / tolerant:.1f}", ">= 5",
                by_torch >= 5 * tolerant)
    stat = milliseconds([ptsd, "stat", one])
    by_torch = milliseconds([python, "-c", STAT, one])
    yield claim("stat of 1 GB against torch, import counted",
                f"{by_torch:.0f} ms / {stat:.0f} ms = {by_torch / stat:.1f}", ">= 4",
                by_torch >= 4 * stat)
    quick = milliseconds([ptsd, "diff", "-q", one, other], may_fail=True)
    yield claim("diff -q, the first tensor differs", f"{quick:.1f} ms", "<= 20 ms", quick <= 20)
    for what, command, two in (("diff", [ptsd, "diff", one, same], exact),
                               ("diff --rtol --atol", allclose, tolerant),
                               ("stat", [ptsd, "stat", one], stat)):
        alone = milliseconds([*command, "--threads", "1"])
        yield claim(f"{what}: one thread against all", f"{alone:.0f} ms / {two:.0f} ms = {alone / two:.2f}",
                    "> 1", alone > two)
        peak = peak_mib(command)
        yield claim(f"{what}: memory", f"{peak:.1f} MiB", "<= 48 MiB", peak <= 48)


if __name__ == "__main__":
    measuring.run(__doc__, measure)
