#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Uplinks and receiver on IPv6, or an SRT server on IPv6 behind IPv4 uplinks, carry the picture as those on IPv4 do.
Argument: uplinks or server."""
import sys

from lab import LATENCY_MS, main
from stream import compare


def scenario(lab, _which):
    lab.start_all()
    lab.wait_streamed(4)
    lab.finish()
    outcome = compare(lab.sources, lab.sink, LATENCY_MS)
    print(outcome)
    assert outcome.share >= 0.999
    carried = [lab.bytes_sent(link) for link in lab.link_numbers]
    assert min(carried) > 0.05 * sum(carried), f"every link carries its part: {carried}"


main(scenario, **({"server_address": "::1"} if "server" in sys.argv else {"ipv6": True}))
