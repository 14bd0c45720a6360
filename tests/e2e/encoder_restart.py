#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An encoder that crashes and starts again is carried again, from the same UDP port and from another."""
import signal
import time

from lab import main

PORT = 7001


def scenario(lab):
    lab.start_sink()
    lab.start_recv()
    lab.start_send()
    lab.start_source(PORT)
    lab.wait_flowing(10)
    for port, seconds, what in ((PORT, 8, "same"), (PORT + 1, 15, "another")):
        lab.wait_streamed(2)
        # A crash says no goodbye: the sender must take the newcomer's word, or wait until the old one is idle.
        lab.sources[-1].process.end(signal.SIGKILL)
        begun = time.monotonic()
        lab.start_source(port)
        lab.wait_flowing(seconds)
        print(f"{what} port: flowing after {time.monotonic() - begun:.1f} s")
    lab.finish_whole(2)


main(scenario)
