# SPDX-License-Identifier: Apache-2.0
"""Where a Python with PyTorch is: decided when a test runs, not when the build is configured."""

import importlib.util
import os
import subprocess
import sys

SKIP = 77
SOURCE_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# which -> environment variable, default, what to do if there is none.
INTERPRETERS = {
    "new": (
        "PTSD_TORCH_NEW",
        os.path.join(SOURCE_ROOT, ".venv", "bin", "python"),
        "./test --oracles",
    ),
    "old": ("PTSD_TORCH_OLD", "/usr/bin/python3", "apt install python3-torch (Debian 12: 1.13.1)"),
}


def find(which):
    """The path of an interpreter that can import torch and numpy, or None."""
    variable, default, _ = INTERPRETERS[which]
    python = os.environ.get(variable) or default
    try:
        run = subprocess.run([python, "-c", "import torch, numpy"], capture_output=True)
    except OSError:
        return None
    return python if run.returncode == 0 else None


def advice(which):
    variable, default, how = INTERPRETERS[which]
    return f"no PyTorch in {os.environ.get(variable) or default} ({variable}). To get it: {how}"


def require(which, what):
    python = find(which)
    if python is None:
        print(f"SKIPPED: {what}: {advice(which)}", file=sys.stderr)
        sys.exit(SKIP)
    return python


def require_module(name, what):
    """For a script that runs with the Python found."""
    if importlib.util.find_spec(name) is None:
        how = f"{sys.executable} -m pip install {name}"
        print(f"SKIPPED: {what}: no {name} beside PyTorch. To get it: {how}", file=sys.stderr)
        sys.exit(SKIP)
