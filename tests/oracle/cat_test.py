# SPDX-License-Identifier: Apache-2.0
"""Compares what `ptsd cat` prints with what PyTorch prints.

    python cat_test.py PTSD [--seed N]

Tensors of every dtype and layout: summarised and in full, slices, JSON, and .npy files against
numpy. Started by any Python; runs itself again with the one that has PyTorch.
"""

import argparse
import io
import json
import math
import os
import random
import re
import subprocess
import sys
import tempfile
import warnings

import cat_tensors
import interpreters
import seeds

INDICES = [
    "0", "-1", ":", "...", "0:3", "-3:", "::2", "1:100:3", "5:2", ":, 0", "..., -1", "0, ...",
    "None", "..., None", "1:, None, ::2", "0,", "-100:100", "100:", ":,:,:", "0,0", "7", "...,...",
]  # fmt: skip


class Comparison:
    def __init__(self, torch, ptsd, folder, tensors):
        self.torch, self.ptsd, self.folder = torch, ptsd, folder
        self.file = os.path.join(folder, "tensors.pt")
        torch.save(dict(tensors), self.file)
        self.tensors = torch.load(self.file, weights_only=False)
        self.counts = {}
        self.failures = []

    def cat(self, name, *options):
        key = name.replace("~", "~0").replace("/", "~1")
        line = [self.ptsd, "cat", *options, self.file, key]
        return subprocess.run(line, capture_output=True, text=True)

    def record(self, kind, name, expected, found):
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if expected != found:
            self.failures.append(f"{kind} of {name}:\n{expected}\n--- ptsd ---\n{found}")

    def text(self, kind, name, tensor, *options):
        try:
            expected = str(tensor)
        except (NotImplementedError, RuntimeError):
            return  # PyTorch cannot print it
        # The number of a ragged size depends on what the process made before.
        expected = re.sub(r"\bj\d+\b", "j1", expected) + "\n"
        answer = self.cat(name, *options)
        self.record(kind, name, expected, answer.stdout + answer.stderr)

    def texts(self):
        for name, tensor in self.tensors.items():
            self.text("summary", name, tensor)

    def full(self):
        self.torch.set_printoptions(threshold=math.inf)
        for name, tensor in self.tensors.items():
            self.text("full", name, tensor, "--full")
        self.torch.set_printoptions(threshold=1000)

    def is_strided(self, tensor):
        return (
            tensor.layout == self.torch.strided
            and not tensor.is_nested
            and not (tensor.is_quantized and "channel" in str(tensor.qscheme()))
        )

    def slices(self, chance):
        for name, tensor in self.tensors.items():
            if not self.is_strided(tensor):
                continue
            for index in chance.sample(INDICES, 3):
                try:
                    part = eval(f"tensor.detach()[{index}]", {"tensor": tensor})
                except IndexError:
                    answer = self.cat(name, f"--slice={index}")
                    self.record("refused slice", f"{name}[{index}]", 2, answer.returncode)
                    continue
                except (NotImplementedError, RuntimeError):
                    continue
                self.text("slice", name, part, f"--slice={index}")

    def json(self):
        for name, tensor in self.tensors.items():
            if tensor.is_meta or not self.is_strided(tensor):
                continue
            try:
                value = (tensor.dequantize() if tensor.is_quantized else tensor).tolist()
            except (NotImplementedError, RuntimeError):
                continue
            answer = self.cat(name, "--json")
            item = json.loads(answer.stdout)["values"][0]
            expected = [str(tensor.dtype), list(tensor.shape), as_json(value) if tensor.numel() else []]
            found = ["torch." + item["dtype"], item["shape"], item["value"]]
            # -0.0 and 0.0 are different text.
            self.record("json", name, json.dumps(expected), json.dumps(found))

    def npy(self):
        import numpy

        target = os.path.join(self.folder, "out.npy")
        for name, tensor in self.tensors.items():
            if tensor.is_meta or not self.is_strided(tensor) or tensor.is_quantized:
                continue
            answer = self.cat(name, "--npy", target, "--force")
            try:
                array = tensor.detach().resolve_conj().resolve_neg().numpy().copy(order="C")
            except TypeError:
                self.record("refused npy", name, 2, answer.returncode)
                continue
            saved = io.BytesIO()
            numpy.save(saved, array)
            with open(target, "rb") as file:
                found = file.read()
            self.record("npy", name, saved.getvalue(), found)
            numpy.testing.assert_array_equal(numpy.load(target), array)


def as_json(value):
    if isinstance(value, list):
        return [as_json(item) for item in value]
    if isinstance(value, complex):
        return [as_json(value.real), as_json(value.imag)]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def run(options, folder):
    import torch

    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    chance = random.Random(options.seed)
    comparison = Comparison(torch, options.ptsd, folder, cat_tensors.all_tensors(torch, chance))
    comparison.texts()
    comparison.full()
    comparison.slices(chance)
    comparison.json()
    comparison.npy()
    for failure in comparison.failures[:5]:
        print(failure)
    print(comparison.counts, f"{len(comparison.failures)} differ")
    assert comparison.counts["summary"] >= 300
    sys.exit(bool(comparison.failures))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ptsd")
    seeds.add_seed(parser)
    parser.add_argument("--here", action="store_true", help="this Python has PyTorch")
    options = parser.parse_args()
    if not options.here:
        python = interpreters.require("new", "what PyTorch prints")
        print(f"seed {options.seed}", flush=True)
        words = ["--seed", str(options.seed), "--here"]
        sys.exit(subprocess.run([python, "-B", __file__, options.ptsd, *words]).returncode)
    with tempfile.TemporaryDirectory(prefix="ptsd-cat-") as folder:
        run(options, folder)


if __name__ == "__main__":
    main()
