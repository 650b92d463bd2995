# SPDX-License-Identifier: Apache-2.0
"""Directories of torch.distributed.checkpoint are what PyTorch itself makes of them.

    python dcp_test.py PTSD [--seed N]

Each is compared with the file that dcp_to_torch_save consolidates it to: names, order, dtypes,
shapes, every element and every value. Started by any Python; runs itself again with the one that
has PyTorch.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import warnings

import interpreters
import running
import seeds


def tensors_of(ptsd, path):
    answer = running.run(ptsd, "ls", path)
    assert answer.code == 0, answer.told()
    return [{key: tensor[key] for key in ("name", "dtype", "shape")}
            for tensor in answer.json["tensors"]]


def check(ptsd, directory, consolidated, any_order):
    """What differs, as a text; nothing if all is well."""
    answer = running.run(ptsd, "diff", directory, consolidated)
    if answer.code != 0:
        return f"diff: {answer.told()} {answer.json}"
    found, expected = tensors_of(ptsd, directory), tensors_of(ptsd, consolidated)
    if any_order:
        found.sort(key=str)
        expected.sort(key=str)
    if found != expected:
        return "ls: other tensors, or in another order"
    facts = running.run(ptsd, "info", directory)
    if facts.code != 0:
        return f"info: {facts.told()}"
    return None


def run(options, folder):
    import dcp_cases

    warnings.simplefilter("ignore")
    names = dcp_cases.write_all(folder, options.seed)
    failures = 0
    for name, reference in names:
        fault = check(options.ptsd, os.path.join(folder, name), os.path.join(folder, reference),
                      name == "ranks")
        if fault:
            print(f"{name}: {fault}", flush=True)
            failures += 1
    print(f"{len(names)} directories, {failures} failures")
    return 1 if failures else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ptsd")
    seeds.add_seed(parser)
    parser.add_argument("--here", action="store_true", help="this Python has PyTorch")
    options = parser.parse_args()
    if not options.here:
        python = interpreters.require("new", "distributed checkpoints as PyTorch reads them")
        print(f"seed {options.seed}", flush=True)
        words = ["--seed", str(options.seed), "--here"]
        ptsd = os.path.abspath(options.ptsd)
        sys.exit(subprocess.run([python, "-B", __file__, ptsd, *words]).returncode)
    with tempfile.TemporaryDirectory(prefix="ptsd-dcp-") as folder:
        sys.exit(run(options, folder))


if __name__ == "__main__":
    main()
