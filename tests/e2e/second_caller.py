#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A second SRT caller is refused while the first is live: it gets no connection, and the first does not notice."""
import time

from lab import LATENCY_MS, main
from stream import compare


def scenario(lab):
    lab.start_all()
    first = time.monotonic()
    second = lab.start_source()
    lab.wait_streamed(4)
    assert second.connections() == 0, "the second caller got a connection"
    assert lab.sink.connections() == 1, "the SRT server saw another caller"
    second.process.end()
    lab.finish()
    outcome = compare(lab.sources[:1], lab.sink, LATENCY_MS, first)
    print(f"the first meanwhile: {outcome}")
    assert outcome.share >= 0.999
    assert "refus" in lab.send.text(), "a log line says that a caller was refused"


main(scenario)
