# SPDX-License-Identifier: Apache-2.0
"""Archives of torch.export and torch.package hold what PyTorch reads from them.

    python export_test.py PTSD

Started by any Python; runs itself again with the one that has PyTorch.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import warnings
import zipfile

import interpreters
import running


def program(torch):
    class Program(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Linear(2, 3)
            self.tied = self.linear.weight
            self.frozen = torch.nn.Parameter(torch.ones(3), requires_grad=False)
            self.register_buffer("turned", torch.arange(6.0).reshape(2, 3).t())
            self.register_buffer("part", torch.arange(12.0).reshape(3, 4)[1:, 2:])
            self.register_buffer("halves", torch.ones(3, dtype=torch.float16))
            self.register_buffer("count", torch.tensor(3))
            self.register_buffer("empty", torch.zeros(0, 2))
            self.register_buffer("passing", torch.ones(3), persistent=False)
            self.constant = torch.ones(2)

        def forward(self, x):
            y = self.linear(x) + self.turned.sum() + self.part.sum() + self.frozen + self.halves
            return y + self.count + self.empty.sum() + self.passing + self.constant.sum() + (
                torch.tensor([1.0, 2.0, 3.0]))

    return torch.export.export(Program(), (torch.zeros(1, 2),))


def write_new(torch, folder):
    path = os.path.join(folder, "program.pt2")
    torch.export.save(program(torch), path)
    loaded = torch.export.load(path)
    torch.save(loaded.state_dict, os.path.join(folder, "state.pt"))
    torch.save(dict(loaded.constants), os.path.join(folder, "constants.pt"))
    return [(path, "state.pt", "_torch_export"),
            (path + "#~state/_torch_export/constants", "constants.pt", None)]


def write_old(torch, folder):
    """As torch 2.1 to 2.6 did."""
    path = os.path.join(folder, "old.pt2")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("serialized_exported_program.json", "{}")
        archive.write(os.path.join(folder, "state.pt"), "serialized_state_dict.pt")
        archive.write(os.path.join(folder, "constants.pt"), "serialized_constants.pt")
        archive.writestr("version", "5.1")
    return [(path, "state.pt", "_torch_export"),
            (path + "#~state/_torch_export/constants", "constants.pt", None)]


def write_package(torch, folder):
    path = os.path.join(folder, "package.pt")
    module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    other = {"weight": module[0].weight, "range": torch.arange(3), "list": [1, "a", (2.5, None)],
             "half": torch.ones(2, dtype=torch.float16), "float8": torch.ones(4).to(torch.float8_e5m2)}
    with torch.package.PackageExporter(path) as exporter:
        exporter.extern("**")
        exporter.save_pickle("model", "model.pkl", module)
        exporter.save_pickle("deep.er", "any_name", other)
        exporter.save_text("notes", "readme.txt", "no pickle.")
    importer = torch.package.PackageImporter(path)
    pickles = {"model/model.pkl": importer.load_pickle("model", "model.pkl"),
               "deep/er/any_name": importer.load_pickle("deep.er", "any_name")}
    torch.save(pickles, os.path.join(folder, "pickles.pt"))
    return [(path, "pickles.pt", None)]


def difference(ptsd, archive, reference, beside):
    """What differs, as a text, without an attribute of the root; nothing if all is well."""
    arguments = ["--exclude", f"~state/{beside}/*"] if beside else []
    answer = running.run(ptsd, "diff", archive, reference, *arguments)
    if answer.code != 0:
        told = subprocess.run([ptsd, "diff", archive, reference, *arguments], capture_output=True)
        return told.stdout.decode() + told.stderr.decode()
    return None


def run(options, folder):
    import torch

    warnings.simplefilter("ignore")
    torch.manual_seed(0)
    failures = 0
    done = 0
    for write in (write_new, write_old, write_package):
        for archive, reference, beside in write(torch, folder):
            done += 1
            fault = difference(options.ptsd, archive, os.path.join(folder, reference), beside)
            if fault:
                print(f"{os.path.basename(archive)}: {fault}", flush=True)
                failures += 1
    print(f"{done} comparisons, {failures} failures")
    return 1 if failures else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ptsd")
    parser.add_argument("--here", action="store_true", help="this Python has PyTorch")
    options = parser.parse_args()
    if not options.here:
        python = interpreters.require("new", "torch.export and torch.package as PyTorch reads them")
        ptsd = os.path.abspath(options.ptsd)
        sys.exit(subprocess.run([python, "-B", __file__, ptsd, "--here"]).returncode)
    with tempfile.TemporaryDirectory(prefix="ptsd-export-") as folder:
        sys.exit(run(options, folder))


if __name__ == "__main__":
    main()
