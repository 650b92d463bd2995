#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the examples of README.md, and compares what they print with what stands there.

An example is a block ```console that begins with "$ "; it is run by sh in a copy of testdata/. With
PTSD_ACCEPT=1 the README is rewritten.
"""

import argparse
import difflib
import os
import pathlib
import re
import shutil
import sys
import tempfile

import run

BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def printed(block, ptsd, testdata):
    """The block with what its commands print: stdout, then stderr. They may write beside the files."""
    out = ""
    with tempfile.TemporaryDirectory() as temporary:
        testdata = shutil.copytree(testdata, pathlib.Path(temporary) / "testdata")
        environment = run.base_environment(ptsd, temporary)
        for line in block.splitlines():
            if line.startswith("$ "):
                stdout, stderr, _ = run.run_command(line[2:], None, environment, testdata)
                out += line + "\n" + run.readable(stdout + stderr, temporary)
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ptsd", type=pathlib.Path, help="the built program")
    parser.add_argument("testdata", type=pathlib.Path, help="where the commands run")
    parser.add_argument("readme", type=pathlib.Path)
    options = parser.parse_args()
    text = options.readme.read_text(encoding="utf-8")
    ptsd = options.ptsd.resolve()
    actual = BLOCK.sub(
        lambda block: f"```console\n{printed(block[1], ptsd, options.testdata)}```", text
    )
    if os.environ.get("PTSD_ACCEPT") == "1" and actual != text:
        options.readme.write_text(actual, encoding="utf-8")
        print("accepted")
        return
    for line in difflib.unified_diff(
        text.splitlines(), actual.splitlines(), "README.md", "what it printed", lineterm=""
    ):
        print(line)
    print(f"{len(BLOCK.findall(text))} examples")
    sys.exit(0 if actual == text and BLOCK.search(text) else 1)


if __name__ == "__main__":
    main()
