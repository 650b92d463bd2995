# SPDX-License-Identifier: Apache-2.0
"""Runs an editing command of ptsd."""

import dataclasses
import json
import subprocess


@dataclasses.dataclass
class Answer:
    command: list
    code: int
    json: dict  # of stdout, or of the error on stderr
    stderr: str

    @property
    def message(self):
        return self.json.get("message") or self.stderr[:300]

    def told(self):
        return f"exit {self.code}: {self.message}"


def run(ptsd, command, *arguments):
    """The answer of `ptsd COMMAND --json ARGUMENTS`."""
    line = [ptsd, command, "--json", *arguments]
    encoded = [word.encode("utf-8", "surrogateescape") for word in line]
    process = subprocess.run(encoded, capture_output=True)
    stderr = process.stderr.decode("utf-8", "backslashreplace").strip()
    text = process.stdout if process.returncode == 0 else process.stderr
    try:
        answer = json.loads(text)
    except ValueError:
        answer = {}
    return Answer(line, process.returncode, answer, stderr)


def same_bytes(one, other):
    with open(one, "rb") as a, open(other, "rb") as b:
        return a.read() == b.read()
