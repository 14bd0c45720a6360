#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A sender that ends and starts again with its runtime folder is taken into its group at once: the SRT session lives on,
and all that was sent meanwhile comes out in time. After a receiver's restart both begin anew by themselves."""
import os
import signal
import stat
import time

from lab import compare, main, wait

AGAIN = "connection group found again"


def scenario(lab):
    folder = lab.folder / "run"
    lab.start_sink()
    lab.start_recv()
    lab.start_send("--runtime-dir", folder)
    source = lab.start_source()
    lab.wait_flowing(10)
    lab.wait_streamed(3)
    begun = time.monotonic()
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGTERM):
        kept = next(folder.iterdir())
        assert stat.S_IMODE(os.stat(kept).st_mode) == 0o600, oct(os.stat(kept).st_mode)
        before = lab.send.text().count(AGAIN)
        lab.send.child.send_signal(number)
        lab.send.child.wait(5)
        ended = time.monotonic()
        lab.start_send("--runtime-dir", folder)
        wait("the group to be found again", lambda before=before: lab.send.text().count(AGAIN) > before, 5)
        print(f"after {signal.Signals(number).name}: in its group {(time.monotonic() - ended) * 1000:.0f} ms after the end")
        lab.wait_flowing(5)
        lab.wait_streamed(1.5)
    assert source.connections() == 1, f"{source.connections()} connections: the SRT session did not live on"
    lab.wait_streamed(lab.latency_ms / 1000 + 1)
    outcome = compare(lab.sources, lab.sink, lab.latency_ms, begun, time.monotonic() - lab.latency_ms / 1000 - 1)
    print(f"through three restarts: {outcome}")
    assert outcome.share >= 0.999, "99.9 % whole and on time"
    # A receiver that knows nothing of the group any more: it is made anew.
    lab.recv.end(signal.SIGKILL)
    lab.start_recv()
    lab.wait_flowing(15)
    lab.finish_whole(2)


main(scenario)
