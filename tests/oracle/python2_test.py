# SPDX-License-Identifier: Apache-2.0
"""Files in the forms of the first releases are read as torch.load reads them.

    python python2_test.py PTSD [--keep DIRECTORY]

Started by any Python; runs itself again with the one that has PyTorch, which writes them by their
description. What torch.load reads of them is saved as an archive, and `ptsd diff` must find no
difference.
"""

import collections
import json
import os
import subprocess
import sys

import arguments
import first_releases
import interpreters
import running


def objects(torch):
    base = torch.arange(24.0).reshape(4, 6)
    state = collections.OrderedDict(
        weight=base, row=base[1], column=base[:, 2], transposed=base.t(), empty=torch.zeros(0),
        bias=torch.arange(3, dtype=torch.int64), mask=torch.ones(2, 2, dtype=torch.uint8),
        half=torch.arange(5).half(), double=torch.arange(5).double(), again=base)
    yield "state", state
    yield "training", {"epoch": 3, "best": 0.5, "state_dict": state, "name": "net " * 100,
                       "lrs": [0.1, 0.01], "sizes": (1, 2)}
    yield "tensor", torch.arange(6).reshape(2, 3)


def write(folder):
    import torch

    files = []

    def add(name, data, expected):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)
        if expected is None:
            expected = name + ".pt"
            value = torch.load(os.path.join(folder, name), weights_only=False)
            torch.save(value, os.path.join(folder, expected))
        files.append((name, expected))

    for name, value in objects(torch):
        add(name + ".tar", first_releases.tar(torch, value, False), None)
        add(name + ".oldest.tar", first_releases.tar(torch, value, True), name + ".tar.pt")
        add(name + ".legacy", first_releases.stream(torch, value), None)
        tensors = value if isinstance(value, dict) else {}
        shared = {t.untyped_storage()._cdata for t in tensors.values() if isinstance(t, torch.Tensor)}
        add(name + ".views.legacy", first_releases.stream(torch, value, shared), None)
    with open(os.path.join(folder, "files.json"), "w") as file:
        json.dump(files, file)


def check(options, folder):
    python = interpreters.require("new", "files of the first releases")
    subprocess.run([python, "-B", __file__, "--write", folder], check=True)
    with open(os.path.join(folder, "files.json")) as file:
        files = json.load(file)
    failures = 0
    for name, expected in files:
        pair = [os.path.join(folder, each) for each in (name, expected)]
        answer = running.run(options.ptsd, "diff", "--bits", "--strict-layout", *pair)
        if answer.code != 0 or answer.stderr:
            failures += 1
            print("FAIL", name, answer.told(), str(answer.json)[:300])
    print(f"{len(files)} files, {failures} failures")
    return 1 if failures or not files else 0


def main():
    if sys.argv[1] == "--write":
        return write(sys.argv[2])
    return arguments.in_folder(arguments.parser(__doc__).parse_args(), check)


if __name__ == "__main__":
    sys.exit(main())
