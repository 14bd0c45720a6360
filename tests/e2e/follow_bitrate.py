#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An encoder that follows the bitrate file loses under 1 % when its links fall to a third; one that does not collapses.
Argument: the selector."""
import time

from lab import LINK_KBPS, main, wait
from stream import compare

LATENCY_MS = 2000
MIN, MAX = 800_000, 5_500_000  # bit/s
WEAK_KBPS = 700  # of each link, of four
WEAK_S = 8


def written(path):
    least, greatest = map(int, path.read_text().split())
    assert MIN == least <= greatest <= MAX, f"{path} says {least}, {greatest}"
    return greatest


def weak_times(lab, sources, what):
    """The links carry a third for a while: what came out of what was sent from then on."""
    begun = time.monotonic()
    lab.shape(WEAK_KBPS)
    lab.wait_streamed(WEAK_S)
    ended = time.monotonic()
    said = written(lab.folder / "bitrate")
    lab.shape(LINK_KBPS)
    # What is on its way is handed over or lost when its latency is over.
    lab.wait_streamed(LATENCY_MS / 1000 + 0.5)
    outcome = compare(sources, lab.sink, LATENCY_MS, begun, ended)
    print(f"{what}: {outcome}; at the end the file says {said}")
    # It goes on trying whether they carry more.
    assert said < 1.3 * 4 * WEAK_KBPS * 1000, "the file says about what the weak links can carry"
    return 100 * (1 - outcome.received / outcome.sent)


def scenario(lab, selector):
    file, pid_file = lab.folder / "bitrate", lab.folder / "encoder.pid"
    lab.start_sink()
    lab.start_recv()
    lab.start_send("--select", selector, "--bitrate-file", file, "--bitrate-signal", pid_file, "--bitrate-min", MIN,
                   "--bitrate-max", MAX)
    wait("the bitrate file", file.exists, 10)
    lab.start_encoder(file, pid_file)
    lab.wait_flowing(15)
    wait("the bitrate to rise", lambda: written(file) >= 0.85 * MAX, 60)
    lab.wait_streamed(2)
    follower = weak_times(lab, lab.sources, "follows")
    lab.end_encoder()
    lab.start_encoder(MAX - 500_000)
    lab.wait_flowing(15)
    lab.wait_streamed(1)
    other = weak_times(lab, lab.sources, "keeps its rate")
    lab.finish()
    print(f"lost: {follower:.2f} % following, {other:.2f} % otherwise")
    assert follower < 1, "an encoder that follows loses under 1 %"
    assert other > 10, "one that does not loses more than 10 %"


main(scenario, latency_ms=LATENCY_MS)
