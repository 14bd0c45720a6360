#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An SRT server that is absent at first, and one that restarts, find the bond waiting for them."""
import signal
import time

from lab import LATENCY_MS, main, wait
from stream import compare


def scenario(lab):
    lab.start_recv()
    lab.start_send()
    source = lab.start_source()
    lab.wait_streamed(3)
    assert source.connections() == 0
    lab.start_sink()
    lab.wait_flowing(8)
    sink = lab.sink
    lab.wait_streamed(1)
    sink.process.end(signal.SIGKILL)
    lab.start_sink()
    # libsrt's peer idle time (5 s) on the caller's side, then it dials anew.
    lab.wait_flowing(15)
    back = time.monotonic()
    wait("the encoder to have dialled again", lambda: source.connections() == 2, 1)
    lab.wait_streamed(2)
    lab.finish()
    after = compare(lab.sources, lab.sink, LATENCY_MS, back)
    print(f"once back: {after}")
    assert after.share >= 0.999


main(scenario)
