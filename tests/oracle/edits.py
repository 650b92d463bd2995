# SPDX-License-Identifier: Apache-2.0
"""What ptsd's editing commands do to files that real PyTorch wrote is what PyTorch reads back.

    python edits.py PTSD --interpreter new|old [--seed N] [--only CASE] [--keep DIRECTORY]
                         [--cases DIRECTORY]

Needs no PyTorch itself: it runs write.py and edited.py with the interpreter.
"""

import collections
import json
import os
import random
import struct
import subprocess
import sys
import zipfile

import arguments
import compare
import edit_plan
import interpreters
import round_trips
import running

FEWEST = 400  # comparisons with the PyTorch that wrote the files
KINDS = """add a prefix|rename a prefix|strip a prefix|rename by an expression
keep half of the names|drop what is at the top|drop what is nested|extract a part
cast to bfloat16|cast to float16|cast to float64|cast to float8_e4m3fn|change the location
requires_grad becomes true|requires_grad becomes false|align to 4096|write no checksums"""
KINDS = KINDS.replace("\n", "|").split("|")
# Each in a process of its own.
WAYS = {
    "new": (("weights-only",), ("plain", "mmap", "mmap-offsets")),
    "old": (("weights-only",), ("plain",)),
}


class Report:
    def __init__(self):
        self.failures = []
        self.counts = collections.defaultdict(collections.Counter)

    def fail(self, text):
        print("FAIL", text, flush=True)
        self.failures.append(text)

    def count(self, kind, what, number=1):
        self.counts[kind][what] += number

    def print_counts(self):
        for kind, row in self.counts.items():
            print(f"{kind}: " + ", ".join(f"{number} {what}" for what, number in row.items()))


def source(options, case):
    return os.path.join(options.cases, case["file"])


def check_identity(options, cases, report, directory):
    """`ptsd rewrite` without options copies a file of torch.save to the byte."""
    target = os.path.join(directory, "copy.pt")
    for case in cases:
        path = source(options, case)
        answer = running.run(options.ptsd, "rewrite", path, "-o", target, "--force")
        if answer.code != 0:
            report.fail(f"{case['name']}: rewrite: {answer.told()}")
        elif not running.same_bytes(path, target):
            report.fail(f"{case['name']}: rewrite: the bytes are not the same")
        else:
            report.count("identity", "files are the same bytes")


def check_round_trips(options, cases, report, directory):
    """Returns the files that are to be equal in meaning, and where the state dicts are."""
    pairs, places = [], {}
    for case in cases:
        chance = random.Random(f"{options.seed}/{case['name']}")
        path = source(options, case)
        place, refusal = round_trips.look(options.ptsd, path, chance)
        if place is None:
            report.count("round trip", "files without a state dict")
            if "no state dict" not in refusal.message:
                report.fail(f"{case['name']}: rename: {refusal.told()}")
            continue
        places[case["name"]] = place
        for rule in round_trips.rules_of(chance, path, place, directory):
            outcome = round_trips.there_and_back(options.ptsd, path, place, rule, directory)
            kind = f"round trip {rule.kind}"
            if outcome.failure and case["protocol"] == 2:
                report.fail(f"{case['name']}: {outcome.failure}")
            elif outcome.unequal is None:
                report.count(kind, "are the same bytes")
            else:
                report.count(
                    kind,
                    "with a name used elsewhere" if outcome.why else "of other protocols",
                )
                kept = os.path.join(directory, f"meaning-{len(pairs)}.pt")
                os.replace(outcome.unequal, kept)
                pairs.append((case, path, kept, rule))
    return pairs, places


def others(options, path):
    """Paths of what is no tensor."""
    answer = running.run(options.ptsd, "ls", path, "-a")
    return [entry["path"] for entry in answer.json.get("other", ()) if "path_b64" not in entry]


def check_alignment(path, report, case):
    with zipfile.ZipFile(path) as archive:
        root = archive.namelist()[0].split("/")[0]
    offsets = zip_offsets(path, f"{root}/data/")
    if any(offset % 4096 for offset in offsets):
        report.fail(f"{case['name']}: --align 4096: records begin at {offsets[:4]}")


def zip_offsets(path, beginning):
    found = []
    with zipfile.ZipFile(path) as archive, open(path, "rb") as file:
        for member in archive.infolist():
            file.seek(member.header_offset + 26)
            name, extra = struct.unpack("<HH", file.read(4))
            if member.orig_filename.startswith(beginning):
                found.append(member.header_offset + 30 + name + extra)
    return found


def make_edits(options, version, cases, places, report, directory):
    """Runs ptsd; the jobs for edited.py."""
    jobs = []
    done = collections.Counter()
    for case in cases:
        path = source(options, case)
        chance = random.Random(f"{options.seed}/{case['name']}/edits")
        place = places.get(case["name"])
        subject = edit_plan.Subject(case, place, others(options, path), version, chance, directory)
        for plan in edit_plan.plans(subject, options.edits, done):
            target = os.path.join(directory, f"edited-{len(jobs)}.pt")
            address = f"{path}#{plan.address}" if plan.address else path
            words = [address, "-o", target, "--force", *plan.options]
            answer = running.run(options.ptsd, plan.command, *words)
            if answer.code != 0:
                if any(part in answer.message for part in plan.unless):
                    report.count(plan.kind, "refused")
                    continue
                shown = " ".join(map(repr, plan.options)) or f"#{plan.address}"
                report.fail(f"{case['name']}: {plan.command} {shown}: {answer.told()}")
                continue
            if plan.kind == "align to 4096":
                check_alignment(target, report, case)
            job = {"id": len(jobs), "case": case["name"], "kind": plan.kind, "edit": plan.edit}
            job |= {"original": path, "edited": target, "command": answer.command}
            jobs.append(job)
    return jobs


