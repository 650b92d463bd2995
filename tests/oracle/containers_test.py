# SPDX-License-Identifier: Apache-2.0
"""Writes one model in every container, and asks that ptsd sees the same model in each.

    python containers_test.py PTSD [--seed N] [--rounds N]

Every two are the same to `ptsd diff`, and not the same as another model; each becomes an archive, a
legacy stream and a safetensors file that the reference libraries load, with the same values.
"""

import itertools
import os
import random
import subprocess
import warnings

import containers
import rounds


class Containers:
    def __init__(self, options, folder):
        self.ptsd = options.ptsd
        self.folder = folder

    def run(self, *words, expect=0):
        answer = subprocess.run([self.ptsd, *words], capture_output=True, text=True)
        assert answer.returncode == expect, (words, answer)
        return answer

    def check_pairs(self, paths, other):
        for one, two in itertools.permutations(paths, 2):
            # What two archives of TorchScript have besides tensors is compared, and differs.
            words = ["--exclude", "re:_torchscript"] if {one, two} <= containers.SCRIPTS else []
            self.run("diff", paths[one], paths[two], *words)
        for path in paths.values():
            self.run("diff", "-q", path, other, expect=1)

    def merged(self, first, second):
        """Into an archive: the first has to be one, or no file of torch.save at all."""
        out = os.path.join(self.folder, "merged.pt")
        self.run("merge", "a.=" + first, "b.=" + second, "-o", out, "--force")
        return out

    def converted(self, path, *words):
        out = os.path.join(self.folder, "converted" + (".safetensors" if not words else ".pt"))
        # A traced model has its constants besides, of which the state dict knows nothing.
        self.run("rewrite", path, *words, "-o", out, "--force", "--verify-output", "--drop-other")
        self.run("diff", path, out)
        return out


def check_state(torch, expected, state):
    assert set(state) == set(expected), set(state) ^ set(expected)
    for name, tensor in expected.items():
        assert state[name].dtype == tensor.dtype, name
        assert torch.equal(state[name], tensor), name


def run(options, folder):
    import safetensors.torch
    import torch

    warnings.simplefilter("ignore")  # of formats that are no longer in fashion
    for number in range(options.rounds):
        chance = random.Random(f"{options.seed}/{number}")
        here = os.path.join(folder, str(number))
        os.mkdir(here)
        model = containers.random_model(torch, chance.randrange(10**6))
        expected = containers.state_of(model)
        containing = Containers(options, here)
        paths = containers.write_all(torch, model, here)
        other = os.path.join(here, "other.pt")
        torch.save(containers.random_model(torch, chance.randrange(10**6)).state_dict(), other)
        containing.check_pairs(paths, other)
        both = {f"{side}.{name}": tensor for side in "ab" for name, tensor in expected.items()}
        for path in paths.values():
            archive = torch.load(containing.merged(paths["zip.pt"], path))
            check_state(torch, both, archive)
        for name, path in paths.items():
            # What is an archive already keeps its protocol; what becomes one gets 2.
            safe = name not in containers.OTHER_PROTOCOLS
            archive = containing.converted(path, "--to", "pt")
            check_state(torch, expected, torch.load(archive, weights_only=safe))
            legacy = containing.converted(path, "--to", "legacy")
            check_state(torch, expected, torch.load(legacy, weights_only=False))
            check_state(torch, expected, safetensors.torch.load_file(containing.converted(path)))
    count = len(containers.CONTAINERS)
    print(f"{options.rounds} models are the same in {count} containers, and converted")


if __name__ == "__main__":
    rounds.main(__file__, __doc__, 2, run)
