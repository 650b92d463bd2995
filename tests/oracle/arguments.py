# SPDX-License-Identifier: Apache-2.0
"""The command line of tests that have a PyTorch write files first."""

import argparse
import os
import tempfile

import interpreters
import seeds


def parser(description):
    options = argparse.ArgumentParser(description=description.splitlines()[0])
    options.add_argument("ptsd")
    options.add_argument("--interpreter", choices=sorted(interpreters.INTERPRETERS), default="new")
    options.add_argument("--only", action="append", default=[], help="a case; repeatable")
    options.add_argument("--keep", help="write the files here and leave them")
    return options


def add_share(options):
    """For a test that need not look at every file in every run: which those are is a draw."""
    seeds.add_seed(options)
    options.add_argument(
        "--every",
        type=int,
        default=int(os.environ.get("PTSD_EDIT_EVERY", "1")),
        help="every so many files alone, from one that the seed draws on; PTSD_EDIT_EVERY, else 1",
    )


def share(options, cases):
    return cases if options.only else cases[options.seed % options.every :: options.every]


def in_folder(options, check):
    """check(options, folder) in the folder that is kept, or in one that is not."""
    if options.keep:
        os.makedirs(options.keep, exist_ok=True)
        return check(options, options.keep)
    with tempfile.TemporaryDirectory(prefix="ptsd-oracle-") as folder:
        return check(options, folder)
