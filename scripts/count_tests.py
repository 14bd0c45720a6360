#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts the test cases of a `meson test` run from its testlog.json, by what each test itself reported.

A Catch2 program counts with each of its cases; any other test counts once, unless its output has a line
`N passed, N failed[, N skipped]`, whose numbers are then taken (the last such line). A test that failed in a way its own
numbers do not show (a crash, a time-out, a sanitizer's report at exit) counts as one failure more. Exit code 77 is a
skip, never a pass.

A test that failed beside others may have been starved by them: what waits for the kernel's clock cannot know. --again
names such tests for a second run, in which each is alone; what passes there counts by it, and is told of. Not those that
a sanitizer, a signal or an audit ended, or a program that they ran (tests/io/program.py, tests/e2e/lab.py say so): a race
is none the less one for being rare. Nor any where more than AGAIN_MAX failed.

usage: count_tests.py TESTLOG_JSON [SECOND_JSON]   prints: PASSED FAILED SKIPPED, and to stderr what failed and why others
                                                   were skipped
       count_tests.py --again TESTLOG_JSON         prints the names of those that deserve a second run, a line each
       count_tests.py --self-test                  counts samples whose numbers are known
"""
import json
import re
import sys

CATCH_ALL = re.compile(r"All tests passed \(.* in (\d+) test cases?\)")
CATCH_SOME = re.compile(r"test cases:\s*(\d+)((?:\s*\|\s*\d+ [a-z ]+)+)")
OWN_COUNT = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\b", re.M)
FATAL = re.compile(r"Sanitizer|runtime error:|internal error:|ended by signal")
LINES_SHOWN = 60
AGAIN_MAX = 3


def count_one(test):
    """(passed, failed, skipped) of one entry of the log."""
    output, result = test.get("stdout", ""), test["result"]
    if result == "SKIP":
        return 0, 0, 1
    passed = failed = skipped = 0
    counted = False
    if found := CATCH_ALL.findall(output):
        passed, counted = int(found[-1]), True
    elif found := CATCH_SOME.findall(output):
        parts = {name.strip(): int(number) for number, name in re.findall(r"(\d+) ([a-z ]+)", found[-1][1])}
        # "failed as expected" is a pass of a [!shouldfail] case.
        passed = parts.get("passed", 0) + parts.get("failed as expected", 0)
        failed, counted = parts.get("failed", 0), True
    elif found := OWN_COUNT.findall(output):
        passed, failed, skipped = (int(number or 0) for number in found[-1])
        counted = True
    good = result in ("OK", "EXPECTEDFAIL")
    if not counted:
        return (1, 0, 0) if good else (0, 1, 0)
    if not good and failed == 0:
        failed = 1
    return passed, failed, skipped


def name_of(test):
    return test["name"].removeprefix("hawser:")


def log_of(path):
    with open(path, encoding="utf-8") as log:
        return [json.loads(line) for line in log]


def said_by(test):
    return test.get("stdout", "") + test.get("stderr", "")


def for_a_second_run(tests):
    failed = [test for test in tests if count_one(test)[1]]
    if len(failed) > AGAIN_MAX:
        return []
    return [name_of(test).split(" / ", 1)[-1] for test in failed
            if test["result"] == "TIMEOUT" or test.get("returncode", 1) > 0 and not FATAL.search(said_by(test))]


def tell_failure(test, verdict):
    print(f"  {verdict}: {name_of(test)} ({test['result']}, {test.get('returncode')})", file=sys.stderr)
    print("\n".join("    | " + text for text in said_by(test).splitlines()[-LINES_SHOWN:]), file=sys.stderr)


CATCH_RULE = "=" * 79 + "\n"
# What a test said, meson's result, and the counts that follow.
SAMPLES = [
    (CATCH_RULE + "All tests passed (12 assertions in 3 test cases)\n", "OK", (3, 0, 0)),
    (CATCH_RULE + "All tests passed (1 assertion in 1 test case)\n", "OK", (1, 0, 0)),
    (CATCH_RULE + "test cases:  13 |  12 passed | 1 failed\nassertions: 155 | 153 passed | 2 failed\n", "FAIL", (12, 1, 0)),
    (CATCH_RULE + "test cases: 5 | 3 passed | 1 failed | 1 failed as expected\n", "FAIL", (4, 1, 0)),
    (CATCH_RULE + "test cases: 1 | 1 failed\nassertions: - none -\n", "FAIL", (0, 1, 0)),
    ("SUMMARY: ThreadSanitizer: data race\nAll tests passed (12 assertions in 3 test cases)\n", "FAIL", (3, 1, 0)),
    ("", "TIMEOUT", (0, 1, 0)),
    ("", "ERROR", (0, 1, 0)),
    ("No tests ran\n", "FAIL", (0, 1, 0)),
    ("skipped: needs root\n", "SKIP", (0, 0, 1)),
    ("something\n", "OK", (1, 0, 0)),
    ("something\n", "FAIL", (0, 1, 0)),
    ("one: good\n4 passed, 0 failed\n", "OK", (4, 0, 0)),
    ("4 passed, 2 failed, 1 skipped\n", "FAIL", (4, 2, 1)),
    ("2 passed, 0 failed\n5 passed, 0 failed\n", "OK", (5, 0, 0)),
    ("4 passed, 0 failed\n", "FAIL", (4, 1, 0)),
]


def self_test():
    wrong = [(said, result, wanted, counts) for said, result, wanted in SAMPLES
             if (counts := count_one({"stdout": said, "result": result})) != wanted]
    for said, result, wanted, counts in wrong:
        print(f"{said!r} with {result}: counted {counts}, not {wanted}")
    samples = [{"name": str(i), "stdout": said, "result": result} for i, (said, result, _) in enumerate(SAMPLES)]
    picked = for_a_second_run([sample for sample in samples if sample["name"] in "0 2 5 10"])
    crowd = for_a_second_run(samples)
    if picked != ["2"] or crowd:
        print(f"for a second run: {picked} and {crowd}, not ['2'] and []")
        wrong.append(picked)
    print(f"{len(SAMPLES) + 1 - len(wrong)} of {len(SAMPLES) + 1} samples judged rightly")
    return 1 if wrong else 0


def main():
    if sys.argv[1] == "--self-test":
        return self_test()
    if sys.argv[1] == "--again":
        for name in for_a_second_run(log_of(sys.argv[2])):
            print(name)
        return 0
    second = {test["name"]: test for test in log_of(sys.argv[2])} if len(sys.argv) > 2 else {}
    totals = [0, 0, 0]
    for test in log_of(sys.argv[1]):
        if count_one(test)[1] and second.get(test["name"], {}).get("result") == "OK":
            tell_failure(test, "failed beside others, passed alone")
            test = second[test["name"]]
        counts = count_one(test)
        totals = [total + count for total, count in zip(totals, counts)]
        last = (test.get("stdout", "").strip().splitlines() or ["no reason given"])[-1]
        if test["result"] == "SKIP":
            print(f"  skipped: {name_of(test)}: {last}", file=sys.stderr)
        elif counts[1]:
            tell_failure(test, "FAILED")
        elif counts[2]:
            reasons = [text.strip() for text in test["stdout"].splitlines() if "skipped:" in text]
            print(f"  skipped {counts[2]} in {name_of(test)}: {'; '.join(reasons) or 'no reason given'}", file=sys.stderr)
    print(*totals)
    return 0


if __name__ == "__main__":
    sys.exit(main())
