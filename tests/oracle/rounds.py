# SPDX-License-Identifier: Apache-2.0
"""What tests share that make checkpoints at random, edit them, and ask PyTorch what became of them.

Such a test is started by any Python, and runs itself again with the one that has PyTorch.
"""

import argparse
import os
import subprocess
import sys
import tempfile

import interpreters
import seeds


def storage(tensor):
    return tensor.untyped_storage()._cdata


def check_sharing(before, after, together=lambda one, other: True):
    """The same tensors share storages, except that those that are not together share none."""
    for one in before:
        # PyTorch makes an empty storage anew for each tensor.
        if not after[one].untyped_storage().nbytes():
            continue
        for other in before:
            shared = together(one, other) and storage(before[one]) == storage(before[other])
            assert shared == (storage(after[one]) == storage(after[other])), (one, other)


def main(path, description, rounds, run):
    """Calls run(options, folder) with PyTorch; `path` is the test that calls this."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("ptsd")
    seeds.add_seed(parser)
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--here", action="store_true", help="this Python has PyTorch")
    options = parser.parse_args()
    if not options.here:
        python = interpreters.require("new", os.path.basename(path))
        print(f"seed {options.seed}", flush=True)
        words = ["--seed", str(options.seed), "--rounds", str(options.rounds), "--here"]
        sys.exit(subprocess.run([python, "-B", path, options.ptsd, *words]).returncode)
    import torch

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="ptsd-rounds-") as folder:
        run(options, folder)
