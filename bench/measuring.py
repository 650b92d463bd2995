# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks share. A command is a list of words."""

import argparse
import json
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile


def milliseconds(command, may_fail=False):
    """The least of several runs: what the machine can do when nothing disturbs it."""
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        subprocess.run(
            ["hyperfine", "-N", "--warmup=2", "--min-runs=8", "--export-json", report.name,
             "--output=null", *(["--ignore-failure"] if may_fail else []),
             shlex.join(map(str, command))],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return json.load(open(report.name))["results"][0]["min"] * 1000


def peak_mib(command):
    """Maximum resident set size."""
    run = subprocess.run(["/usr/bin/time", "-v", *command], stdout=subprocess.DEVNULL,
                         stderr=subprocess.PIPE, text=True)
    if run.returncode > 1:
        sys.exit(run.stderr)
    return int(re.search(r"Maximum resident set size \(kbytes\): (\d+)", run.stderr)[1]) / 1024


def claim(what, measured, wanted, holds):
    """One line; a claim is something that is measured and ought to hold."""
    print(f"{'ok  ' if holds else 'MISS'}  {what:<58} {measured:>34}   wanted {wanted}", flush=True)
    return holds


def run(doc, measure):
    """measure(ptsd, python, folder) yields for each claim whether it holds."""
    parser = argparse.ArgumentParser(description=doc,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ptsd", type=pathlib.Path, help="the built program")
    parser.add_argument("--torch", default=".venv/bin/python", metavar="PYTHON",
                        help="an interpreter with PyTorch")
    parser.add_argument("--keep", metavar="DIR", type=pathlib.Path, help="where the files stay")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ptsd-bench-") as scratch:
        folder = options.keep or pathlib.Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        holds = list(measure(str(options.ptsd.resolve()), options.torch, folder))
    sys.exit(0 if all(holds) else 1)
