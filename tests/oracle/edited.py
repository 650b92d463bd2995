# SPDX-License-Identifier: Apache-2.0
"""Loads originals and what ptsd made of them, does the same edits in Python, and compares.

    python edited.py JOBS.json RESULTS.jsonl HOW…

JOBS.json is a list of {id, original, edited, edit}; HOW is `plain`, `mmap`, `mmap-offsets` or
`weights-only`, the last in a process of its own, because what is imported changes its answers. A
line of RESULTS.jsonl is written before and after each job, so that a crash names its job; a run
that finds such a file goes on behind it.
"""

import contextlib
import json
import os
import sys
import traceback
import warnings

import torch

import edit_models
import recording
import same_values

OFFSETS = "calculate_storage_offsets"


@contextlib.contextmanager
def calculated_offsets():
    from torch.utils.serialization import config

    old = getattr(config.load, OFFSETS)
    setattr(config.load, OFFSETS, True)
    try:
        yield
    finally:
        setattr(config.load, OFFSETS, old)


# how -> options of torch.load, what is around it
WAYS = {
    "plain": ({"weights_only": False}, contextlib.nullcontext),
    "weights-only": ({"weights_only": True}, contextlib.nullcontext),
    "mmap": ({"weights_only": False, "mmap": True}, contextlib.nullcontext),
    "mmap-offsets": ({"weights_only": False, "mmap": True}, calculated_offsets),
}


class Tags(dict):
    """Keeps the storages, so that their addresses stay their own."""

    def __init__(self):
        super().__init__()
        self.kept = []
        self.seen = True


def load(path, how, anywhere=True):
    """(value, location by the address of the storage)."""
    tags = Tags()

    def note(storage, location):
        tags[recording.untyped(storage)._cdata] = location
        tags.kept.append(storage)
        return storage

    options, around = WAYS[how]
    with around():
        try:
            value = torch.load(path, map_location=note if anywhere else None, **options)
        except RuntimeError as error:
            if "Callable map_location" not in str(error):
                raise
            tags.seen = False  # wrapper subclasses: what their storages' locations are is not seen
            value = torch.load(path, map_location="cpu", **options)
    return value, tags


def why(error):
    text = str(error).strip() or repr(error)
    if text.startswith("Weights only load failed"):
        return "weights_only refuses it"
    return f"{type(error).__name__}: {text.splitlines()[0][:200]}"


def changes_nothing(job, how, found, tags):
    """Whether the edit is none: then that it is right says little."""
    if how != "plain" or job["edit"]["kind"] in ("nothing", "extract"):
        return False
    before, before_tags = load(job["original"], how)
    return same_values.difference(found, before, tags, before_tags) is None


def judge(job, how):
    """(verdict, text)"""
    edit = job["edit"]
    try:
        expected, tags = load(job["original"], how)
    except Exception as error:
        return "original", why(error)
    try:
        expected = edit_models.apply(expected, edit, tags)
    except edit_models.NotModelled as error:
        return "not-modelled", str(error)
    except AssertionError as error:
        return "different", str(error)
    try:
        found, found_tags = load(job["edited"], how)
        if edit.get("device") == "cpu" and how == "plain":
            load(job["edited"], how, anywhere=False)
    except Exception as error:
        return "different", f"the edited file does not load: {why(error)}"
    both = (found_tags, tags) if found_tags.seen and tags.seen else ()
    text = same_values.difference(found, expected, *both)
    if text:
        return "different", text
    return ("unchanged" if changes_nothing(job, how, found, found_tags) else "same"), ""


def judged(job, how):
    try:
        return judge(job, how)
    except Exception:
        return "broken", traceback.format_exc()[-1500:]


def main(jobs_path, results_path, *ways):
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    with open(jobs_path) as file:
        jobs = json.load(file)
    done = set()
    if os.path.exists(results_path):
        with open(results_path) as file:
            done = {(line["id"], line["how"]) for line in map(json.loads, file)}
    with open(results_path, "a", buffering=1) as results:
        for how in ways:
            for job in jobs:
                key = {"id": job["id"], "how": how}
                if (job["id"], how) in done:
                    continue
                print(json.dumps({**key, "verdict": "begun"}), file=results)
                verdict, text = judged(job, how)
                print(json.dumps({**key, "verdict": verdict, "text": text}), file=results)


if __name__ == "__main__":
    main(*sys.argv[1:])
