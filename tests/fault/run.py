#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lets each call of the system that a writing command makes fail, or kills the command there.

Whatever happens, the input stays as it is, the target is what it was or the whole new file, and
nothing is left beside it. strace injects the faults; each command is first run without any, to
learn what the whole new file is.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import itertools
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

SKIPPED = 77
TESTDATA = pathlib.Path(__file__).resolve().parents[2] / "testdata"
MODEL = (TESTDATA / "tied.pt").read_bytes()
INPUT = bytes(i * 7 % 251 for i in range(1500000))
OLD = b"what was there before"


# Ways to put a file in place that are only taken where the better ones do not work.
NO_PROC = {"?access": "ENOENT", "?faccessat": "ENOENT", "?faccessat2": "ENOENT"}
MODES = {
    "unnamed": {},
    "named": NO_PROC,
    "without RENAME_NOREPLACE": {**NO_PROC, "?renameat2": "EINVAL"},
}


@dataclasses.dataclass
class Case:
    """`command` is run in a folder that holds `files`; {NAME} stands for a program."""

    name: str
    command: str
    target: str = "out"
    backup: str = ""
    files: dict = dataclasses.field(default_factory=lambda: {"in": INPUT})
    links: dict = dataclasses.field(default_factory=dict)
    modes: tuple = ("unnamed", "named")
    limits: tuple = ("ulimit -f", "ulimit -n 16")


# What a command on a small checkpoint does not notice.
SMALL = ("ulimit -n 16", "ulimit -v")


def of_ptsd(name, command, **more):
    """A command of ptsd on a small checkpoint, in.pt."""
    files = {"in.pt": MODEL}
    return Case(name, "{ptsd} " + command, files=files, limits=SMALL, modes=("unnamed",), **more)


# To add a command: its row, and its program in PROGRAMS.
CASES = [
    Case("a new file", "{write_twice} in out", modes=tuple(MODES)),
    Case(
        "a file that is replaced",
        "{write_twice} in out --force",
        files={"in": INPUT, "out": OLD},
    ),
    Case("in place", "{write_twice} in in --in-place", target="in"),
    Case("with a backup", "{write_twice} in in --in-place=.bak", target="in", backup="in.bak"),
    Case(
        "through a link",
        "{write_twice} in link --force",
        files={"in": INPUT, "out": OLD},
        links={"link": "out"},
    ),
    of_ptsd("rename", "rename -q in.pt --from wte. --to x. -o out"),
    of_ptsd(
        "rename in place",
        "rename -q in.pt --from wte. --to x. --in-place=.bak",
        target="in.pt",
        backup="in.pt.bak",
    ),
    of_ptsd("filter", "filter -q in.pt --exclude wte.* -o out"),
    of_ptsd("merge", "merge -q in.pt x.=in.pt -o out"),
    of_ptsd("rewrite", "rewrite -q in.pt --cast float16 -o out"),
    of_ptsd("safetensors", "rewrite -q in.pt --to safetensors -o out"),
]
PROGRAMS = ["write_twice", "ptsd"]

ERRORS = {
    "access": ["ENOENT"],
    "close": ["EIO", "EINTR"],
    "copy_file_range": ["EIO", "ENOSPC", "EXDEV", "EINTR"],
    "faccessat": ["ENOENT"],
    "faccessat2": ["ENOENT"],
    "fallocate": ["ENOSPC", "EOPNOTSUPP", "EINTR"],
    "fchmod": ["EPERM", "EIO"],
    "fchown": ["EPERM"],
    "fcntl": ["EMFILE"],
    "fgetxattr": ["EIO"],
    "flistxattr": ["EIO"],
    "flock": ["EINTR"],
    "fremovexattr": ["EIO"],
    "fsetxattr": ["EPERM"],
    "fstat": ["EIO"],
    "fstatfs": ["EIO"],
    "fsync": ["EIO", "ENOSPC"],
    "ftruncate": ["EIO"],
    "getrandom": ["EINTR"],
    "linkat": ["EIO", "EPERM"],
    "lstat": ["EIO"],
    "mmap": ["ENOMEM"],
    "newfstatat": ["EIO"],
    "openat": ["EIO", "EMFILE", "ENOSPC", "EOPNOTSUPP"],
    "pread64": ["EIO", "EINTR"],
    "pwrite64": ["EIO", "ENOSPC", "EDQUOT", "EINTR"],
    "renameat": ["EIO", "ENOSPC"],
    "renameat2": ["EIO", "EINVAL"],
    "stat": ["EIO"],
    "statx": ["EIO"],
    "unlinkat": ["EIO"],
}
SIGNALS = ["SIGKILL", "SIGINT", "SIGTERM"]
# After these there is nothing to lose.
NOT_KILLED = {"exit_group", "exit", "brk"}

