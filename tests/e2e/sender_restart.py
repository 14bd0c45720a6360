#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A sender that is killed and started again has the picture back, at the same receiver process."""
import signal
import time

from lab import LATENCY_MS, main
from stream import compare


def scenario(lab):
    lab.start_all()
    lab.wait_streamed(2)
    lab.send.end(signal.SIGKILL)
    lab.start_send()
    # libsrt gives its connection up after 5 s of silence (its peer idle time) and the encoder dials anew.
    lab.wait_flowing(15)
    back = time.monotonic()
    lab.wait_streamed(3)
    assert lab.recv.running()
    lab.finish()
    after = compare(lab.sources, lab.sink, LATENCY_MS, back)
    print(f"once back: {after}")
    assert after.share >= 0.999


main(scenario)
