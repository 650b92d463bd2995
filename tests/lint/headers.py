#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles each header of a folder alone, with the flags of that folder's library.

A header that its own source includes first has been: the build did it.
"""

import argparse
import json
import pathlib
import shlex
import subprocess
import sys


def compiler_command(build, folder):
    """How a source file of the folder, else any of ours, is compiled, less input and outputs."""
    entries = json.loads((build / "compile_commands.json").read_text())
    folders = [(build / entry["file"]).resolve().parent for entry in entries]
    if folder not in folders:
        folder = next((f for f in folders if f.parent == folder.parent), None)
    if folder not in folders:
        sys.exit("nothing in src/ is compiled, so its headers cannot be either")
    entry = entries[folders.index(folder)]
    words = iter(shlex.split(entry["command"]))
    command = []
    for word in words:
        if word in ("-o", "-MF", "-MQ"):
            next(words)
        elif word not in ("-c", "-MD", entry["file"]):
            command.append(word)
    return command


def sources_of(build):
    entries = json.loads((build / "compile_commands.json").read_text())
    return {(build / entry["file"]).resolve() for entry in entries}


def is_compiled_first(header, sources):
    """Whether the source of that name is built and begins with the header."""
    source = header.with_suffix(".cc")
    if source not in sources:
        return False
    includes = (line for line in source.read_text().splitlines() if line.startswith("#include"))
    return next(includes, "") == f'#include "{header.parent.name}/{header.name}"'


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=pathlib.Path, help="the build folder")
    parser.add_argument("folder", type=pathlib.Path, help="a folder of src/")
    options = parser.parse_args()
    folder = options.folder.resolve()
    headers = sorted(folder.glob("*.h"))
    command = compiler_command(options.build, folder)
    sources = sources_of(options.build)
    failed = []
    for header in headers:
        name = f"{folder.name}/{header.name}"
        if is_compiled_first(header, sources):
            continue
        result = subprocess.run(
            [*command, "-fsyntax-only", "-Werror", "-x", "c++", "-"],
            input=f'#include "{name}"\n',
            text=True,
            cwd=options.build,
        )
        if result.returncode != 0:
            failed.append(name)
            print(f"{name} does not compile alone")
    print(f"{len(headers)} headers, {len(failed)} problems")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
