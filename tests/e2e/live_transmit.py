#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ffmpeg's picture through srt-live-transmit at both ends comes out as the same transport stream, packet by packet."""
import os
import shutil
import subprocess

from lab import BITRATE_KBPS, LATENCY_MS, SRT_IN_PORT, SRT_OUT_PORT, Skip, main, wait
from stream import ts_packets

SECONDS = 5
VIDEO_KBPS = BITRATE_KBPS * 3 // 4
CHUNK = "-chunk:1316"  # seven TS packets; its default is not a multiple of them


def scenario(lab):
    if shutil.which("srt-live-transmit") is None:
        raise Skip("missing: srt-live-transmit")
    sent, received = lab.folder / "sent.ts", lab.folder / "received.ts"
    with open(received, "wb") as out:
        sink = lab.spawn("sink", lab.receiver_ns,
                         ["srt-live-transmit", CHUNK, f"srt://127.0.0.1:{SRT_OUT_PORT}?mode=listener&latency={LATENCY_MS}",
                          "file://con"], stdout=out)
    lab.start_recv()
    lab.start_send()
    # It drops what it reads before it is connected: the picture begins after that.
    source_in, picture_out = os.pipe()
    source = lab.spawn("source", lab.sender_ns,
                       ["srt-live-transmit", CHUNK, "file://con",
                        f"srt://127.0.0.1:{SRT_IN_PORT}?latency={LATENCY_MS}"], stdin=source_in)
    wait("srt-live-transmit's connection", lambda: "SRT target connected" in source.text(), 10)
    picture = lab.spawn("ffmpeg", lab.sender_ns,
                        ["ffmpeg", "-loglevel", "error", "-nostdin", "-re", "-f", "lavfi", "-i",
                         "testsrc2=size=640x360:rate=25", "-re", "-f", "lavfi", "-i", "sine=frequency=440", "-c:v",
                         "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-b:v", f"{VIDEO_KBPS}k",
                         "-maxrate", f"{VIDEO_KBPS}k", "-bufsize", f"{VIDEO_KBPS // 3}k", "-c:a", "aac",
                         "-f", "mpegts", "-muxrate", f"{BITRATE_KBPS}k", "pipe:1"], stdout=subprocess.PIPE)
    lab.spawn("tee", lab.sender_ns, ["tee", sent], stdin=picture.child.stdout, stdout=picture_out)
    wanted = SECONDS * BITRATE_KBPS * 1000 // 8
    wait("the picture at the far end", lambda: lab.check_running() or received.stat().st_size >= wanted, SECONDS + 15)
    # What has come by now is judged: the rest is on its way, and the programs do not wait for it.
    sink.end()
    picture.end()
    came, went = ts_packets(received.read_bytes()), ts_packets(sent.read_bytes())
    print(f"TS packets sent {len(went)}, received {len(came)}")
    assert not set(came) - set(went), "nothing came out that was not sent"
    assert came == went[:len(came)], "the same transport stream, packet by packet"


# Wide enough that a burst of the encoder's on a busy machine is no loss.
main(scenario, link_kbps=4000)
