#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does what README.md says makes `git diff` understand checkpoints, in a repository of its own."""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

LINES = re.compile(r"^(git config diff\.ptsd\..*\necho .*\.gitattributes)$", re.MULTILINE)

WIDER = "a_name_that_makes_its_column_wider"
WANTED = f"""\
-encoder.0.weight float32 [64, 10] 2.5 KiB
-encoder.0.bias float32 [64] 256 B
+{WIDER}.0.weight float32 [64, 10] 2.5 KiB
+{WIDER}.0.bias float32 [64] 256 B
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ptsd", type=pathlib.Path, help="the built program")
    parser.add_argument("testdata", type=pathlib.Path)
    parser.add_argument("readme", type=pathlib.Path)
    options = parser.parse_args()
    if shutil.which("git") is None:
        print("SKIPPED: there is no git")
        return 77
    found = LINES.search(options.readme.read_text())
    if found is None:
        sys.exit(f"{options.readme}: the two lines about git are not there")

    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "PATH": f"{options.ptsd.resolve().parent}:{os.environ['PATH']}",
            "HOME": folder,
            "GIT_CONFIG_NOSYSTEM": "1",
        }

        def sh(command):
            run = subprocess.run(["sh", "-ec", command], cwd=folder, env=environment, text=True,
                                 stdout=subprocess.PIPE)
            if run.returncode != 0:
                sys.exit(f"{command}: exit status {run.returncode}")
            return run.stdout

        shutil.copy(options.testdata / "model.pt", folder)
        sh("git init -q . && git config user.name Test && git config user.email test@example.org")
        sh(found[1])
        sh("git add . && git commit -q -m before")
        sh(f"ptsd rename -q model.pt --from encoder.0. --to {WIDER}.0. --in-place")
        changed = sh("git diff -U0 model.pt")
    lines = [line for line in changed.splitlines(keepends=True)
             if line[0] in "+-" and not line.startswith(("+++", "---"))]
    if "".join(lines) != WANTED:
        sys.exit(f"git diff shows\n{changed}\nand not\n{WANTED}")
    print("git diff shows what was renamed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
