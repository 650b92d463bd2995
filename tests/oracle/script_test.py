# SPDX-License-Identifier: Apache-2.0
"""TorchScript archives hold what torch.jit.load finds in them.

    python script_test.py PTSD

Every PyTorch that is there writes archives (script_cases.py). ptsd must list the tensors of their
state dicts in the same order, with the same dtypes, shapes and requires_grad, find every element
equal, and lose none of the other attributes.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

import interpreters
import running

BESIDES = ("~state/_torchscript/", "~state/_metadata/", "~state/__metadata__/")
KEYS = ("name", "dtype", "shape", "requires_grad")

# What must be found besides the state dict: path, value.
ATTRIBUTES = {
    "leaf.number": 3,
    "leaf.large": 1 << 40,
    "leaf.nested/k/1": 2,
    "leaf.names/1": "b",
    "leaf.floats/1": 1.5,
    "leaf.flags/1": False,
    "leaf.pair/1": "two",
    "leaf.nothing": None,
    "sequence.1.training": True,
}
# Tensors that are attributes, and such as lie in containers.
TENSORS = ["~state/_torchscript/attributes/" + name
           for name in ("leaf.plain", "leaf.maybe", "again.plain", "again.maybe", "leaf.table/y",
                        "leaf.tensors/1")]


def listed(ptsd, path):
    answer = running.run(ptsd, "ls", "-a", path)
    assert answer.code == 0, answer.told()
    return answer.json


# torch.save of 1.13 pickles them in forms of its own.
OTHER_FORMS = {"old": {"coo", "csr"}, "new": set()}


def differences(ptsd, one, other):
    process = subprocess.run([ptsd, "diff", "--json", one, other], capture_output=True)
    assert process.returncode in (0, 1), process.stderr
    return json.loads(process.stdout)


def check_state(ptsd, archive, state, expected, other_forms):
    """Whether the state dict is the beginning of the listing, to the last element."""
    found = listed(ptsd, archive)["tensors"]
    shown = [{key: tensor[key] for key in KEYS} for tensor in found[: len(expected)]]
    if shown != expected:
        wrong = [pair for pair in zip(shown, expected) if pair[0] != pair[1]]
        return f"ls: {wrong or 'another number of tensors'}"
    names = {tensor["name"] for tensor in expected}
    beside = BESIDES + tuple(other_forms)
    difference = differences(ptsd, archive, state)
    wrong = [item["path"] for kind in ("only_b", "changed", "other_changed")
             for item in difference[kind] if not item["path"].startswith(beside)]
    wrong += [item["path"] for item in difference["only_a"] if item["path"] in names]
    return f"diff: {wrong}" if wrong else None


def check_rest(ptsd, archive):
    """What an archive of Tree has besides its state dict."""
    answer = listed(ptsd, archive)
    paths = [tensor["path"] for tensor in answer["tensors"]]
    others = {other["path"]: other.get("value") for other in answer["other"]}
    for name, value in ATTRIBUTES.items():
        path = "~state/_torchscript/attributes/" + name
        if path not in others or others[path] != value:
            return f"{path} is {others.get(path)!r}, expected {value!r}"
    lost = [path for path in TENSORS if path not in paths]
    return f"lost: {lost}" if lost else None


def check_constants(ptsd, archive):
    paths = [tensor["path"] for tensor in listed(ptsd, archive)["tensors"]]
    expected = [f"~state/_torchscript/constants/{i}" for i in range(len(paths))]
    return None if paths and paths == expected else f"constants: {paths}"


def check(ptsd, folder, name, which):
    base = os.path.join(folder, name)
    with open(base + ".json") as file:
        expected = json.load(file)
    fault = check_state(ptsd, base + ".pt", base + ".state.pt", expected, OTHER_FORMS[which])
    if not fault and name in ("script", "lite"):
        fault = check_rest(ptsd, base + ".pt")
    if not fault and name == "frozen":
        fault = check_constants(ptsd, base + ".pt")
    return fault


def run(options, python, which, folder):
    cases = os.path.join(os.path.dirname(os.path.abspath(__file__)), "script_cases.py")
    subprocess.run([python, "-B", cases, folder], check=True, capture_output=True)
    names = sorted(name[:-5] for name in os.listdir(folder) if name.endswith(".json"))
    failures = 0
    for name in names:
        fault = check(options.ptsd, folder, name, which)
        if fault:
            print(f"{which}: {name}: {fault}", flush=True)
            failures += 1
    print(f"{which}: {len(names)} archives, {failures} failures", flush=True)
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ptsd")
    options = parser.parse_args()
    options.ptsd = os.path.abspath(options.ptsd)
    pythons = {which: interpreters.find(which) for which in interpreters.INTERPRETERS}
    if not any(pythons.values()):
        interpreters.require("new", "TorchScript as PyTorch reads it")
    failures = 0
    for which, python in pythons.items():
        if python is None:
            print(interpreters.advice(which), file=sys.stderr)
            continue
        with tempfile.TemporaryDirectory(prefix="ptsd-script-") as folder:
            failures += run(options, python, which, folder)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
