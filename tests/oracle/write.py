# SPDX-License-Identifier: Apache-2.0
"""Writes every case this PyTorch can write into a directory, and what it reads back.

    python write.py DIRECTORY [CASE…]

DIRECTORY/expected.json then holds, for each file, the tensors that torch.load finds in it.
"""

import json
import os
import sys
import traceback
import warnings

import torch

import cases
import describing
import listing
import recording
import registry


def expectation(path):
    value, record = recording.load(path)
    found = listing.tensors(value, record)
    lost = listing.unaccounted(found, record)
    if lost:
        raise AssertionError(f"{len(lost)} tensors of the file are not in the listing")
    offsets = describing.storage_offsets(path)
    entries = [
        {"path": entry.path, **describing.describe(entry.tensor, record, offsets)}
        for entry in found
    ]
    describing.sharing(entries, [describing.keys_used(entry.tensor, record) for entry in found])
    return entries


def write(case, directory):
    path = os.path.join(directory, case.filename)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    case.save(path)
    return {
        "name": case.name,
        "file": case.filename,
        "protocol": case.protocol,
        "spelled": case.spelled,
        "tensors": expectation(path),
    }


def main(directory, *wanted):
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    unknown = set(wanted) - set(registry.CASES)
    if unknown:
        sys.exit(f"no such case: {', '.join(sorted(unknown))}")
    written, broken = [], []
    for case in registry.CASES.values():
        if not case.available or (wanted and case.name not in wanted):
            continue
        try:
            written.append(write(case, directory))
        except Exception:
            broken.append({"name": case.name, "error": traceback.format_exc()})
    report = {
        "torch": torch.__version__,
        "cases": written,
        "broken": broken,
        "layers_without_a_recipe": cases.layers.MISSING,
    }
    with open(os.path.join(directory, "expected.json"), "w") as file:
        json.dump(report, file, indent=1)


if __name__ == "__main__":
    main(*sys.argv[1:])
