# SPDX-License-Identifier: Apache-2.0
"""Compares what `ptsd diff` finds between two files with what PyTorch finds.

    python diff_test.py PTSD [--seed N] [--rounds N]

Pairs of tensors of every dtype and layout, in two files; equality, tolerances, the number of
mismatches, the greatest differences and where they are, in every way of comparing. Started by any
Python; runs itself again with the one that has PyTorch.
"""

import json
import os
import random
import subprocess
import sys
import warnings

import rounds

import diff_expected
import diff_tensors
from diff_expected import Mode

MODES = [
    Mode(()),
    Mode(("--no-equal-nan",), equal_nan=False),
    Mode(("--bits",), bits=True),
    Mode(("--close",), close=True),
    Mode(("--close", "--no-equal-nan"), close=True, equal_nan=False),
    *[
        Mode(("--rtol", str(rtol), "--atol", str(atol)), rtol, atol)
        for rtol, atol in diff_tensors.TOLERANCES
    ],
    Mode(("--rtol", "0.25", "--atol", "0", "--no-equal-nan"), 0.25, 0.0, equal_nan=False),
]


class Comparison:
    def __init__(self, torch, ptsd, folder):
        self.torch = torch
        self.ptsd = ptsd
        self.oracle = diff_expected.Oracle(torch)
        self.files = [os.path.join(folder, name) for name in ("a.pt", "b.pt")]
        self.count = 0
        self.failures = []

    def save(self, pairs):
        self.names = list(pairs)
        for side, file in enumerate(self.files):
            self.torch.save({name: pair[side] for name, pair in pairs.items()}, file)
        a, b = (self.torch.load(file, weights_only=False) for file in self.files)
        self.pairs = {name: (a[name], b[name]) for name in pairs}

    def diff(self, *words):
        """The items of what changed, by path; the exit status is checked."""
        line = [self.ptsd, "diff", "--json", *words, *self.files]
        answer = subprocess.run(line, capture_output=True, text=True)
        assert answer.returncode in (0, 1) and not answer.stderr, (line, answer.stderr)
        report = json.loads(answer.stdout)
        assert report["equal"] == (answer.returncode == 0)
        assert not report["only_a"] and not report["only_b"] and not report["other_changed"]
        assert report["same"] + len(report["changed"]) == len(self.names)
        return {item["path"]: item for item in report["changed"]}

    def record(self, what, expected, found):
        self.count += 1
        if expected != found:
            self.failures.append(f"{what}:\n  torch {expected}\n  ptsd  {found}")

    def elements(self, *words):
        """Every pair, in every mode."""
        for mode in MODES:
            found = self.diff(*mode.words, *words)
            for name, (a, b) in self.pairs.items():
                # What a conversion leaves of the payload of a NaN depends on where it stands.
                if mode.bits and a.dtype != b.dtype and (a.isnan().any() or b.isnan().any()):
                    continue
                item = found.get(name)
                if item is not None and "dtype" in item["what"]:
                    self.check_no_common(name, a, b)
                    continue
                expected = self.oracle.find(a, b, mode)
                counts = (expected.mismatched if expected else 0, item["mismatched"] if item else 0)
                if 0 < abs(counts[0] - counts[1]) <= self.oracle.on_edge(a, b, mode):
                    continue
                what = f"{name} {list(a.shape)} {' '.join(mode.words)}"
                self.check_item(what, self.slack(a, b), expected, item)

    def slack(self, a, b):
        """How a distance in the plane is rounded is the library's."""
        if self.torch.complex32 in (a.dtype, b.dtype):
            return 1e-3
        return 1e-6 if a.dtype.is_complex or b.dtype.is_complex else 0

    def check_no_common(self, name, a, b):
        """There is none that holds the values of both, though assert_close converts to int64."""
        unsigned = self.torch.uint64
        integers = {tensor.dtype for tensor in (a, b)} - {unsigned}
        signed = all(dtype.is_signed and not dtype.is_floating_point for dtype in integers)
        self.record(f"common dtype of {name}", True, unsigned in (a.dtype, b.dtype) and signed)

    def check_item(self, what, slack, expected, item):
        if expected is None or item is None:
            return self.record(what, expected, item)
        self.record(
            what, (expected.mismatched, expected.numel), (item["mismatched"], item["numel"])
        )
        for key in ("max_abs", "max_rel"):
            value, index = getattr(expected, key)
            found, at = float(item[key]["value"]), item[key]["index"]
            if diff_expected.same_number(float(value), found, slack) and (at == index or slack):
                found, at = value, index
            self.record(f"{what} {key}", (value, index), (found, at))

    def quantized(self):
        """Quantised tensors: tolerances are not for what they store."""
        for mode in MODES:
            found = self.diff(*mode.words)
            for name, (a, b) in self.pairs.items():
                expected = self.torch.equal(a, b)
                self.record(f"{name} {' '.join(mode.words)}", expected, name not in found)

    def sparse(self):
        """Places count exactly, values as the mode says."""
        for mode in MODES:
            if mode.bits:
                continue
            found = self.diff(*mode.words)
            for name, (a, b) in self.pairs.items():
                tolerance = {} if mode.close else {"rtol": mode.rtol, "atol": mode.atol}
                try:
                    self.torch.testing.assert_close(a, b, equal_nan=mode.equal_nan, **tolerance)
                    expected = True
                except AssertionError:
                    expected = False
                self.record(f"{name} {' '.join(mode.words)}", expected, name not in found)

    def packed(self):
        found = self.diff()
        for name, (a, b) in self.pairs.items():
            bytes_apart = int((a.view(self.torch.uint8) != b.view(self.torch.uint8)).sum())
            item = found.get(name)
            self.record(name, bytes_apart, item["mismatched"] if item else 0)


def run(options, folder):
    import torch

    warnings.simplefilter("ignore")
    torch.manual_seed(options.seed)
    chance = random.Random(options.seed)
    comparison = Comparison(torch, options.ptsd, folder)
    pairs = 0
    for make, check in [
        (diff_tensors.plain(torch, chance, options.rounds), comparison.elements),
        (
            diff_tensors.mixed(torch, chance, 10 * options.rounds),
            lambda: comparison.elements("--ignore-dtype"),
        ),
        (diff_tensors.sparse(torch, chance, 3 * options.rounds), comparison.sparse),
        (diff_tensors.quantized(torch, chance, 3 * options.rounds), comparison.quantized),
        (diff_tensors.packed(torch, chance), comparison.packed),
    ]:
        comparison.save(dict(make))
        pairs += len(comparison.names)
        check()
    for failure in comparison.failures[:20]:
        print(failure)
    said = comparison.oracle.parsed
    print(f"{pairs} pairs, {comparison.count} facts, {said} findings in assert_close's words")
    print(f"{len(comparison.failures)} differ")
    assert pairs >= 500 or options.rounds < 20
    sys.exit(bool(comparison.failures))


if __name__ == "__main__":
    rounds.main(__file__, __doc__, 20, run)
