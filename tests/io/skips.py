#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The scripts beside this one that need a network of their own, where they may not make one: each says so in its last
line and exits with 77, which meson counts as skipped. Arguments: HAWSER STAND_IN."""
import ctypes
import glob
import os
import subprocess
import sys

from program import check, finish

HERE = os.path.dirname(os.path.abspath(__file__))
CAP_SYS_ADMIN = 21


def without_namespaces():
    """Drops the capability from what root's children may have; others never had it."""
    ctypes.CDLL(None).prctl(24, CAP_SYS_ADMIN, 0, 0, 0)  # PR_CAPBSET_DROP


def skips(title, *command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=60, preexec_fn=without_namespaces, check=False)
    last = (done.stdout.splitlines() or [""])[-1]
    check(f"{title} is skipped, and says why", done.returncode == 77 and ("skipped:" in last or "needs root" in last), f"exit {done.returncode}: {done.stdout}")


for script in sorted(glob.glob(os.path.join(HERE, "radio*.py"))):
    if os.path.basename(script) != "radio_program.py":
        skips(os.path.basename(script), sys.executable, script, *sys.argv[1:])
isolation = os.path.join(HERE, "../../perf/radio-isolation")
skips("radio-isolation", sys.executable, isolation)
finish()
