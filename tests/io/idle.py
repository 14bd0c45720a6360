#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What both ends cost while nothing passes: hardly any processor time, and no wake-up but for timers that are due and the
keepalives of each second. Needs no root. Arguments: HAWSER."""
import glob
import os
import tempfile
import time

from program import Running, check, finish, free_port

WINDOW_S, WINDOWS = 4, 3
SHARE_MAX = 0.001  # of a core
UPLINKS = ("127.0.0.2", "127.0.0.3")
# In a second: the sender's tick, each uplink's echo, a sample of the figures, and as much again for what comes now and
# then (budgets, the log's minute). The receiver: each keepalive, its sweep.
WAKES_MAX = 2 * (2 + len(UPLINKS))


def spent(pid):
    """Nanoseconds on a processor, and times that a thread has gone to sleep by itself, of all threads."""
    ran, slept = 0, 0
    for task in glob.glob(f"/proc/{pid}/task/*"):
        try:
            with open(task + "/schedstat", encoding="ascii") as f:
                ran += int(f.read().split()[0])
            with open(task + "/status", encoding="ascii") as f:
                slept += next(int(line.split()[1]) for line in f if line.startswith("voluntary_ctxt_switches"))
        except (FileNotFoundError, ProcessLookupError):
            pass  # a thread that has just ended
    return ran, slept


def quiet(name, pid):
    """The quietest of some windows: others on the machine make each wake-up dearer, never cheaper."""
    shares, wakes = [], []
    for _ in range(WINDOWS):
        before = spent(pid)
        begun = time.monotonic()
        time.sleep(WINDOW_S)
        took = time.monotonic() - begun
        after = spent(pid)
        shares.append((after[0] - before[0]) / 1e9 / took)
        wakes.append((after[1] - before[1]) / took)
    print(f"{name}: {100 * min(shares):.4f} % of a core (most {100 * max(shares):.4f}), {min(wakes):.1f} wake-ups a second (most {max(wakes):.1f})")
    check(f"an idle {name} takes under 0.1 % of a core", min(shares) < SHARE_MAX, shares)
    check(f"an idle {name} wakes for its timers and keepalives alone", min(wakes) <= WAKES_MAX, wakes)


def main():
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, \
            Running("recv", port, "127.0.0.1", free_port(), "--listen", "127.0.0.1", "--control", os.path.join(folder, "recv")) as recv, \
            Running("send", free_port(), "127.0.0.1", port, *(w for u in UPLINKS for w in ("-u", u)), "--control", os.path.join(folder, "send"), "--event-log",
                    os.path.join(folder, "events")) as send:
        check("both run", recv.wait_for("waiting for SRTLA senders") and send.wait_for(r"(?s)connection established.*connection established"), send.said)
        time.sleep(3)
        quiet("receiver", recv.child.pid)
        quiet("sender", send.child.pid)
    finish()


if __name__ == "__main__":
    main()
