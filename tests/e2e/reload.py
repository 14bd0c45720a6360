#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""SIGHUP adds the uplinks that the file has gained and takes away those that it has lost, while the picture runs."""
import re
import signal
import time

from lab import LATENCY_MS, main, wait
from stream import compare


def scenario(lab):
    lab.start_sink()
    lab.start_recv()
    lab.start_send(links=[1, 2])
    lab.start_source()
    lab.wait_flowing(10)
    begun = time.monotonic()
    lab.write_uplinks([1, 2, 3, 4])
    lab.send.tell(signal.SIGHUP)
    for link in (3, 4):
        wait(f"data on added link {link}", lambda link=link: lab.bytes_sent(link) > 100_000, 6)

    lab.write_uplinks([3, 4])
    lab.send.tell(signal.SIGHUP)
    # Nothing of ours goes out on a removed link. The receiver's copies still come for a while, and the kernel answers
    # some of them with ICMP: that much is allowed.
    def quiet_second():
        before = [lab.bytes_sent(link) for link in (1, 2)]
        lab.wait_streamed(1)
        return all(lab.bytes_sent(link) - bytes_before < 5000 for link, bytes_before in zip((1, 2), before))
    wait("quiet on the removed links", quiet_second, 5)

    # What the file says of an uplink that stays.
    uplinks = lab.folder / "uplinks"
    uplinks.write_text(uplinks.read_text().replace("\n", " metered\n", 1))
    lab.send.tell(signal.SIGHUP)
    wait("one metered uplink", lambda: len(re.findall("is metered now", lab.send.text())) == 1, 5)

    # A file that cannot be used leaves the links as they are, and its fault is named.
    for spoil, reason in ((lambda: uplinks.write_text(""), "Failed to parse any IP addresses"), (uplinks.unlink, "No such file")):
        spoil()
        lab.send.tell(signal.SIGHUP)
        wait(f"the refusal: {reason}", lambda reason=reason: re.search(f"reload refused.*{reason}", lab.send.text()), 5)
        lab.wait_streamed(1)
    lab.finish()
    outcome = compare(lab.sources, lab.sink, LATENCY_MS, begun)
    print(outcome)
    assert outcome.share >= 0.99


main(scenario, link_kbps=3000)