def meaning_jobs(pairs, jobs):
    for case, path, kept, rule in pairs:
        yield {
            "id": len(jobs),
            "case": case["name"],
            "kind": f"round trip {rule.kind}, in meaning",
            "edit": {"kind": "nothing"},
            "original": path,
            "edited": kept,
            "command": ["rename", *rule.forth, "and back"],
        }


def run_torch(python, jobs, ways, directory, label):
    """{(id, how): (verdict, text)}; goes on behind a job that ends the process."""
    paths = [os.path.join(directory, f"{name}-{label}") for name in ("jobs.json", "results.jsonl")]
    with open(paths[0], "w") as file:
        json.dump(jobs, file)
    if os.path.exists(paths[1]):
        os.remove(paths[1])
    found = {}
    for _ in range(len(jobs) * len(ways)):
        command = [python, "-B", os.path.join(compare.HERE, "edited.py"), *paths, *ways]
        code = subprocess.run(command).returncode
        with open(paths[1]) as file:
            for line in map(json.loads, file):
                found[line["id"], line["how"]] = line["verdict"], line.get("text", "")
        if code == 0:
            break
        for key, (verdict, _) in found.items():
            if verdict == "begun":
                found[key] = "crash", f"the process ended with {code}"
    return {
        key: ("crash", "the process ended") if value[0] == "begun" else value
        for key, value in found.items()
    }


def judge(results, jobs, label, report, reasons):
    """Fails for what differs; counts what was checked, by kind of edit."""
    by_id = {job["id"]: job for job in jobs}
    checked = 0
    for (number, how), (verdict, text) in sorted(results.items()):
        job = by_id[number]
        if verdict == "same":
            report.count(job["kind"], f"{label} {how}")
            checked += 1
        elif verdict == "unchanged":
            report.count(job["kind"], f"{label} {how} that change nothing")
        elif verdict == "original":
            reasons[f"{label} {how}: the original: {text}"].add(job["case"])
        elif verdict == "not-modelled":
            reasons[f"{label} {how}: not modelled: {text}"].add(job["case"])
        else:
            shown = " ".join(map(repr, job["command"][1:]))
            last = text.strip().splitlines()[-1] if text else ""
            report.fail(f"{job['case']}: {label} {how}: {shown}: {verdict}: {last}")
    return checked


def check_with_torch(options, python, jobs, report, directory):
    """How many edits the PyTorch that wrote the files agrees with."""
    reasons = collections.defaultdict(set)
    pythons = {options.interpreter: python}
    if options.interpreter == "old":
        pythons["new"] = interpreters.find("new")
    total = 0
    for which, interpreter in pythons.items():
        if interpreter is None:
            print(f"NOT COMPARED: {interpreters.advice(which)}", file=sys.stderr)
            continue
        for ways in WAYS[which]:
            label = f"{which}-{ways[0]}"
            results = run_torch(interpreter, jobs, ways, directory, label)
            missing = len(jobs) * len(ways) - len(results)
            if missing:
                report.fail(f"{label}: {missing} jobs have no result")
            checked = judge(results, jobs, which, report, reasons)
            if which == options.interpreter and ways[0] == "plain":
                total = sum(
                    verdict == "same" and how == "plain"
                    for (_, how), (verdict, _) in results.items()
                )
            print(f"{label}: {checked} comparisons agree", flush=True)
    for reason, names in sorted(reasons.items()):
        print(f"NOT COMPARED: {reason}: {len(names)} files, such as {sorted(names)[0]}")
    return total


def check_coverage(options, total, report):
    for kind in KINDS:
        if kind == "cast to float8_e4m3fn" and options.interpreter == "old":
            continue
        if not any(" plain" in what for what in report.counts[kind]):
            report.fail(f"{kind}: never done")
    if total < FEWEST // options.every:
        report.fail(f"{total} edits were compared, should be {FEWEST // options.every} at least")
    print(f"{total} edits are what the PyTorch that wrote the files makes of them")


def check(options, directory):
    what = f"edits of the {options.interpreter} PyTorch's files"
    python = interpreters.require(options.interpreter, what)
    report = Report()
    if not options.cases:
        options.cases = os.path.join(directory, "cases")
        os.makedirs(options.cases)
        _, broken = compare.write(python, options.cases, options.only)
        for failure in broken:
            report.fail(failure)
    with open(os.path.join(options.cases, "expected.json")) as file:
        written = json.load(file)
    cases = [
        case for case in written["cases"] if not options.only or case["name"] in options.only
    ]
    print(f"torch {written['torch']}: {len(cases)} cases, seed {options.seed}", flush=True)
    check_identity(options, cases, report, directory)
    chosen = arguments.share(options, cases)
    pairs, places = check_round_trips(options, chosen, report, directory)
    jobs = make_edits(options, written["torch"], chosen, places, report, directory)
    jobs += meaning_jobs(pairs, jobs)
    for number, job in enumerate(jobs):
        job["id"] = number
    total = check_with_torch(options, python, jobs, report, directory)
    report.print_counts()
    if not options.only:
        check_coverage(options, total, report)
    print(f"{len(report.failures)} failed")
    return 1 if report.failures or not cases else 0


def main():
    parser = arguments.parser(__doc__)
    arguments.add_share(parser)
    parser.add_argument("--edits", type=int, default=int(os.environ.get("PTSD_EDITS", "1")),
                        help="at most so many of each file; PTSD_EDITS, else 1")
    parser.add_argument("--cases", help="files that write.py has written")
    return arguments.in_folder(parser.parse_args(), check)


if __name__ == "__main__":
    sys.exit(main())
