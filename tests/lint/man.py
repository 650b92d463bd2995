#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs mandoc's lint over the man pages. Exits with 77, skipped, where mandoc is missing."""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys

# What mandoc says of pages that are as we want them.
EXPECTED = re.compile(
    r"STYLE: (RCS id missing|operating system explicitly|Mdocdate missing|"
    r"referenced manual not found)"
)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=pathlib.Path, help="the source tree")
    pages = sorted(parser.parse_args().root.glob("man/*.1"))
    if shutil.which("mandoc") is None:
        print("SKIPPED: mandoc is not installed")
        sys.exit(77)
    said = subprocess.run(["mandoc", "-T", "lint", *pages], capture_output=True, text=True).stdout
    problems = [line for line in said.splitlines() if not EXPECTED.search(line)]
    for problem in problems:
        print(problem)
    print(f"{len(pages)} pages, {len(problems)} problems")
    sys.exit(1 if problems or not pages else 0)


if __name__ == "__main__":
    main()
