#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One end of the bond that is killed and started again has the picture back, with the same process at the other end.
Argument: receiver or sender."""
import signal

from lab import main


def scenario(lab, end):
    lab.start_all()
    lab.wait_streamed(2)
    killed, stays = (lab.recv, lab.send) if end == "receiver" else (lab.send, lab.recv)
    killed.end(signal.SIGKILL)
    (lab.start_recv if end == "receiver" else lab.start_send)()
    # libsrt gives its connection up after 5 s of silence (its peer idle time) and the encoder dials anew.
    lab.wait_flowing(15)
    assert stays.running()
    lab.finish_whole(3)


main(scenario)