LIMITS = {
    "ulimit -f": (resource.RLIMIT_FSIZE, 2000000, 2),
    "ulimit -n 16": (resource.RLIMIT_NOFILE, 16, 0),
    "ulimit -v": (resource.RLIMIT_AS, 1 << 30, 0),
}

TEMPORARY = re.compile(r"\.ptsd-[a-z2-7]{8}\.tmp")
NOT_DURABLE = "in place, but not known to be durable"
CALL = re.compile(r"^\d+ +(\w+)\(")


class Runner:
    def __init__(self, programs, root):
        self.programs = programs
        self.root = root

    def folder(self, case):
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.root))
        for name, content in case.files.items():
            (folder / name).write_bytes(content)
        for name, to in case.links.items():
            (folder / name).symlink_to(to)
        return folder

    def run(self, case, options=(), limit=None):
        """(what subprocess says, the trace, {name: content}) of a run in a folder of its own."""
        folder = self.folder(case)
        trace = folder.with_suffix(".trace")
        command = [word.format(**self.programs) for word in case.command.split()]
        if limit is None:
            command = ["strace", "-f", "-qq", "-o", str(trace), *options, *command]
        result = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            # The leak checker cannot work under strace.
            env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"},
            preexec_fn=None if limit is None else lambda: resource.setrlimit(*limit),
        )
        found = {p.name: p.read_bytes() for p in folder.iterdir() if not p.is_symlink()}
        text = trace.read_text(errors="replace") if limit is None else ""
        shutil.rmtree(folder)
        trace.unlink(missing_ok=True)
        return result, text, found


def problems_in(case, new, result, found):
    """What is wrong after a run. The temporary that SIGKILL leaves is no problem."""
    killed = result.returncode == -signal.SIGKILL
    old = case.files.get(case.target)
    target = found.get(case.target)
    lines = result.stderr.splitlines()
    in_place = result.returncode == 0 or NOT_DURABLE in result.stderr
    if target not in (old, new):
        yield "the target is neither old nor new"
    if result.returncode >= 0 and target != (new if in_place else old):
        yield f"the target is {'old' if in_place else 'new'}"
    if result.returncode not in (0, 2) and result.returncode >= 0:
        yield f"exit status {result.returncode}"
    if result.returncode == 2 and len(lines) != 1:
        yield "not one line on stderr"
    if result.returncode == 0 and any("warning" not in line for line in lines):
        yield "something on stderr"
    if result.returncode < 0 and lines:
        yield "a signal, and something on stderr"
    for name, content in case.files.items():
        if name != case.target and found.get(name) != content:
            yield f"{name} changed"
    if case.backup in found and found[case.backup] != old:
        yield "the backup is not the file that was there"
    if case.backup and not killed and (case.backup in found) != (target == new):
        yield "the backup is there without the new file, or the other way round"
    for name in found:
        known = name in (*case.files, case.target, case.backup)
        if not known and not (killed and TEMPORARY.fullmatch(name)):
            yield f"{name} is left"


