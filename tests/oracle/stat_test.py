# SPDX-License-Identifier: Apache-2.0
"""Compares what `ptsd stat` computes with the elements that PyTorch loads, in float64.

    python stat_test.py PTSD [--seed N] [--rounds N]

Tensors of every dtype and layout. Counts and ends are exact; mean and standard deviation are held
against sums of fractions or of math.fsum, and the histogram against numpy.histogram. Started by any Python; runs itself again with the one that has PyTorch.
"""

import json
import math
import os
import random
import subprocess
import sys
import warnings
from fractions import Fraction

import rounds

import cat_tensors
import stat_tensors

BINS = [1, 2, 7, 50, 1000]
# Elements above which fractions take too long.
EXACT = 5_000
MEAN, DEVIATION = 1e-12, 1e-9


def stored_values(torch, tensor):
    """The elements that count, in a dense tensor that is not quantised."""
    tensor = tensor.detach()
    if tensor.is_nested:
        return torch.cat([part.reshape(-1) for part in tensor.unbind()])
    if tensor.layout == torch.sparse_coo:
        return tensor._values()
    if tensor.layout != torch.strided:
        return tensor.values()
    return tensor.int_repr() if tensor.is_quantized else tensor


def is_number(torch, tensor):
    names = str(tensor.dtype)
    packed = ("float4", "bits", "quint4x2", "quint2x4")
    return not tensor.is_meta and not any(name in names for name in packed)


def numbers(torch, tensor):
    """The elements that count, flat, in float64 or a wide integer dtype."""
    values = stored_values(torch, tensor).resolve_conj().resolve_neg().reshape(-1)
    if values.dtype == torch.complex32:
        values = values.to(torch.complex64)
    if values.is_complex():
        part_is_nan = values.real.isnan() | values.imag.isnan()
        return torch.where(part_is_nan, math.nan, values.abs().double())
    wide = values.dtype in (torch.int64, torch.uint64)
    return values if wide else values.to(torch.float64)


def exact_moments(values):
    """Mean and standard deviation of a list of finite numbers, rounded once."""
    fractions = [Fraction(value) for value in values]
    mean = sum(fractions) / len(fractions)
    if len(fractions) < 2:
        return float(mean), None
    squares = sum((value - mean) ** 2 for value in fractions) / (len(fractions) - 1)
    return float(mean), root(squares)


def summed_moments(values):
    mean = math.fsum(values) / len(values)
    apart = [value - mean for value in values]
    rest = math.fsum(apart)
    squares = math.fsum(value * value for value in apart) - rest * rest / len(values)
    return mean + rest / len(values), math.sqrt(squares / (len(values) - 1))


def root(fraction):
    """The square root of a fraction that may be out of the range of floats."""
    if not fraction:
        return 0.0
    shift = (fraction.numerator.bit_length() - fraction.denominator.bit_length()) // 2
    scaled = float(fraction / Fraction(4) ** shift)
    return math.ldexp(math.sqrt(scaled), shift)


