#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A sender that ends and starts again with its runtime folder is taken into its group at once: the SRT session lives on,
and all that was sent meanwhile comes out in time. After a receiver's restart both begin anew by themselves."""
import os
import signal
import stat
import statistics
import subprocess
import time

from lab import compare, json_lines, main, wait

AGAIN = "connection group found again"
# From the end of the one process to the group of the next, which that one's event log tells. 20 to 45 ms on a quiet
# machine; a loaded one delays single restarts, and under a sanitizer the program takes longer to begin at all.
RESTART_MS, RESTARTS = 100, 5
START_MS = 50


def start_ms(lab):
    """What it takes to begin and end a program that does nothing."""
    begun = time.monotonic()
    subprocess.run(["ip", "netns", "exec", lab.sender_ns, lab.hawser, "--version"], check=True, stdout=subprocess.DEVNULL)
    return (time.monotonic() - begun) * 1000


def scenario(lab):
    folder = lab.folder / "run"
    lab.start_sink()
    lab.start_recv()
    lab.start_send("--runtime-dir", folder)
    source = lab.start_source()
    lab.wait_flowing(10)
    lab.wait_streamed(3)
    begun = time.monotonic()
    took_ms, bare_ms = [], []
    for number in [signal.SIGTERM, signal.SIGKILL] * (RESTARTS // 2) + [signal.SIGTERM]:
        kept = next(folder.iterdir())
        assert stat.S_IMODE(os.stat(kept).st_mode) == 0o600, oct(os.stat(kept).st_mode)
        before = lab.send.text().count(AGAIN)
        lab.send.child.send_signal(number)
        os.waitid(os.P_PID, lab.send.child.pid, os.WEXITED | os.WNOWAIT)  # Popen.wait() looks only now and then
        ended_ms = time.monotonic() * 1000
        lab.send.child.wait(5)
        (folder.parent / "events").unlink(missing_ok=True)
        lab.start_send("--runtime-dir", folder, "--event-log", folder.parent / "events")
        wait("the group to be found again", lambda before=before: lab.send.text().count(AGAIN) > before, 5)
        kept_ms = wait("its event", lambda: next((e["monotonic_ms"] for e in json_lines(folder.parent / "events")
                                                  if e["kind"] == "group_kept"), None), 5)
        took_ms.append(kept_ms - ended_ms)
        bare_ms.append(start_ms(lab))
        print(f"after {signal.Signals(number).name}: in its group {took_ms[-1]:.0f} ms after the end")
        lab.wait_flowing(5)
        lab.wait_streamed(1.5)
    assert source.connections() == 1, f"{source.connections()} connections: the SRT session did not live on"
    lab.wait_streamed(lab.latency_ms / 1000 + 1)
    outcome = compare(lab.sources, lab.sink, lab.latency_ms, begun, time.monotonic() - lab.latency_ms / 1000 - 1)
    print(f"through {RESTARTS} restarts: {outcome}; median {statistics.median(took_ms):.0f} ms")
    assert outcome.share >= 0.999, "99.9 % whole and on time"
    if statistics.median(bare_ms) < START_MS:
        assert statistics.median(took_ms) < RESTART_MS, f"half of the restarts take longer: {took_ms}"
    else:
        print(f"a start alone takes {statistics.median(bare_ms):.0f} ms here: nothing is held against {RESTART_MS} ms")
    # A receiver that knows nothing of the group any more: it is made anew.
    lab.recv.end(signal.SIGKILL)
    lab.start_recv()
    lab.wait_flowing(15)
    lab.finish_whole(2)


main(scenario)
