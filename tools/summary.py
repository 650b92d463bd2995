#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sums up logs of meson test: what was skipped and why, then 'N passed, N failed'.

With --strict a skipped test counts as failed. Exits with 1 if a test failed or none ran.
"""

import argparse
import json
import sys

PASSED = {"OK", "EXPECTEDFAIL"}


def reason(test):
    output = (test.get("stdout") or "") + (test.get("stderr") or "")
    lines = [line for line in output.splitlines() if line.startswith("SKIPPED")]
    return lines[0] if lines else "SKIPPED"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--more-passed", type=int, default=0, metavar="N", help="other checks")
    parser.add_argument("--more-failed", type=int, default=0, metavar="N", help="other checks")
    parser.add_argument("logs", nargs="*", help="testlog-*.json")
    options = parser.parse_args()
    tests = []
    for log in options.logs:
        try:
            with open(log, encoding="utf-8") as file:
                tests += [json.loads(line) for line in file]
        except FileNotFoundError:
            print(f"NOT RUN: no tests ran in {log}")
            options.more_failed += 1
    skipped = [test for test in tests if test["result"] == "SKIP"]
    passed = sum(test["result"] in PASSED for test in tests) + options.more_passed
    failed = len(tests) - len(skipped) + options.more_passed + options.more_failed - passed
    for test in skipped:
        print(f"NOT RUN: {test['name']}: {reason(test)}")
    counts = f"{passed} passed, {failed + (len(skipped) if options.strict else 0)} failed"
    if skipped and not options.strict:
        counts += f", {len(skipped)} skipped"
    print(counts)
    sys.exit(1 if failed or not passed or (options.strict and skipped) else 0)


if __name__ == "__main__":
    main()
