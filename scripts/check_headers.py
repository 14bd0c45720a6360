#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Proves that every header stands alone: a file that includes nothing but it, twice, compiles without a warning.

A header that some source file includes before anything else has its proof in the ordinary build, and only its
`#pragma once` is looked for. For each of the others a file is generated and compiled for syntax only. Headers are
found in the tree when the check runs, so a new one needs no row anywhere. Headers below platform/ are left out where
their libraries are not installed (--engine-only).

usage: check_headers.py ROOT COMPILER...      e.g. check_headers.py . g++
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

FLAGS = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Wold-style-cast",
         "-Werror", "-DHAWSER_VERSION=\"header-check\""]
# As the libraries of these folders are compiled.
PURE_FLAGS = ["-fno-exceptions", "-fno-rtti"]
FIRST_INCLUDE = re.compile(r'^#include [<"]([^>"]+)', re.M)


def included_first(root, tops):
    """Headers of the tree that are a source file's first include."""
    sources = (FIRST_INCLUDE.search(file.read_text()) for top in tops for file in (root / top).rglob("*.cc"))
    return {found.group(1) for found in sources if found}


def compile_alone(root, compiler, header, folder):
    source = folder / (header.replace("/", "_") + ".cc")
    source.write_text(f'#include "{header}"\n#include "{header}"\n')
    flags = FLAGS + (PURE_FLAGS if header.startswith(("engine/", "platform/linux/")) else [])
    run = subprocess.run([*compiler, *flags, f"-I{root}", str(source)], capture_output=True, text=True)
    return header, run.returncode, run.stderr


def main():
    arguments = sys.argv[1:]
    engine_only = "--engine-only" in arguments
    if engine_only:
        arguments.remove("--engine-only")
    root, compiler = pathlib.Path(arguments[0]).resolve(), arguments[1:] or ["c++"]
    tops = ["engine"] if engine_only else ["engine", "platform", "tests", "perf"]
    headers = sorted(file.relative_to(root).as_posix() for top in tops for file in (root / top).rglob("*.h"))
    built = included_first(root, tops)
    generated = [header for header in headers if header not in built]
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as workers:
        results = list(workers.map(lambda h: compile_alone(root, compiler, h, pathlib.Path(folder)), generated))
    failed = [(header, errors) for header, code, errors in results if code != 0]
    failed += [(header, "no #pragma once") for header in headers if header in built and
               not re.search("^#pragma once$", (root / header).read_text(), re.M)]
    for header, errors in failed:
        print(f"{header} does not stand alone:\n{errors}")
    print(f"{len(headers) - len(failed)} of {len(headers)} headers stand alone, {len(generated)} by a file of their own")
    return 1 if failed or not headers else 0


if __name__ == "__main__":
    sys.exit(main())
