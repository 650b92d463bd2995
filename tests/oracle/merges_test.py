# SPDX-License-Identifier: Apache-2.0
"""Merges random state dicts, and asks PyTorch what came of them.

    python merges_test.py PTSD [--seed N] [--rounds N]

The union holds the values of all inputs, shares within each input what that shares and nothing
between two, and keeps _metadata. Started by any Python; runs itself again with the one that has
PyTorch.
"""

import collections
import os
import random
import subprocess

import rounds


def random_state(torch, chance, prefix):
    """An OrderedDict with some tied tensors and views, and the _metadata of its modules."""
    state = collections.OrderedDict()
    for number in range(chance.randint(1, 6)):
        name = f"{prefix}{chance.choice('abc')}.{number}.weight"
        base = torch.randn(chance.choice([0, 1, 6, 500]))
        state[name] = base
        if state and chance.random() < 0.4:
            state[f"{prefix}tied.{number}"] = chance.choice(list(state.values()))
        if len(base) > 1 and chance.random() < 0.4:
            state[f"{prefix}view.{number}"] = base[1:]
    modules = {name.rpartition(".")[0] for name in state}
    state._metadata = collections.OrderedDict(
        (module, {"version": chance.randint(1, 3)}) for module in sorted(modules)
    )
    return state


def check_sharing(inputs, merged):
    """`inputs` are dicts of names in the union."""
    whose = {name: number for number, state in enumerate(inputs) for name in state}
    assert list(merged) == list(whose), "other names, or another order"
    before = {name: tensor for state in inputs for name, tensor in state.items()}
    rounds.check_sharing(before, merged, lambda one, other: whose[one] == whose[other])


def check(torch, inputs, merged):
    for state in inputs:
        for name, tensor in state.items():
            assert torch.equal(merged[name], tensor), name
            assert merged[name].stride() == tensor.stride(), name
    check_sharing(inputs, merged)
    metadata = [item for state in inputs for item in state._metadata.items()]
    assert list(merged._metadata.items()) == metadata, "other _metadata"


def under(state, prefix):
    renamed = collections.OrderedDict((prefix + name, value) for name, value in state.items())
    renamed._metadata = collections.OrderedDict(
        (prefix + module, value) for module, value in state._metadata.items()
    )
    return renamed


class Merging:
    def __init__(self, options, folder):
        self.ptsd = options.ptsd
        self.folder = folder

    def path(self, name):
        return os.path.join(self.folder, name)

    def merge(self, *words):
        command = [self.ptsd, "merge", *words, "-o", self.path("out.pt"), "--force"]
        return subprocess.run(command, capture_output=True, text=True)

    def merged(self, torch, *words):
        answer = self.merge(*words)
        assert answer.returncode == 0, answer
        return torch.load(self.path("out.pt")), torch.load(self.path("out.pt"), mmap=True)


def run(options, folder):
    import torch

    merging = Merging(options, folder)
    done = 0
    for number in range(options.rounds):
        chance = random.Random(f"{options.seed}/{number}")
        states = [random_state(torch, chance, f"{letter}.") for letter in "xyz"]
        paths = [merging.path(f"{letter}.pt") for letter in "xyz"]
        for state, path in zip(states, paths):
            torch.save(state, path)
        for merged in merging.merged(torch, *paths):
            check(torch, states, merged)
        prefixed = [f"{letter}.={paths[0]}" for letter in "pqr"]
        for merged in merging.merged(torch, *prefixed):
            check(torch, [under(states[0], f"{letter}.") for letter in "pqr"], merged)
        for merged in merging.merged(torch, *paths, paths[1]):  # equal entries are fine
            check(torch, states, merged)
        changed = next((name for name, value in states[0].items() if len(value)), None)
        if changed:
            other = collections.OrderedDict({changed: states[0][changed] + 1})
            torch.save(other, paths[1])
            assert merging.merge(paths[0], paths[1]).returncode == 2, "two values"
            last, _ = merging.merged(torch, paths[0], paths[1], "--on-conflict", "last")
            assert torch.equal(last[changed], other[changed])
        done += 3
    print(f"{done} merges are what they should be")


if __name__ == "__main__":
    rounds.main(__file__, __doc__, 30, run)
