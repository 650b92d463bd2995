# SPDX-License-Identifier: Apache-2.0
"""Bare pickles, .npy and .npz files that Python wrote hold what PyTorch makes of the same objects.

    python numpy_test.py PTSD --interpreter new|old [--keep DIRECTORY]

Started by any Python; runs itself again with the one that has PyTorch to write each object twice:
as it is, and with tensors for arrays by torch.save. `ptsd diff` then finds no difference.
"""

import json
import os
import pickle
import subprocess
import sys

import arguments
import interpreters
import running

DTYPES = "bool u1 i1 i2 i4 i8 f2 f4 f8 c8 c16".split()


def arrays(np, chance):
    """Of every dtype, order of bytes and order of elements."""
    made = {}
    for code in DTYPES:
        for order in "<>":
            shape = [chance.choice([0, 1, 2, 3, 5]) for _ in range(chance.randint(0, 4))]
            data = np.random.RandomState(len(made)).bytes(16 * 5**4)
            count = int(np.prod(shape))
            plain = np.frombuffer(data, dtype=np.dtype(code).newbyteorder(order))[:count]
            if code == "bool":
                plain = np.frombuffer(data, dtype="u1")[:count] % 2 == 0
            array = plain.reshape(shape)
            form = chance.choice(["c", "fortran", "reversed", "part"])
            if form == "fortran":
                array = np.asfortranarray(array)
            elif form == "reversed" and array.ndim:
                array = array[::-1]
            elif form == "part" and array.ndim:
                array = array[..., ::2]
            made[f"{code}{order}{form}"] = array
    return made


def tensors_of(torch, np, value):
    """The same value with tensors for arrays."""
    if isinstance(value, np.ndarray):
        native = np.array(value, dtype=value.dtype.newbyteorder("="))
        return torch.from_numpy(np.ascontiguousarray(native).reshape(value.shape))
    if type(value) is dict:
        return {key: tensors_of(torch, np, item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(tensors_of(torch, np, item) for item in value)
    return value


def write(folder):
    import random

    import numpy as np
    import torch

    chance = random.Random(3)
    written = []

    def twice(name, value, save):
        with open(os.path.join(folder, name), "wb") as file:
            save(file)
        torch.save(tensors_of(torch, np, value), os.path.join(folder, name + ".pt"))
        written.append(name)

    weight = torch.arange(24.0).reshape(4, 6)
    objects = {
        "tensors": {"w": weight, "row": weight[1], "t": weight.t(), "e": torch.empty(0, 3),
                    "p": torch.nn.Parameter(weight[:2].clone()), "h": weight.half(),
                    "b": weight.bfloat16(), "n": [weight.long(), (1, 2.5, None, "x")]},
        "model": torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.LayerNorm(4)).state_dict(),
        "arrays": arrays(np, chance),
        "detectron2": {"model": {"a.weight": np.ones((3, 4), "f4")}, "__author__": "x",
                       "matching_heuristics": True},
        "tensor": weight,
        "array": np.arange(5),
    }
    for name, value in objects.items():
        for protocol in range(6):
            twice(f"{name}.{protocol}.pkl", value,
                  lambda file: pickle.dump(value, file, protocol=protocol))
    made = arrays(np, chance)
    twice("stored.npz", made, lambda file: np.savez(file, **made))
    twice("deflated.npz", made, lambda file: np.savez_compressed(file, **made))
    for name, array in made.items():
        for version in (1, 2, 3):
            twice(f"{name}.{version}.npy", array,
                  lambda file: np.lib.format.write_array(file, array, version=(version, 0)))
    with open(os.path.join(folder, "written.json"), "w") as file:
        json.dump(written, file)


def check(options, folder):
    python = interpreters.require(options.interpreter, "pickles and arrays")
    subprocess.run([python, "-B", __file__, "--write", folder], check=True)
    with open(os.path.join(folder, "written.json")) as file:
        names = json.load(file)
    failures = 0
    for name in names:
        path = os.path.join(folder, name)
        answer = running.run(options.ptsd, "diff", "--bits", path, path + ".pt")
        if answer.code != 0 or answer.stderr:
            failures += 1
            print("FAIL", name, answer.told(), answer.stderr[:300])
    print(f"{len(names)} files, {failures} failures")
    return 1 if failures or not names else 0


def main():
    if sys.argv[1] == "--write":
        return write(sys.argv[2])
    return arguments.in_folder(arguments.parser(__doc__).parse_args(), check)


if __name__ == "__main__":
    sys.exit(main())
