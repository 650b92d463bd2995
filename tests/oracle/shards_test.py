# SPDX-License-Identifier: Apache-2.0
"""Asks whether ptsd and huggingface_hub see and split sharded checkpoints in the same way.

    python shards_test.py PTSD SHARD_PLAN [--seed N] [--rounds N]

save_torch_state_dict() writes a state dict in shards and in one file: ptsd finds that they are
equal, by the index, the directory, and the parts without their index, and names the file in which
an entry is. SHARD_PLAN splits as the library does, and its index is that of the library, to the
byte.
"""

import argparse
import collections
import json
import logging
import os
import random
import shutil
import subprocess
import sys
import tempfile

import interpreters
import seeds

NAMES = ["w", "layer.0.weight", "a b", "é", "\u2028", "\U0001f600", 'q"', "b\\", "\x7f", "0", "z/"]


class Test:
    def __init__(self, options, folder):
        self.ptsd = options.ptsd
        self.shard_plan = options.shard_plan
        self.folder = folder
        self.failures = []
        self.done = collections.Counter()

    def record(self, what, name, expected, found):
        self.done[what] += 1
        if expected != found:
            self.failures.append((what, name, expected, found))

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def equal(self, name, one, other):
        run = subprocess.run([self.ptsd, "diff", "--json", one, other], capture_output=True,
                             cwd=self.folder)
        found = json.loads(run.stdout)["equal"] if run.stdout else run.stderr
        self.record("equal", name, True, found)

    def names(self, path):
        run = subprocess.run([self.ptsd, "ls", "--json", path], capture_output=True, cwd=self.folder)
        answer = json.loads(run.stdout)
        assert not answer["warnings"], answer["warnings"]
        return {item["path"].replace("~1", "/").replace("~0", "~") for item in answer["tensors"]}

    def read(self, chance, number):
        """One state dict in shards, and in one file."""
        import huggingface_hub

        state = random_state(chance)
        size = chance.choice([40, 200, 1000])
        for safe in (True, False):
            for kind, most in (("shards", size), ("one", 10**9)):
                shutil.rmtree(self.path(kind), ignore_errors=True)
                os.mkdir(self.path(kind))
                huggingface_hub.save_torch_state_dict(dict(state), self.path(kind),
                                                      max_shard_size=most, safe_serialization=safe)
            name = f"{number} {'safetensors' if safe else 'bin'}"
            self.record("names", name, set(state), self.names("shards"))
            files = os.listdir(self.path("shards"))
            index = [file for file in files if file.endswith(".json")]
            self.equal(name + ", directory", "shards", "one")
            if index:
                self.equal(name + ", index", os.path.join("shards", index[0]), "one")
                with open(self.path("shards", index[0])) as file:
                    aliases = [k for k, v in json.load(file)["metadata"].items() if v in state]
                os.remove(self.path("shards", index[0]))
                # What only the index says is gone with it.
                if not aliases:
                    self.equal(name + ", no index", "shards", "one")
                self.done["sharded"] += 1

    def split(self, chance, number):
        """The plan of shards, and the index."""
        import huggingface_hub
        import torch

        state = random_state(chance)
        most = chance.choice(["1KB", "0.1KB", "0.04 kb", "1MB", "1TB"])
        safe = chance.random() < 0.5
        stem, extension = ("model", ".safetensors") if safe else ("pytorch_model", ".bin")
        plan = huggingface_hub.split_torch_state_dict_into_shards(
            state, max_shard_size=most, filename_pattern=stem + "{suffix}" + extension)
        storages = {}
        lines = [most, stem, extension]
        for name, tensor in state.items():
            storage = tensor.untyped_storage()
            known = storages.setdefault(storage.data_ptr() or name, len(storages))
            lines.append(f"{storage.nbytes()} {known} {name}")
        run = subprocess.run([self.shard_plan], input="\n".join(lines).encode() + b"\n",
                             capture_output=True, check=True)
        index = {"metadata": plan.metadata, "weight_map": plan.tensor_to_filename}
        numbers = {name: str(i) for i, name in enumerate(state)}
        expected = "".join(
            " ".join([file, *(numbers[name] for name in names)]) + "\n"
            for file, names in plan.filename_to_tensors.items()
        ) + json.dumps(index, indent=2)
        self.record("plans", number, expected, run.stdout.decode())
        del torch


def random_state(chance):
    import torch

    state = {}
    for _ in range(chance.randint(1, 14)):
        name = ".".join(chance.choice(NAMES) for _ in range(chance.randint(1, 3)))
        if state and chance.random() < 0.2:
            state[name] = state[chance.choice(list(state))]
            continue
        dtype = chance.choice([torch.float32, torch.float16, torch.int64, torch.bool])
        shape = [chance.choice([1, 2, 3, 5, 8]) for _ in range(chance.randint(1, 3))]
        state[name] = torch.randint(0, 2, shape).to(dtype)
    return state


def run(options, folder):
    logging.disable(logging.WARNING)
    test = Test(options, folder)
    for number in range(options.rounds):
        chance = random.Random(f"{options.seed}/{number}")
        test.read(chance, number)
        for again in range(10):
            test.split(chance, f"{number}.{again}")
    for failure in test.failures[:10]:
        print(*failure, sep="\n    ", flush=True)
    print(f"{dict(test.done)}, {len(test.failures)} failures")
    assert test.done["sharded"] > 0
    return 1 if test.failures else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ptsd")
    parser.add_argument("shard_plan")
    seeds.add_seed(parser)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--here", action="store_true", help="this Python has PyTorch")
    options = parser.parse_args()
    options.ptsd = os.path.abspath(options.ptsd)
    options.shard_plan = os.path.abspath(options.shard_plan)
    what = "shards as huggingface_hub sees them"
    if not options.here:
        python = interpreters.require("new", what)
        print(f"seed {options.seed}", flush=True)
        words = ["--seed", str(options.seed), "--rounds", str(options.rounds), "--here"]
        line = [python, "-B", __file__, options.ptsd, options.shard_plan, *words]
        sys.exit(subprocess.run(line).returncode)
    interpreters.require_module("safetensors", what)
    interpreters.require_module("huggingface_hub", what)
    with tempfile.TemporaryDirectory(prefix="ptsd-shards-") as folder:
        sys.exit(run(options, folder))


if __name__ == "__main__":
    main()