def calls_after_start(trace, case):
    """{name: [first, last]}: the calls from the opening of the first file on, counted from 1."""
    counts = collections.Counter()
    calls = {}
    started = False
    for line in trace.splitlines():
        match = CALL.match(line)
        if not match or match[1] == "execve":
            continue
        counts[match[1]] += 1
        started = started or any(f'"{name}"' in line for name in case.files)
        if started:
            calls.setdefault(match[1], [counts[match[1]], 0])[1] = counts[match[1]]
    return calls


def injections(calls):
    for call, (first, last) in sorted(calls.items()):
        faults = [f"error={error}" for error in ERRORS.get(call, [])]
        if call not in NOT_KILLED:
            faults += [f"signal={name}" for name in SIGNALS]
        for fault, when in itertools.product(faults, range(first, last + 1)):
            yield call, f"inject={call}:{fault}:when={when}"


class Tally:
    def __init__(self):
        self.points = 0
        self.litter = collections.Counter()
        self.problems = []

    def add(self, title, case, new, result, found):
        self.points += 1
        for problem in problems_in(case, new, result, found):
            said = result.stderr.strip()
            self.problems.append(f"{title}: {problem} (status {result.returncode}, {said!r})")


def options_for(calls, rules):
    return [f"--trace={','.join(calls)}", *(word for rule in rules for word in ("-e", rule))]


def inject_everywhere(runner, pool, tally, case, mode):
    always = [f"inject={call}:error={error}" for call, error in MODES[mode].items()]
    result, trace, found = runner.run(case, options_for(["all"], always))
    new = found.get(case.target)
    tally.add(f"{case.name}, {mode}", case, new, result, found)
    if result.returncode != 0:
        tally.problems.append(f"{case.name}, {mode}: fails without a fault: {result.stderr}")
        return new
    jobs = {}
    for call, rule in injections(calls_after_start(trace, case)):
        # A later rule for a call takes the place of an earlier one.
        options = options_for([*MODES[mode], call], [*always, rule])
        jobs[pool.submit(runner.run, case, options)] = rule
    for job, rule in jobs.items():
        result, _, found = job.result()
        title = f"{case.name}, {mode}, {rule}"
        tally.add(title, case, new, result, found)
        tally.litter[mode] += any(TEMPORARY.fullmatch(name) for name in found)
        sent = re.search(r"signal=(\w+)", rule)
        if sent and result.returncode != -signal.Signals[sent[1]]:
            tally.problems.append(f"{title}: status {result.returncode}")
    return new


def try_limits(runner, tally, case, new):
    for name in case.limits:
        which, limit, status = LIMITS[name]
        result, _, found = runner.run(case, limit=(which, (limit, limit)))
        tally.add(f"{case.name}, {name}", case, new, result, found)
        if result.returncode != status:
            tally.problems.append(
                f"{case.name}, {name}: status {result.returncode}, expected {status}"
            )


def strace_works():
    if not shutil.which("strace"):
        return False
    command = ["strace", "-f", "-qq", "-e", "inject=close:error=EIO:when=99", "true"]
    return subprocess.run(command, capture_output=True).returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for program in PROGRAMS:
        parser.add_argument(program, type=pathlib.Path)
    parser.add_argument("--only", default="", help="a word in the names of the cases to run")
    options = parser.parse_args()
    if not strace_works():
        print("skipped: strace is missing, or may not trace")
        sys.exit(SKIPPED)
    programs = {program: getattr(options, program).resolve() for program in PROGRAMS}
    tally = Tally()
    # In memory, where syncing costs nothing.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as root:
        runner = Runner(programs, root)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for case in [c for c in CASES if options.only in c.name]:
                for mode in case.modes:
                    new = inject_everywhere(runner, pool, tally, case, mode)
                try_limits(runner, tally, case, new)
    for problem in tally.problems:
        print(problem)
    for mode, count in tally.litter.items():
        print(f"{mode}: SIGKILL leaves a temporary at {count} points")
    print(f"{tally.points} points, {len(tally.problems)} problems")
    sys.exit(1 if tally.problems else 0)


if __name__ == "__main__":
    main()
