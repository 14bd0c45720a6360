#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A link whose MTU is too small for the picture's datagrams is named, and does not take the picture down with it."""
from lab import LATENCY_MS, main
from stream import compare

NARROW = 2


def scenario(lab):
    lab.set_mtu(NARROW, 1000)
    lab.start_all()
    lab.wait_streamed(5)
    lab.finish()
    outcome = compare(lab.sources, lab.sink, LATENCY_MS)
    print(outcome)
    assert outcome.share >= 0.99
    assert lab.bytes_sent(NARROW) < 0.1 * lab.bytes_sent(1), "the link that it does not fit is spared"
    assert "large" in lab.send.text(), "a log line names what was too large"


main(scenario)
