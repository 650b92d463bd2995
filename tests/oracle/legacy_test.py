# SPDX-License-Identifier: Apache-2.0
"""Legacy streams that real PyTorch wrote are read as the archives of the same objects, and written
as it writes them.

    python legacy_test.py PTSD TO_LEGACY --interpreter new|old [--keep DIRECTORY]

Needs no PyTorch itself: it runs legacy_write.py with the interpreter. `ls` and `diff` of ptsd then
compare a stream with the archive, of which compare.py asks whether it is read rightly.
"""

import json
import os
import subprocess
import sys

import arguments
import interpreters
import running

HERE = os.path.dirname(os.path.abspath(__file__))


def listed(ptsd, path):
    """What `ls` says of the tensors, without what only one container has."""
    answer = running.run(ptsd, "ls", path)
    if answer.code != 0:
        return answer.told()
    keys, tensors = {}, answer.json["tensors"]
    pending = list(tensors)
    while pending:
        tensor = pending.pop()
        pending += tensor.get("components", [])
        if storage := tensor.get("storage"):
            storage["key"] = keys.setdefault(storage["key"], len(keys))
            storage.pop("file_offset", None)
    return tensors


def converted(to_legacy, path):
    """The bytes of a checkpoint as a legacy stream, or why there are none."""
    target = path + ".out"
    process = subprocess.run([to_legacy, path, target], capture_output=True, text=True)
    if process.returncode != 0:
        return process.stderr.strip()
    with open(target, "rb") as file:
        return file.read()


def content(path):
    with open(path, "rb") as file:
        return file.read()


def differences(options, folder, case):
    for protocol, name in case["streams"].items():
        stream, archive = (os.path.join(folder, case[which][protocol]) for which in ("streams", "archives"))
        if (one := listed(options.ptsd, stream)) != (other := listed(options.ptsd, archive)):
            yield f"protocol {protocol}: ls: {str(one)[:300]}, of the archive {str(other)[:300]}"
        answer = running.run(options.ptsd, "diff", "--bits", "--strict-layout", stream, archive)
        if answer.code != 0:
            yield f"protocol {protocol}: diff: {answer.told()} {str(answer.json)[:300]}"
        again = converted(options.to_legacy, stream)
        if again != content(stream):
            yield f"protocol {protocol}: written again it has other bytes: {again[:200]}"
    if case["numbered"] is None:
        return
    made = converted(options.to_legacy, os.path.join(folder, case["archives"]["2"]))
    if isinstance(made, str) and "UntypedStorage" in made:
        return
    if made != content(os.path.join(folder, case["numbered"])):
        yield f"the archive becomes another stream than torch's: {made[:200]}"


def check(options, folder):
    python = interpreters.require(options.interpreter, f"legacy streams of the {options.interpreter} PyTorch")
    subprocess.run([python, "-B", os.path.join(HERE, "legacy_write.py"), folder], check=True)
    with open(os.path.join(folder, "written.json")) as file:
        written = json.load(file)
    print(f"seed {options.seed}", flush=True)
    failures = [
        f"{case['name']}: {text}"
        for case in arguments.share(options, written["cases"])
        if not options.only or case["name"] in options.only
        for text in differences(options, folder, case)
    ]
    for failure in failures:
        print("FAIL", failure)
    for skipped in written["skipped"]:
        print("NOT WRITTEN:", skipped.splitlines()[0])
    print(f"torch {written['torch']}: {len(written['cases'])} cases, {len(failures)} failures")
    return 1 if failures or not written["cases"] else 0


def main():
    parser = arguments.parser(__doc__)
    parser.add_argument("to_legacy")
    arguments.add_share(parser)
    return arguments.in_folder(parser.parse_args(), check)


if __name__ == "__main__":
    sys.exit(main())
