#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A picture over four links, none of which could carry it alone, comes out as it went in. Argument: uring or epoll."""
import json

from lab import BITRATE_KBPS, LATENCY_MS, METRICS_PORT, main, wait
from stream import compare


def watched_bitrate(lab):
    """As who switches scenes by it reads it, in kbit/s."""
    said = json.loads(lab.page(lab.receiver_ns, "/stats"))
    assert said["status"] == "ok" and set(said["publishers"]) == {"0", "live"}, said
    return said["publishers"]["live"]["bitrate"]


def scenario(lab, io="auto"):
    lab.start_all("--io", io, "--metrics", METRICS_PORT)
    lab.wait_streamed(6)
    # The picture's rate is that of its packets on average; SRT's headers are counted, and seconds differ.
    wait("the picture's bitrate", lambda: 0.7 * BITRATE_KBPS < watched_bitrate(lab) < 1.5 * BITRATE_KBPS, 5)
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
