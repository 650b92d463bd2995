#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Asks a shell to complete ptsd, and compares what it offers with ptsd's help.

Exits with 77, skipped, where the shell is not installed.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys

import commands

# What prints the candidates for the words of a command line, the last of which is unfinished.
SCRIPTS = {
    "bash": """
        source {completions}/ptsd.bash
        COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        _ptsd
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """,
    "zsh": """
        compadd() {{ shift; print -l -- $@ }}
        _describe() {{ print -l -- ${{candidates%%:*}} }}
        _files() {{ }}
        words=({words}); CURRENT=$#words; PREFIX=$words[-1]
        source {completions}/_ptsd
    """,
    "fish": """
        source {completions}/ptsd.fish
        complete -C "$(string join ' ' -- {words})" | string replace -r '\\t.*' ''
    """,
}


def offered(shell, ptsd, completions, words):
    quoted = " ".join(f"'{word}'" for word in words)
    script = SCRIPTS[shell].format(completions=completions, words=quoted)
    options = {"zsh": ["-f"], "fish": ["--no-config"]}.get(shell, ["--norc"])
    result = subprocess.run(
        [shell, *options, "-c", script],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": f"{ptsd.parent}:{os.environ['PATH']}"},
    )
    return {word for word in result.stdout.split("\n") if word}, result.stderr


def problems_of(shell, ptsd, completions):
    names = commands.command_names(ptsd)
    expectations = [(["ptsd", ""], {*names, "help"})]
    for name in names:
        options = {"--" + option for option in commands.long_options(ptsd, name)}
        expectations.append((["ptsd", name, "--"], options))
    if shell == "bash" and names:
        words = ["ptsd", names[0], "--color", ""]
        expectations.append((words, {"auto", "always", "never"}))
        expectations.append((words[:3] + ["=", "al"], {"always"}))
    for words, expected in expectations:
        found, errors = offered(shell, ptsd, completions, words)
        if found != expected or errors:
            yield f"{' '.join(words)}: offered {sorted(found)}, not {sorted(expected)} {errors}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shell", choices=sorted(SCRIPTS))
    parser.add_argument("ptsd", type=pathlib.Path, help="the built program")
    parser.add_argument("root", type=pathlib.Path, help="the source tree")
    options = parser.parse_args()
    if shutil.which(options.shell) is None:
        print(f"SKIPPED: {options.shell} is not installed")
        sys.exit(77)
    completions = options.root.resolve() / "completions"
    problems = list(problems_of(options.shell, options.ptsd.resolve(), completions))
    for problem in problems:
        print(problem)
    print(f"{options.shell}: {len(problems)} problems")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
