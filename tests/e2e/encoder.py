#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An encoder as far as its rate goes: transport-stream packets to standard output, at the bitrate of the second line
of a file, which it reads at its start and on SIGHUP, as belacoder does; or at a rate that stays.
usage: encoder.py FILE PID-FILE | encoder.py BITS_PER_SECOND"""
import os
import pathlib
import signal
import struct
import sys
import time

PAYLOAD_BYTES = 7 * 188
CATCH_UP_S = 0.2  # what a machine that is busy elsewhere may have held up


def bits_per_second():
    least, greatest = map(int, pathlib.Path(sys.argv[1]).read_text().split())
    assert 0 < least <= greatest
    return greatest


def main():
    rate = int(sys.argv[1]) if len(sys.argv) == 2 else bits_per_second()
    told = False

    def on_hangup(*_):
        nonlocal told
        told = True

    signal.signal(signal.SIGHUP, on_hangup)
    if len(sys.argv) > 2:
        pathlib.Path(sys.argv[2]).write_text(f"{os.getpid()}\n")
    count, owed, before = 0, 0.0, time.monotonic()
    while True:
        if told:
            told, rate = False, bits_per_second()
        now = time.monotonic()
        owed += rate / 8 * min(now - before, CATCH_UP_S)
        before = now
        while owed >= PAYLOAD_BYTES:
            owed -= PAYLOAD_BYTES
            payload = b"".join(b"\x47\x1f\xff" + struct.pack(">BQ", 0x10 | i, count) + bytes(176) for i in range(7))
            os.write(1, payload)
            count += 1
        time.sleep(0.005)


try:
    main()
except (BrokenPipeError, KeyboardInterrupt):
    pass
