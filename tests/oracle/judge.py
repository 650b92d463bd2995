# SPDX-License-Identifier: Apache-2.0
"""Asks torch.load(weights_only=True) about every file of a directory that write.py filled.

    python judge.py DIRECTORY VERDICTS.json

A process of its own, because what else has been imported changes the answer.
"""

import json
import os
import re
import sys
import warnings

import torch

GLOBAL = re.compile(
    r"(?:Unsupported global: GLOBAL|load unsupported GLOBAL|unsupported GLOBAL) (\S+)"
)
OPCODE = re.compile(r"Unsupported operand (\d+)")
IMPORT = re.compile(r"must be imported to load")


def verdict(path):
    try:
        torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        text = str(error)
        found = GLOBAL.search(text)
        operand = OPCODE.search(text)
        return {
            "loads": False,
            "global": found.group(1) if found else None,
            "opcode": int(operand.group(1)) if operand else None,
            "import": bool(IMPORT.search(text)),
            "message": text[:400],
        }
    return {"loads": True}


def main(directory, target):
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    with open(os.path.join(directory, "expected.json")) as file:
        cases = json.load(file)["cases"]
    verdicts = {case["name"]: verdict(os.path.join(directory, case["file"])) for case in cases}
    with open(target, "w") as file:
        json.dump({"torch": torch.__version__, "verdicts": verdicts}, file, indent=1)


if __name__ == "__main__":
    main(*sys.argv[1:])