class Comparison:
    def __init__(self, torch, numpy, ptsd, folder, tensors):
        self.torch, self.numpy, self.ptsd = torch, numpy, ptsd
        self.file = os.path.join(folder, "tensors.pt")
        torch.save(dict(tensors), self.file)
        self.tensors = torch.load(self.file, weights_only=False)
        self.failures = []
        self.count = 0

    def expect(self, name, what, expected, found, holds=None):
        holds = expected == found if holds is None else holds
        if not holds:
            self.failures.append(f"{what} of {name}: expected {expected}, found {found}")

    def stat(self, bins, *options):
        line = [self.ptsd, "stat", "--json", "--bins", str(bins), *options, self.file]
        process = subprocess.run(line, capture_output=True, text=True)
        assert process.returncode == 0, process.stderr
        return process.stdout

    def run(self, bins):
        text = self.stat(bins, "--threads", "1")
        self.expect("all", "two threads", text, self.stat(bins, "--threads", "2"))
        answers = {answer["path"]: answer for answer in json.loads(text)["tensors"]}
        for name, tensor in self.tensors.items():
            answer = answers.pop(name.replace("~", "~0").replace("/", "~1"))
            if is_number(self.torch, tensor):
                self.compare(name, tensor, answer, bins == BINS[0])
            else:
                self.expect(name, "zeros", None, answer["zeros"])
            self.count += 1
        # A jagged tensor has parts that are listed beside it.
        assert all("/~state/" in path for path in answers), list(answers)

    def compare(self, name, tensor, answer, first):
        values = numbers(self.torch, tensor)
        array = values.numpy()
        finite = array[self.numpy.isfinite(array)]
        self.expect(name, "zeros", int((array == 0).sum()), answer["zeros"])
        self.expect(name, "nan", int(self.numpy.isnan(array).sum()), answer["nan"])
        self.expect(name, "inf", int(self.numpy.isinf(array).sum()), answer["inf"])
        if not len(finite):
            for key in ("min", "max", "mean", "std", "histogram"):
                self.expect(name, key, None, answer[key])
            return
        if first:
            self.ends(name, tensor, finite, answer)
            self.moments(name, finite, answer)
        self.histogram(name, finite, answer["histogram"])

    def ends(self, name, tensor, finite, answer):
        expected = [finite.min().item(), finite.max().item()]
        found = [answer["min"], answer["max"]]
        if tensor.is_complex():  # hypot need not round correctly
            holds = all(math.isclose(*pair, rel_tol=1e-6) for pair in zip(expected, found))
            self.expect(name, "ends", expected, found, holds)
        else:
            self.expect(name, "ends", expected, found)

    def moments(self, name, finite, answer):
        moments = exact_moments if len(finite) <= EXACT else summed_moments
        mean, deviation = moments(finite.tolist())
        # PyTorch rounds absolute values of these to float32.
        narrow = self.tensors[name].dtype in (self.torch.complex32, self.torch.complex64)
        largest = max(abs(answer["min"]), abs(answer["max"]))
        close = abs(mean - answer["mean"]) <= (1e-6 if narrow else MEAN) * largest
        self.expect(name, "mean", mean, answer["mean"], close)
        if deviation is None:
            self.expect(name, "std", None, answer["std"])
            return
        close = math.isclose(deviation, answer["std"], rel_tol=1e-5 if narrow else DEVIATION)
        # Below this the squares are subnormal.
        close = close or (deviation < 1e-150 and abs(deviation - answer["std"]) <= 1e-155)
        close = close or (narrow and abs(deviation - answer["std"]) <= 1e-6 * largest)
        self.expect(name, "std", deviation, answer["std"], close)

    def histogram(self, name, finite, histogram):
        counts, edges = histogram["counts"], histogram["edges"]
        self.expect(name, "sum of the histogram", len(finite), sum(counts))
        wide = finite.astype(self.numpy.float64)
        if self.tensors[name].is_complex() or not math.isfinite(wide.max() - wide.min()):
            return  # numpy.histogram refuses a range wider than float64
        try:
            expected, expected_edges = self.numpy.histogram(wide, bins=len(counts))
        except ValueError:
            return  # a range too narrow for so many bins
        self.expect(name, "edges", expected_edges.tolist(), edges)
        self.expect(name, "histogram", expected.tolist(), counts)


def run(options, folder):
    import numpy
    import torch

    warnings.simplefilter("ignore")
    numpy.seterr(all="ignore")
    torch.manual_seed(options.seed)
    chance = random.Random(options.seed)
    tensors = [
        *cat_tensors.all_tensors(torch, chance),
        *stat_tensors.all_tensors(torch, chance),
    ]
    comparison = Comparison(torch, numpy, options.ptsd, folder, tensors)
    for bins in BINS[: options.rounds]:
        comparison.run(bins)
    for failure in comparison.failures[:20]:
        print(failure[:1000])
    print(f"{len(tensors)} tensors, {comparison.count} summaries, {len(comparison.failures)} differ")
    assert len(tensors) >= 300
    sys.exit(bool(comparison.failures))


if __name__ == "__main__":
    rounds.main(__file__, __doc__, len(BINS), run)
