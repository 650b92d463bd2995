# SPDX-License-Identifier: Apache-2.0
"""The state dict of a pickled torch.nn.Module is what its state_dict() gives.

    python modules_test.py PTSD [--keep DIRECTORY]

Started by any Python; runs itself again with those that have PyTorch, which pickle the modules.
"""

import json
import os
import subprocess
import sys
import warnings

import arguments
import interpreters


def models(torch):
    """Name, module."""
    nn = torch.nn
    yield "linear", nn.Linear(2, 3)
    yield "without_bias", nn.Linear(2, 3, bias=False)
    yield "empty", nn.ReLU()
    yield "norms", nn.Sequential(nn.BatchNorm2d(2), nn.InstanceNorm1d(2, affine=True),
                                 nn.BatchNorm1d(3, track_running_stats=False), nn.LayerNorm(3))
    yield "recurrent", nn.LSTM(2, 3, num_layers=2, bidirectional=True)
    yield "attention", nn.MultiheadAttention(4, 2, bias=True)
    yield "transformer", nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8), 2)
    yield "embedding", nn.EmbeddingBag(5, 3)
    yield "lists", nn.ModuleDict({"a": nn.ModuleList([nn.Linear(1, 1), nn.Bilinear(1, 2, 3)]),
                                  "b": nn.ParameterList([nn.Parameter(torch.ones(2))])})
    yield "weight_norm", nn.utils.weight_norm(nn.Linear(2, 3))
    yield "spectral_norm", nn.utils.spectral_norm(nn.Linear(2, 3))
    yield "parallel", nn.DataParallel(nn.Linear(2, 3))

    tied = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    tied[1].weight = tied[0].weight
    tied.add_module("again", tied[0])
    yield "tied", tied

    buffers = nn.Linear(2, 2)
    buffers.register_buffer("kept", torch.arange(6.0).reshape(2, 3).t())
    buffers.register_buffer("passing", torch.ones(2), persistent=False)
    buffers.register_buffer("none", None)
    buffers.register_parameter("off", None)
    buffers.add_module("missing", None)
    buffers.scratch = torch.ones(3)
    buffers.weight.requires_grad_(False)
    buffers.half()
    yield "buffers", buffers

    yield "packed", torch.quantization.quantize_dynamic(nn.Sequential(nn.Linear(2, 3)), {nn.Linear})

    marked = nn.Linear(1, 1)
    marked.weight.note = "kept with the parameter"
    yield "marked", marked


PACKED = ("packed.zip", "packed.legacy")  # what only their class can unpack


def write(folder):
    import torch

    warnings.simplefilter("ignore")
    torch.manual_seed(0)
    names = []
    for name, model in models(torch):
        state = model.state_dict()
        for form, options in (("zip", {}), ("legacy", {"_use_new_zipfile_serialization": False})):
            case = f"{name}.{form}"
            torch.save(model, os.path.join(folder, case), **options)
            torch.save(state, os.path.join(folder, case + ".state"), **options)
            names.append([case, list(state)])
    with open(os.path.join(folder, "cases.json"), "w") as file:
        json.dump(names, file)


def run(*words):
    return subprocess.run(words, capture_output=True, text=True)


def check_case(ptsd, path, names):
    """What is wrong, as a text; nothing if all is well."""
    state = path + "#~state_dict"
    if path.endswith(PACKED):
        answer = run(ptsd, "ls", state)
        refused = answer.returncode == 2 and "the state dict is not known" in answer.stderr
        return None if refused else f"not refused: {answer}"
    listed = [row["path"] for row in json.loads(run(ptsd, "ls", "--json", state).stdout)["tensors"]]
    if listed != names:
        return f"names {listed}, expected {names}"
    if not names:
        return None
    for words in (["diff", "--strict-layout", "--bits", state, path + ".state"],
                  ["diff", path, path + ".state"], ["fit", path, path + ".state"],
                  ["fit", path + ".state", path],
                  ["rewrite", state, "-o", path + ".out", "--force", "--verify-output"],
                  ["diff", "--strict-layout", "--bits", path + ".out", path + ".state"]):
        answer = run(ptsd, *words)
        if answer.returncode != 0:
            return f"{words}: {answer.returncode}: {answer.stdout}{answer.stderr}"
    return None


def check_loads(folder):
    """Run by a Python with PyTorch: what was written is the state dict of a module."""
    import torch

    warnings.simplefilter("ignore")
    torch.manual_seed(0)
    for name, model in models(torch):
        for form in ("zip", "legacy"):
            path = os.path.join(folder, f"{name}.{form}.out")
            if not os.path.exists(path):
                assert not model.state_dict() or name == "packed", name
                continue
            state = torch.load(path, **({"weights_only": True} if form == "zip" else {}))
            model.load_state_dict(state)
            expected = torch.load(path[: -len("out")] + "state")
            assert list(state) == list(expected), name
            assert all(torch.equal(state[key], expected[key]) for key in state), name


def check(options, folder):
    failures = cases = 0
    for which in ("new", "old"):
        python = interpreters.require(which, "state dicts of pickled modules")
        here = os.path.join(folder, which)
        os.mkdir(here)
        subprocess.run([python, "-B", __file__, "--write", here], check=True)
        with open(os.path.join(here, "cases.json")) as file:
            rows = json.load(file)
        for name, names in rows:
            cases += 1
            fault = check_case(options.ptsd, os.path.join(here, name), names)
            if fault:
                failures += 1
                print("FAIL", which, name, fault)
        subprocess.run([python, "-B", __file__, "--load", here], check=True)
    print(f"{cases} pickled modules, {failures} failures")
    return 1 if failures or not cases else 0


def main():
    if sys.argv[1] == "--write":
        return write(sys.argv[2])
    if sys.argv[1] == "--load":
        return check_loads(sys.argv[2])
    return arguments.in_folder(arguments.parser(__doc__).parse_args(), check)


if __name__ == "__main__":
    sys.exit(main())
