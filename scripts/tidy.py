#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs clang-tidy over all sources of a build folder, a folder of the tree at a time.

Most of clang-tidy's time goes into the headers that a source includes, again for each source. So the sources of a
folder that are compiled alike are looked at as one file that includes them all, which takes a tenth of the time. Those
that do not compile together (two of them use a name, each for something of its own) are parted. Two checks look at a
compiler's main file only and say nothing here, misc-unused-using-decls and misc-unused-alias-decls: they speak for
files that are named, which are looked at singly.

usage: tidy.py ROOT BUILD_FOLDER [FILE...]
"""
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

OURS = r"(engine|platform)/[^ ]*\.(h|cc)$"
# Which file of the tree an error is in, or by which it was included.
SOURCE_OF_ERROR = re.compile(r"(?:In file included from )?(\S+\.cc):\d+")


def flags_of(entry):
    """The compile command without compiler, input and output."""
    words = shlex.split(entry["command"])
    words = words[1 + (words[0].endswith("ccache")):]
    kept, skip = [], False
    for word in words:
        if skip or word in ("-c", entry["file"]):
            skip = False
        elif word in ("-o", "-MF", "-MQ"):
            skip = True
        elif word != "-MD":
            kept.append(word)
    return kept


def compile_together(flags, sources, unit, build):
    """Errors of a file that includes them all; none where it compiles."""
    unit.parent.mkdir(exist_ok=True)
    unit.write_text("".join(f'#include "{source}"\n' for source in sources))
    run = subprocess.run(["clang++", *flags, "-fsyntax-only", "-fno-color-diagnostics", "-w", str(unit)], cwd=build,
                         capture_output=True, text=True)
    return run.stderr if run.returncode else ""


def part(name, flags, sources, build):
    """Units of sources that compile together: (file, flags, sources)."""
    units = []
    while sources:
        left = []
        unit = build / "together" / f"{name}-{len(units) + 1}.cc"
        while len(sources) > 1 and (errors := compile_together(flags, sources, unit, build)):
            named = [found for found in map(os.path.realpath, SOURCE_OF_ERROR.findall(errors)) if found in sources]
            # The first error's file goes; where none is named, the last.
            left.append(sources.pop(sources.index(named[0]) if named else -1))
        if len(sources) == 1:
            compile_together(flags, sources, unit, build)
        units.append((unit, flags, sources))
        sources = left
    return units


def tidy(build, unit, flags):
    run = subprocess.run(["clang-tidy", "--quiet", f"--header-filter={OURS}", "--checks=-bugprone-suspicious-include",
                          str(unit), "--", *flags], cwd=build, capture_output=True, text=True)
    return run.returncode, run.stdout + run.stderr


def main():
    root, build = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    if sys.argv[3:]:
        return subprocess.run(["clang-tidy", "--quiet", "-p", str(build), *sys.argv[3:]]).returncode
    folders = collections.defaultdict(list)
    for entry in json.loads((build / "compile_commands.json").read_text()):
        source = pathlib.Path(entry["directory"], entry["file"]).resolve()
        folder = source.parent.relative_to(root).as_posix()
        if folder.startswith(("engine/", "platform/")):
            folders[folder, tuple(flags_of(entry))].append(str(source))
    failed = count = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as workers:
        parts = [workers.submit(part, f"{folder.replace('/', '-')}-{number}", list(flags), sorted(sources), build)
                 for number, ((folder, flags), sources) in enumerate(sorted(folders.items()))]
        units = [unit for some in parts for unit in some.result()]
        count = sum(len(sources) for _, _, sources in units)
        # The long ones first, so that none is left alone at the end.
        units.sort(key=lambda unit: -len(unit[2]))
        for code, text in workers.map(lambda unit: tidy(build, unit[0], unit[1]), units):
            failed += code != 0
            # Not its counts of what it holds back, which would bury what it found.
            lines = [line for line in text.splitlines(True) if not re.search(r"warnings? (and|generated)", line)]
            print("".join(lines), end="", flush=True)
    print(f"{count} sources in {len(units)} units, {failed} with findings")
    return 1 if failed or not count else 0


if __name__ == "__main__":
    sys.exit(main())
