#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A picture over four links, none of which could carry it alone, comes out as it went in. Argument: uring or epoll."""
from lab import LATENCY_MS, main
from stream import compare


def scenario(lab, io="auto"):
    lab.start_all("--io", io)
    lab.wait_streamed(6)
    lab.finish()
    outcome = compare(lab.sources, lab.sink, LATENCY_MS)
    print(outcome)
    assert outcome.share >= 0.999, "99.9 % whole and on time"
    sent, received = lab.sources[0].ts_packets(), lab.sink.ts_packets()
    assert received == sent or outcome.received < outcome.sent, "the same transport stream, packet by packet"
    carried = [lab.bytes_sent(link) for link in lab.link_numbers]
    print("bytes by link:", carried)
    assert min(carried) > 0.05 * sum(carried), "every link carries its part"


main(scenario)
