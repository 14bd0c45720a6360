#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A tunnel behind one modem is too narrow for the picture's datagrams, which only its router knows. The router's ICMP
message is counted and named, and the link goes on with what the kernel makes of it. Argument: IPv4 or IPv6."""
import json
import re
import signal
import sys

from lab import LATENCY_MS, main, wait
from stream import compare

NARROW, MTU = 2, 1280  # the least that IPv6 has


def figures(lab):
    lab.send.tell(signal.SIGUSR1)
    return json.loads(wait("figures", lambda: re.findall(r"^\{.*\}$", lab.send.text(), re.M), 5)[-1])


def scenario(lab, _family):
    lab.narrow_path(NARROW, MTU)
    lab.start_all()
    lab.wait_streamed(5)
    links = {link["name"]: link["sends_too_large"] for link in figures(lab)["links"]}
    lab.finish()
    outcome = compare(lab.sources, lab.sink, LATENCY_MS)
    print(outcome, "too large:", links, "bytes by link:", [lab.bytes_sent(link) for link in lab.link_numbers])
    assert outcome.share >= 0.99
    narrow = lab.source_address(NARROW)
    assert [name for name, count in links.items() if count > 0] == [narrow], "counted, on that link only"
    named = re.findall(rf"uplink {re.escape(narrow)}: .*too large", lab.send.text())
    assert 1 <= len(named) <= 3, f"a log line names the link, and not for each packet: {named}"
    assert lab.bytes_sent(NARROW) > 0.05 * lab.bytes_sent(1), "the link still carries, in fragments"


main(scenario, ipv6="IPv6" in sys.argv)
