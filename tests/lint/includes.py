#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the layers of src/: who may include whom, and no cycle between components.

A .h/.cc pair is one component. The table below is the one in src/README.md, in full.
"""

import argparse
import collections
import pathlib
import re
import sys

ALLOWED = {
    "base": [],
    "file": ["base"],
    "container": ["base"],
    "pickle": ["base"],
    "tensor": ["base"],
    "checkpoint": ["base", "pickle", "tensor"],
    "format": ["base", "file", "container", "pickle", "tensor", "checkpoint"],
    "operation": ["base", "pickle", "tensor", "checkpoint"],
    "report": ["base", "container", "pickle", "tensor", "checkpoint", "format", "operation"],
    "command": [
        "base",
        "file",
        "container",
        "pickle",
        "tensor",
        "checkpoint",
        "format",
        "operation",
        "report",
    ],
}

# Headers that cost too much, or pull in too much, to be included wherever one likes: the files
# that may, as patterns, and how many of them (None: any number).
RESTRICTED = [
    (r"<CLI/.*>", r"command/command_line\.cc", None),
    (r"<nlohmann/.*>", r"report/\w+_json\.(h|cc)|format/\w+\.(h|cc)", None),
    (r"<doctest/.*>", r"(?!)", None),
    (r"<iostream>", r".*", 1),
    (r"<regex>", r".*", 1),
]

PRECOMPILED = "precompiled.h"  # for the compiler alone: who includes it includes no path below src/

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"][^">]+[">])', re.MULTILINE)


def read_includes(source):
    """{path below src/: [what stands after #include]}"""
    files = sorted(p for p in source.rglob("*") if p.suffix in (".h", ".cc") and p.name != PRECOMPILED)
    return {
        p.relative_to(source).as_posix(): INCLUDE.findall(p.read_text(encoding="utf-8"))
        for p in files
    }


def folder(path):
    return path.split("/")[0]


def component(path):
    return path.rsplit(".", 1)[0]


def ours(includes):
    return [name.strip('"') for name in includes if name.startswith('"')]


def edge_problems(tree):
    for path, includes in tree.items():
        if folder(path) not in ALLOWED:
            yield f"{path}: the folder {folder(path)}/ is not in the table of layers"
            continue
        for name in ours(includes):
            if name not in tree:
                yield f'{path}: includes "{name}", which is no path below src/'
            elif folder(name) not in [folder(path), *ALLOWED[folder(path)]]:
                yield f'{path}: {folder(path)}/ may not include {folder(name)}/ ("{name}")'


def restriction_problems(tree):
    for header, allowed, most in RESTRICTED:
        users = [
            path
            for path, includes in tree.items()
            if any(re.fullmatch(header, name) for name in includes)
        ]
        for path in users:
            if not re.fullmatch(allowed, path):
                yield f"{path}: may not include {header}"
        if most is not None and len(users) > most:
            yield f"{', '.join(users)}: more than {most} file includes {header}"


def find_cycle(graph):
    """A list of components that begins and ends with the same one, or None."""
    state = {}
    for root in graph:
        stack = [(root, iter(graph[root]))]
        path = [root]
        if root in state:
            continue
        state[root] = "open"
        while stack:
            for successor in stack[-1][1]:
                if state.get(successor) == "open":
                    return path[path.index(successor) :] + [successor]
                if successor not in state:
                    state[successor] = "open"
                    path.append(successor)
                    stack.append((successor, iter(graph[successor])))
                    break
            else:
                state[stack.pop()[0]] = "done"
                path.pop()
    return None


def cycle_problems(tree):
    graph = collections.defaultdict(set)
    for path, includes in tree.items():
        graph[component(path)] |= {component(n) for n in ours(includes) if n in tree}
        graph[component(path)].discard(component(path))
    cycle = find_cycle({name: sorted(graph[name]) for name in sorted(graph)})
    if cycle:
        yield "a cycle: " + " → ".join(cycle)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=pathlib.Path, help="the source tree")
    tree = read_includes(parser.parse_args().root / "src")
    problems = [*edge_problems(tree), *restriction_problems(tree), *cycle_problems(tree)]
    for problem in problems:
        print(problem)
    print(f"{len(tree)} files, {len(problems)} problems")
    sys.exit(1 if problems or not tree else 0)


if __name__ == "__main__":
    main()
