#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the cases of a folder and compares what they print with what they say.

A case is a text file that reads like a terminal:

    # What the case shows, in as many comment lines as that takes.
    $ ptsd ls no-such-file.pt
    --- stderr
    ptsd: no-such-file.pt: cannot open: No such file or directory
    --- exit 2

Commands begin with "$ " and are run by sh in testdata/; what they print on stdout follows at
once, stderr after a line of its own if there is any, and the exit status last. $TMP is an empty
folder, the same for all commands of a case. Settings may stand above the first command:

    tty: 80                stdout is a terminal of 80 columns
    env: NO_COLOR=1        a variable, one a line

Escape characters are written ␛. To accept what a case prints, and to fill in one that has only
its command: PTSD_ACCEPT=1 meson test --suite golden; then read the difference before committing.
"""

import argparse
import difflib
import fcntl
import os
import pathlib
import pty
import struct
import subprocess
import sys
import tempfile
import termios
import threading

TIMEOUT = 60  # seconds for one command


def read_case(text):
    """The lines above the first command, the settings among them, and the commands."""
    lines = text.splitlines()
    first = next((i for i, line in enumerate(lines) if line.startswith("$ ")), len(lines))
    columns, variables = None, {}
    for line in lines[:first]:
        key, _, value = line.partition(": ")
        if line.startswith("#") or not line:
            continue
        if key == "tty":
            columns = int(value)
        elif key == "env":
            variables.update([value.split("=", 1)])
        else:
            sys.exit(f"no setting: {line!r}")
    commands = [line[2:] for line in lines[first:] if line.startswith("$ ")]
    return lines[:first], columns, variables, commands


def open_terminal(columns):
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    modes = termios.tcgetattr(theirs)
    modes[1] &= ~termios.OPOST  # newlines stay as they are
    termios.tcsetattr(theirs, termios.TCSANOW, modes)
    return ours, theirs


def read_all(descriptor, chunks):
    while True:
        try:
            chunk = os.read(descriptor, 65536)
        except OSError:  # how Linux says that the other side of a terminal is closed
            return
        if not chunk:
            return
        chunks.append(chunk)


def run_command(command, columns, environment, folder):
    """(stdout, stderr, exit status)"""
    words = ["sh", "-c", command]
    if columns is None:
        result = subprocess.run(
            words,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT,
        )
        return result.stdout, result.stderr, result.returncode
    ours, theirs = open_terminal(columns)
    chunks = []
    reader = threading.Thread(target=read_all, args=(ours, chunks))
    reader.start()
    try:
        result = subprocess.run(
            words,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=subprocess.PIPE,
            timeout=TIMEOUT,
        )
    finally:
        os.close(theirs)
        reader.join()
        os.close(ours)
    return b"".join(chunks), result.stderr, result.returncode


def readable(output, temporary):
    text = output.decode("utf-8", errors="backslashreplace").replace(temporary, "$TMP")
    text = text.replace("\x1b", "␛")
    if text and not text.endswith("\n"):
        text += "\n--- no newline at the end\n"
    return text


def base_environment(ptsd, temporary):
    return {
        "PATH": f"{ptsd.parent}:/usr/bin:/bin",
        "HOME": temporary,
        "TMP": temporary,
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        **{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")},
    }


def transcript(text, ptsd, testdata):
    """The case as it should read, by what its commands print."""
    head, columns, variables, commands = read_case(text)
    out = "".join(line + "\n" for line in head)
    with tempfile.TemporaryDirectory() as temporary:
        environment = {**base_environment(ptsd, temporary), **variables}
        for command in commands:
            stdout, stderr, status = run_command(command, columns, environment, testdata)
            out += f"$ {command}\n" + readable(stdout, temporary)
            if stderr:
                out += "--- stderr\n" + readable(stderr, temporary)
            out += f"--- exit {status}\n"
    return out


def check(case, ptsd, testdata):
    """Whether the case holds."""
    expected = case.read_text(encoding="utf-8")
    actual = transcript(expected, ptsd, testdata)
    if actual == expected and "$ " in expected:
        return True
    if os.environ.get("PTSD_ACCEPT") == "1" and actual != expected:
        case.write_text(actual, encoding="utf-8")
        print(f"{case.name}: accepted")
        return True
    diff = difflib.unified_diff(
        expected.splitlines(), actual.splitlines(), str(case), "what it printed", lineterm=""
    )
    print("\n".join(diff) or f"{case}: no command")
    return False


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("ptsd", type=pathlib.Path, help="the built program")
    parser.add_argument("testdata", type=pathlib.Path, help="where the commands run")
    parser.add_argument("folder", type=pathlib.Path, help="the cases")
    options = parser.parse_args()
    cases = sorted(options.folder.glob("*.txt"))
    failed = [c for c in cases if not check(c, options.ptsd.resolve(), options.testdata)]
    print(f"{len(cases)} cases, {len(failed)} failed")
    sys.exit(1 if failed or not cases else 0)


if __name__ == "__main__":
    main()
