# SPDX-License-Identifier: Apache-2.0
"""What `ptsd ls` and `ptsd info` say of files that real PyTorch wrote is what PyTorch reads back.

    python compare.py PTSD --interpreter new|old [--only CASE] [--keep DIRECTORY] [--verbose]

Needs no PyTorch itself: it runs write.py with the interpreter, then ptsd on every file. Everything
is compared exactly, in order; a failing case is one line.
"""

import base64
import json
import os
import pickletools
import subprocess
import sys

import arguments
import interpreters

HERE = os.path.dirname(os.path.abspath(__file__))
FIELDS = "dtype shape stride offset requires_grad kind device numel nbytes contiguous".split()
FLAGS = ("conj", "neg")  # there only if they are set
STORAGE_FIELDS = "key nbytes file_offset".split()
OPCODES = {ord(op.code): op.name for op in pickletools.opcodes}


def refuse_constant(text):
    raise ValueError(f"{text} is not JSON")


def refuse_duplicates(pairs):
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys):
        raise ValueError(f"a key stands twice in {keys}")
    return dict(pairs)


def strict_json(data):
    return json.loads(
        data.decode("utf-8"), parse_constant=refuse_constant, object_pairs_hook=refuse_duplicates
    )


def run(ptsd, command, path):
    """(answer, None) or (None, what went wrong)."""
    process = subprocess.run([ptsd, command, "--json", path], capture_output=True)
    message = process.stderr.decode("utf-8", "backslashreplace").strip()
    if process.returncode != 0:
        return None, f"{command}: exit {process.returncode}: {message[:300]}"
    if message:
        return None, f"{command}: stderr is not empty: {message[:300]}"
    try:
        return strict_json(process.stdout), None
    except (ValueError, RecursionError) as error:
        return None, f"{command}: stdout is not strict JSON: {error}"


def shown(text):
    """Lone surrogates are no UTF-8: JSON has a replacement character for each."""
    return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)


def wtf8(text):
    return base64.b64encode(text.encode("utf-8", "surrogatepass")).decode("ascii")


def text_differences(key, text, entry):
    if entry.get(key) != shown(text):
        yield key, entry.get(key), shown(text)
    encoded = wtf8(text) if shown(text) != text else None
    if entry.get(key + "_b64") != encoded:
        yield key + "_b64", entry.get(key + "_b64"), encoded


def same(a, b):
    """Equal, and of the same JSON type: true is not 1."""
    return json.dumps(a) == json.dumps(b)


def entry_differences(expected, entry, spelled):
    """(field, found, expected) triples."""
    if spelled:
        yield from text_differences("path", expected["path"], entry)
        yield from text_differences("name", expected["path"], entry)
    for field in FIELDS:
        if field in expected and not same(entry.get(field), expected[field]):
            yield field, entry.get(field), expected[field]
    for field in FLAGS:
        if not same(entry.get(field, False), expected.get(field, False)):
            yield field, entry.get(field, False), expected.get(field, False)
    storage, found = expected.get("storage"), entry.get("storage")
    if storage is None or found is None:
        if storage is not found:
            yield "storage", found, storage
        return
    for field in STORAGE_FIELDS:
        if not same(found.get(field), storage[field]):
            yield f"storage.{field}", found.get(field), storage[field]
    sharers = [shown(path) for path in storage["shared_with"]]
    if spelled and found.get("shared_with") != sharers:
        yield "storage.shared_with", found.get("shared_with"), sharers


def short(value):
    text = json.dumps(value, ensure_ascii=True)
    return text if len(text) <= 120 else text[:117] + "..."


