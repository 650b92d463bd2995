#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds what a command must have beside its code: man page, golden tests, change log entry."""

import argparse
import pathlib
import re
import subprocess
import sys


def output(ptsd, *arguments):
    return subprocess.run([ptsd, *arguments], capture_output=True, text=True).stdout


def command_names(ptsd):
    overview = output(ptsd, "help")
    table = re.search(r"^Commands:\n((?:  .*\n)*)", overview, re.MULTILINE)
    return re.findall(r"^  ([a-z]+)", table[1], re.MULTILINE) if table else []


def long_options(ptsd, command):
    text = output(ptsd, command, "--help")
    return re.findall(r"^ {2,6}(?:-., )?--([a-z-]+)", text, re.MULTILINE)


def mentions(file, text):
    return file.exists() and text in file.read_text(encoding="utf-8")


def problems_of(ptsd, root, name):
    page = root / f"man/ptsd-{name}.1"
    if not page.exists():
        yield f"man/ptsd-{name}.1 is missing"
    else:
        common = mentions(page, "ptsd 1")  # "…are described in ptsd(1)"
        for option in long_options(ptsd, name):
            # In mdoc, "--long" is ".Fl -long".
            described = mentions(page, f"Fl -{option}")
            if not described and not (common and mentions(root / "man/ptsd.1", f"Fl -{option}")):
                yield f"man/ptsd-{name}.1 does not mention --{option}"
    if not list((root / "tests/golden" / name).glob("*.txt")):
        yield f"tests/golden/{name}/ has no case"
    for path, text in [
        ("man/meson.build", f"'ptsd-{name}.1'"),
        ("man/ptsd.1", f"ptsd-{name}"),
        ("tests/golden/meson.build", f"'{name}'"),
        ("CHANGELOG.md", f"`ptsd {name}`"),
    ]:
        if not mentions(root / path, text):
            yield f"{path} does not mention {text}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ptsd", type=lambda name: pathlib.Path(name).resolve(),
                        help="the built program")
    parser.add_argument("root", type=pathlib.Path, help="the source tree")
    options = parser.parse_args()
    names = command_names(options.ptsd)
    problems = [
        f"{name}: {problem}"
        for name in names
        for problem in problems_of(options.ptsd, options.root, name)
    ]
    if not names:
        problems.append("no commands in the overview of ptsd")
    for problem in problems:
        print(problem)
    print(f"{len(names)} commands, {len(problems)} problems")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
