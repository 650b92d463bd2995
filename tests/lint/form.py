#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds what clang-format and the compiler do not see in our files."""

import argparse
import pathlib
import re
import sys

LONGEST_FILE = 600
CODE = {".h", ".cc", ".py", ".sh", ".bash", ".fish"}
INVISIBLE = re.compile("[\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
MAY_THROW = re.compile(r"\bfail\w*\(.*\{|\bconsteval\b")
THROW = re.compile(r"^\s*(?:.*\W)?throw\b")
TYPE = re.compile(r"^(?:struct|class|enum class) (\w+)(?: final)?(?: : [^;]*)?\s*\{")


def code_files(root):
    for top in ["src", "tests", "bench", "testdata", "tools", "completions"]:
        yield from sorted(p for p in (root / top).rglob("*") if p.suffix in CODE)


def strip_comments(line):
    return re.sub(r'"(?:[^"\\]|\\.)*"', '""', line).split("//")[0]


def indent(line):
    return len(line) - len(line.lstrip())


def is_continued(line):
    """Whether a statement or a head goes on after the line."""
    return bool(line.strip()) and not re.search(r"[;{}:]\s*$|^\s*(//|#)", line)


def heads_above(lines, index):
    """The heads of the blocks around a line, from the inside out, each in one piece."""
    depth = indent(lines[index])
    for end in range(index - 1, -1, -1):
        if not lines[end].rstrip().endswith("{"):
            continue
        start = end
        while start > 0 and is_continued(lines[start - 1]):
            start -= 1
        if indent(lines[start]) < depth:
            depth = indent(lines[start])
            yield " ".join(lines[start : end + 1])


def throw_problems(path, lines):
    for index, line in enumerate(lines):
        if not THROW.match(strip_comments(line)):
            continue
        if "std::bad_alloc" in line:  # an allocator that is no operator new
            continue
        if not any(MAY_THROW.search(head) for head in [line, *heads_above(lines, index)]):
            yield f"{path}:{index + 1}: throw stands outside base/ and outside a function fail*"


def problems_in(root, file):
    path = file.relative_to(root).as_posix()
    text = file.read_text(encoding="utf-8")
    lines = text.splitlines()
    if len(lines) > LONGEST_FILE:
        yield f"{path}: {len(lines)} lines; a file holds one idea, in {LONGEST_FILE} at most"
    if not any("SPDX-License-Identifier: Apache-2.0" in line for line in lines[:3]):
        yield f"{path}: no SPDX-License-Identifier in the first three lines"
    for number, line in enumerate(lines, 1):
        if file.suffix in (".h", ".cc") and INVISIBLE.search(line):
            yield f"{path}:{number}: an invisible character"
        if line != line.rstrip():
            yield f"{path}:{number}: white space at the end of the line"
    if text and not text.endswith("\n"):
        yield f"{path}: no newline at the end"
    # The compiler reads precompiled.h as a file of its own, and warns of the pragma there.
    if file.suffix == ".h" and file.name != "precompiled.h" and "#pragma once" not in text:
        yield f"{path}: no #pragma once"
    if path.startswith("src/") and not path.startswith("src/base/"):
        yield from throw_problems(path, lines)


def double_types(root, files):
    """Two types of one name in one namespace: the linker takes the functions of either for both."""
    places = {}
    for file in files:
        folder = file.parent.relative_to(root).as_posix()
        if file.suffix != ".h" or not folder.startswith("src/"):
            continue
        for line in file.read_text(encoding="utf-8").splitlines():
            match = TYPE.match(line)
            if not match:
                continue
            first = places.setdefault((folder, match[1]), file.name)
            if first != file.name:
                yield f"{folder}/{file.name}: {first} has another type called {match[1]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=pathlib.Path, help="the source tree")
    root = parser.parse_args().root
    files = list(code_files(root))
    problems = [problem for file in files for problem in problems_in(root, file)]
    problems += double_types(root, files)
    for problem in problems:
        print(problem)
    print(f"{len(files)} files, {len(problems)} problems")
    sys.exit(1 if problems or not files else 0)


if __name__ == "__main__":
    main()