def ls_differences(case, answer):
    head = {"schema": "ptsd.ls/1", "truncated": False}
    for key, value in head.items():
        if answer.get(key) != value:
            yield f"{key}: {short(answer.get(key))}, should be {short(value)}"
    for key, value in (
        ("format", "torch-zip"),
        ("protocol", case["protocol"]),
        ("byteorder", "little"),
    ):
        if answer["file"].get(key) != value:
            yield f"file.{key}: {short(answer['file'].get(key))}, should be {short(value)}"
    entries = answer["tensors"]
    expected = case["tensors"]
    paths, wanted = (
        [entry["path"] for entry in entries],
        [shown(entry["path"]) for entry in expected],
    )
    if len({entry.get("path_b64") or entry["path"] for entry in entries}) != len(paths):
        yield "a path stands twice"
    listed = paths == wanted if case["spelled"] else len(paths) == len(wanted)
    if not listed:
        missing = [path for path in wanted if path not in set(paths)]
        extra = [path for path in paths if path not in set(wanted)]
        yield (
            f"{len(paths)} tensors, should be {len(wanted)};"
            f" missing {short(missing)}, not in the file {short(extra)}"
            + ("" if missing or extra else f", order {short(paths)}, should be {short(wanted)}")
        )
    if answer["summary"]["tensors"] != len(expected):
        yield f"summary.tensors: {answer['summary']['tensors']}, should be {len(expected)}"
    for one, other in zip(expected, entries) if listed else ():
        for field, found, value in entry_differences(one, other, case["spelled"]):
            yield f"{short(one['path'])} {field}: {short(found)}, should be {short(value)}"


def info_differences(case, answer, verdict):
    if answer.get("schema") != "ptsd.info/1":
        yield f"schema: {short(answer.get('schema'))}"
    if answer["totals"]["tensors"] != len(case["tensors"]):
        yield f"totals.tensors: {answer['totals']['tensors']}, should be {len(case['tensors'])}"
    if verdict is None:
        return
    ours = answer["weights_only"]
    if ours["loads"] != verdict["loads"]:
        reason = (
            verdict.get("global") or OPCODES.get(verdict.get("opcode")) or verdict.get("message")
        )
        yield f"weights_only.loads: {ours['loads']}, torch says {verdict['loads']} ({reason})"
    elif not verdict["loads"]:
        refused = json.dumps(ours["refused"], ensure_ascii=False)
        name = verdict["global"] or OPCODES.get(verdict["opcode"])
        if name and name not in refused:
            yield f"weights_only.refused: {short(ours['refused'])} does not name {name}"
    if ours["loads"] and ours["refused"]:
        yield f"weights_only: loads, yet refused is {short(ours['refused'])}"


def case_differences(ptsd, directory, case, verdict):
    path = os.path.join(directory, case["file"])
    answer, error = run(ptsd, "ls", path)
    if error:
        yield error
    else:
        yield from (f"ls: {text}" for text in ls_differences(case, answer))
    answer, error = run(ptsd, "info", path)
    if error:
        yield error
    else:
        yield from (f"info: {text}" for text in info_differences(case, answer, verdict))


def write(python, directory, only):
    """Runs write.py; (report, what could not be written)."""
    subprocess.run([python, "-B", os.path.join(HERE, "write.py"), directory, *only], check=True)
    with open(os.path.join(directory, "expected.json")) as file:
        report = json.load(file)
    return report, [
        f"{case['name']}: {case['error'].splitlines()[-1]}" for case in report["broken"]
    ]


def judge(directory):
    """torch.load(weights_only=True) by the new PyTorch, whoever wrote the files."""
    python = interpreters.find("new")
    if python is None:
        print(f"NOT COMPARED: weights_only: {interpreters.advice('new')}", file=sys.stderr)
        return {}
    target = os.path.join(directory, "verdicts.json")
    subprocess.run([python, "-B", os.path.join(HERE, "judge.py"), directory, target], check=True)
    with open(target) as file:
        return json.load(file)["verdicts"]


def check(options, directory):
    python = interpreters.require(
        options.interpreter, f"oracle with the {options.interpreter} PyTorch"
    )
    report, failures = write(python, directory, options.only)
    verdicts = judge(directory)
    for name in report["layers_without_a_recipe"]:
        print(f"NOT COVERED: torch.nn.{name} has no recipe in cases/layers.py", file=sys.stderr)
    for case in report["cases"]:
        differences = list(
            case_differences(options.ptsd, directory, case, verdicts.get(case["name"]))
        )
        if differences:
            kept = differences if options.verbose else differences[:3]
            more = len(differences) - len(kept)
            failures.append(
                f"{case['name']}: " + "; ".join(kept) + (f"; {more} more" if more else "")
            )
    for failure in failures:
        print("FAIL", failure)
    count = len(report["cases"]) + len(report["broken"])
    print(f"torch {report['torch']}: {count} cases, {len(failures)} failed")
    return 1 if failures or not count else 0


def main():
    parser = arguments.parser(__doc__)
    parser.add_argument("--verbose", action="store_true", help="every difference of a case")
    return arguments.in_folder(parser.parse_args(), check)


if __name__ == "__main__":
    sys.exit(main())
