# SPDX-License-Identifier: Apache-2.0
"""Asks `ptsd fit` and PyTorch's load_state_dict whether checkpoints load, and in which words.

    python fit_test.py PTSD [--seed N] [--rounds N]

Cases by hand (fit_cases.py), and random damage to a model: keys lost, added, moved and reshaped.
Each goes strict and not, and with the state dict in a training checkpoint. Where ptsd suggests
renames, they are applied, and must give what they promise. Started by any Python; runs itself
again with the one that has PyTorch.
"""

import argparse
import collections
import json
import os
import random
import subprocess
import sys
import tempfile
import warnings

import interpreters


def torch_says(case, own_state, strict):
    """Whether it loads, and the text."""
    model = case.model()
    try:
        return True, repr(model.load_state_dict(own_state, strict=strict))
    except RuntimeError as error:
        name = type(model).__name__
        text = str(error)
        head = f"Error(s) in loading state_dict for {name}:"
        assert text.startswith(head), text
        return False, "Error(s) in loading state_dict for REF:" + text[len(head) :]



def ptsd_says(ptsd, folder, *arguments):
    words = [ptsd, "fit", *arguments]
    answer = subprocess.run(words, capture_output=True, text=True, cwd=folder)
    assert answer.returncode in (0, 1), (words, answer)
    text = answer.stdout.split("\n\nrename with:\n")[0].removesuffix("\n")
    return answer.returncode == 0, text.replace("state_dict for ref.pt:", "state_dict for REF:")


def fitting(state, own):
    """The names of a model that an entry of the state dict has, with the same shape."""
    import torch

    def fits(name, value):
        if name not in state:
            return False
        if name.split(".")[-1] == "_extra_state":
            return True
        if not isinstance(state[name], torch.Tensor):
            return False
        shape = tuple(state[name].shape)
        return shape == tuple(value.shape) or (shape == (1,) and value.dim() == 0)

    return {name for name, value in own.items() if fits(name, value)}


class Test:
    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.failures = []
        self.done = collections.Counter()

    def path(self, name):
        return os.path.join(self.folder, name)

    def compare(self, name, case, state):
        import torch

        torch.save(case.model().state_dict(), self.path("ref.pt"))
        torch.save({"epoch": 3, "model_state_dict": state}, self.path("training.pt"))
        torch.save(state, self.path("ckpt.pt"))
        for file in ("training.pt", "ckpt.pt"):
            for strict in (True, False):
                flags = [] if strict else ["--no-strict"]
                expected = torch_says(case, state, strict)
                found = ptsd_says(self.options.ptsd, self.folder, file, "ref.pt", *flags)
                self.done["verdicts"] += 1
                if found != expected:
                    self.failures.append((name, file, strict, expected, found))
        self.check_suggestions(name, case, state)

    def check_suggestions(self, name, case, state):
        """The map that is emitted, once applied, fixes what was promised and breaks nothing."""
        import torch

        before = self.json("training.pt", "--emit-map", "names.tsv", "--force")
        words = [self.options.ptsd, "rename", "training.pt", "--map-from", "names.tsv", "-o"]
        renaming = subprocess.run([*words, "renamed.pt", "--force"], cwd=self.folder,
                                  capture_output=True, text=True)
        assert renaming.returncode == 0, (name, renaming)
        after = self.json("renamed.pt")
        renamed = torch.load(self.path("renamed.pt"), weights_only=False)["model_state_dict"]
        own = case.model().state_dict()
        fitted, fits = fitting(state, own), fitting(renamed, own)
        promised = sum(item["fixes"] for item in before["suggestions"])
        if not fitted <= fits or len(fits) - len(fitted) != promised:
            self.failures.append((name, before["suggestions"], fitted - fits, fits - fitted))
        self.done["suggestions"] += len(before["suggestions"])
        loads, _ = torch_says(case, renamed, True)
        if loads != after["loads"]:
            self.failures.append((name, "renamed", loads, after["message"]))
        if before["suggestions"] and loads:
            self.done["mended"] += 1

    def json(self, file, *flags):
        words = [self.options.ptsd, "fit", "--json", file, "ref.pt", *flags]
        answer = subprocess.run(words, capture_output=True, text=True, cwd=self.folder)
        assert answer.returncode in (0, 1), (words, answer)
        return json.loads(answer.stdout)


def random_damage(own, chance):
    """A state dict with some of its names and shapes changed."""
    import torch

    names = list(own)
    state = collections.OrderedDict()
    metadata = getattr(own, "_metadata", None)
    prefix = chance.choice(["", "", "module.", "model.net."])
    for name in names:
        what = chance.random()
        value = own[name]
        if what < 0.1:
            continue
        if what < 0.2:
            value = torch.zeros(chance.choice([(), (1,), (4,), (2, 3)]))
        if what > 0.9:
            name = chance.choice([name + "_x", name.replace("conv", "cnv"), "new." + name])
        state[prefix + name] = value
    if chance.random() < 0.3:
        items = list(state.items())
        chance.shuffle(items)
        state = collections.OrderedDict(items)
    if metadata is not None and not prefix and chance.random() < 0.5:
        state._metadata = metadata
    return state


def run(options, folder):
    import torch

    warnings.simplefilter("ignore")
    import fit_cases

    torch.set_num_threads(1)
    test = Test(options, folder)
    for name, case in fit_cases.CASES.items():
        test.compare(name, case, case.state(case.model().state_dict()))
    models = [fit_cases.Net, fit_cases.deep, fit_cases.Extra, fit_cases.Tied]
    for number in range(options.rounds):
        chance = random.Random(f"{options.seed}/{number}")
        case = fit_cases.Case(chance.choice(models), None)
        state = random_damage(case.model().state_dict(), chance)
        if state:
            test.compare(f"random {number}", case, state)
    for failure in test.failures[:10]:
        print(*failure, sep="\n    ", flush=True)
    print(f"{len(fit_cases.CASES)} cases and {options.rounds} random ones: {dict(test.done)}, "
          f"{len(test.failures)} failures")
    assert test.done["mended"] > 0
    return 1 if test.failures else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ptsd")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--here", action="store_true", help="this Python has PyTorch")
    options = parser.parse_args()
    if not options.here:
        python = interpreters.require("new", "fit as PyTorch sees it")
        print(f"seed {options.seed}", flush=True)
        words = ["--seed", str(options.seed), "--rounds", str(options.rounds), "--here"]
        ptsd = os.path.abspath(options.ptsd)
        sys.exit(subprocess.run([python, "-B", __file__, ptsd, *words]).returncode)
    with tempfile.TemporaryDirectory(prefix="ptsd-fit-") as folder:
        sys.exit(run(options, folder))


if __name__ == "__main__":
    main()
