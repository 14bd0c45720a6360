#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An SRT server that is absent at first, and one that restarts, find the bond waiting for them."""
import signal

from lab import main, wait


def scenario(lab):
    lab.start_recv()
    lab.start_send()
    source = lab.start_source()
    lab.wait_streamed(3)
    assert source.connections() == 0
    lab.start_sink()
    lab.wait_flowing(8)
    sink = lab.sink
    lab.wait_streamed(1)
    sink.process.end(signal.SIGKILL)
    lab.start_sink()
    # libsrt's peer idle time (5 s) on the caller's side, then it dials anew.
    lab.wait_flowing(15)
    wait("the encoder to have dialled again", lambda: source.connections() == 2, 1)
    lab.finish_whole(2)


main(scenario)
