#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the examples of the man pages and of --help.

They name files that a reader would have; FILES says how each is made of those in testdata/. Every
command has to do what it says: its status is 0, or 1 where the answer is no.
"""

import argparse
import pathlib
import re
import shlex
import shutil
import sys
import tempfile

import run

FILES = {
    "a.pt": "cp training.pt a.pt",
    "b.pt": "cp training.pt b.pt",
    "backbone.pt": "ptsd filter model.pt --exclude 'decoder.*' -o backbone.pt",
    "bert.pt": "ptsd rename model.pt --regex 'weight$=>gamma' --regex 'bias$=>beta' -o bert.pt",
    "checkpoint": "cp -r distributed checkpoint",
    "ddp.pt": "ptsd rename model.pt --add-prefix module. -o ddp.pt",
    "decoder.pt": "ptsd filter model.pt --include 'decoder.*' -o decoder.pt",
    "downloaded.pt": "ptsd rename model.pt --from encoder. --to backbone. -o downloaded.pt",
    "enc.pt": "ptsd rename tied.pt --add-prefix x. -o enc.pt",
    "encoder.pt": "ptsd filter model.pt --include 'encoder.*' -o encoder.pt",
    "full.pt": "cp model.pt full.pt",
    "half.pt": "ptsd rewrite model.pt --cast bfloat16 -o half.pt",
    "head.pt": "cp tied.pt head.pt",
    "mine.pt": "cp model.pt mine.pt",
    "net.pt": "cp model.pt net.pt",
    "pretrained.pt": "cp model.pt pretrained.pt",
    "rezipped.pt": "cp model.pt rezipped.pt",
}

MAN_EXAMPLE = re.compile(r"^\.Dl \$ (.*)$", re.MULTILINE)
HELP_EXAMPLE = re.compile(r"^  (ptsd .*)$", re.MULTILINE)
OUTPUT = re.compile(r"(?:-o|--emit-map|--npy) (\S+)")
INPUT = re.compile(r"[\w.]+")


def of_man_page(page):
    text = page.read_text().replace("\\e", "\\").replace("\\(ti", "~")  # as they are printed
    return MAN_EXAMPLE.findall(text)


def of_help(shell, command):
    text = shell(f"ptsd {command} --help")[0].decode()
    return HELP_EXAMPLE.findall(text.partition("\nExamples:\n")[2])


class Folder:
    """A copy of testdata in which commands run."""

    def __init__(self, ptsd, testdata, temporary):
        self.path = shutil.copytree(testdata, pathlib.Path(temporary) / "testdata")
        self.environment = run.base_environment(ptsd, temporary)

    def shell(self, command):
        return run.run_command(command, None, self.environment, self.path)

    def prepare(self, example, outputs):
        """What it reads is there, and what it writes is not."""
        for name in INPUT.findall(example):
            if name in FILES and name not in outputs and not (self.path / name).exists():
                self.shell(FILES[name])
        for name in outputs:
            (self.path / name).unlink(missing_ok=True)

    def problems(self, examples):
        for example in examples:
            outputs = OUTPUT.findall(example)
            self.prepare(example, outputs)
            _, stderr, status = self.shell(f"bash -o pipefail -c {shlex.quote(example)}")
            if status not in (0, 1):
                yield f"$ {example}\n{stderr.decode()}--- exit {status}"
            for name in outputs:
                if not (self.path / name).exists():
                    yield f"$ {example}\n--- wrote no {name}"


def check(source, ptsd, testdata):
    """How many examples source(shell) gives, and what is wrong with them."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Folder(ptsd, testdata, temporary)
        examples = source(folder.shell)
        return len(examples), list(folder.problems(examples))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ptsd", type=pathlib.Path, help="the built program")
    parser.add_argument("testdata", type=pathlib.Path, help="where the commands run")
    parser.add_argument("man", type=pathlib.Path, help="the folder of the man pages")
    options = parser.parse_args()
    sources = {}
    for page in sorted(options.man.glob("ptsd*.1")):
        sources[page.name] = lambda _, page=page: of_man_page(page)
        if command := page.stem.partition("-")[2]:
            sources[f"{command} --help"] = lambda shell, command=command: of_help(shell, command)
    failed = 0
    for name, source in sources.items():
        count, problems = check(source, options.ptsd.resolve(), options.testdata)
        print(f"{name}: {count} examples", *problems, sep="\n")
        failed += len(problems) + (count == 0)
    sys.exit(1 if failed or not sources else 0)


if __name__ == "__main__":
    main()
