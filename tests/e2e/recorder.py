#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The flight recorders of both ends, written while an encrypted SRT stream with a stream id runs: tshark reads as many
packets as were told of, on interfaces with the uplinks' names, each with a decision as its comment. Neither payload nor
stream id nor group id is in them, and the stream does not mind. Bad names, a second recording at once and a folder that
takes nothing are refused or told."""
import collections
import json
import os
import pathlib
import re
import shutil
import signal
import stat
import subprocess
import sys
import time

from lab import LATENCY_MS, SRT_IN_PORT, SRT_OUT_PORT, SRTLA_PORT, Skip, main, wait

STREAM_ID = "publish/a-stream-id-that-nobody-else-has"
PASSPHRASE = "a-passphrase-of-the-test"
FIELDS = ["frame.interface_name", "frame.comment", "frame.len", "frame.cap_len", "ip.src", "udp.dstport",
          "srt.iscontrol", "srt.seqno", "_ws.malformed"]
SRT_HEADER, UDP_HEADERS = 16, 28


def ctl(lab, end, method, params=None):
    done = subprocess.run([lab.hawser, "ctl", "-s", lab.folder / end, method, json.dumps(params or {})],
                          capture_output=True, text=True)
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr


def dump(lab, end, *name):
    done = subprocess.run([lab.hawser, "dump", "-s", lab.folder / end, *name], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    path, count = re.fullmatch(r"(.*): (\d+) packets\n", done.stdout).groups()
    assert pathlib.Path(path).parent == lab.folder / f"{end}-recordings"
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600, "readable by its owner alone"
    return pathlib.Path(path), int(count)


def packets(path):
    ports = [word for port in (SRT_IN_PORT, SRT_OUT_PORT, SRTLA_PORT) for word in ("-d", f"udp.port=={port},srt")]
    fields = [word for field in FIELDS for word in ("-e", field)]
    done = subprocess.run(["tshark", "-r", path, *ports, "-T", "fields", "-E", "separator=\t", *fields],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [dict(zip(FIELDS, line.split("\t"))) for line in done.stdout.splitlines()]


def look_through(path, count, interfaces):
    rows = packets(path)
    assert len(rows) == count, f"tshark reads {len(rows)} packets of {count}"
    assert all(row["frame.comment"] for row in rows), "each packet has a comment"
    seen = {row["frame.interface_name"] for row in rows}
    assert interfaces <= seen, f"{seen} lacks some of {interfaces}"
    data = [row for row in rows if row["srt.iscontrol"] in ("0", "False") and row["srt.seqno"]]
    assert len(data) > 500, f"{len(data)} data packets"
    for row in data:
        assert int(row["frame.cap_len"]) == UDP_HEADERS + SRT_HEADER, row
        assert int(row["frame.len"]) > 1000 or f"seq {row['srt.seqno']}" in row["frame.comment"], row
        assert f"seq {row['srt.seqno']}" in row["frame.comment"], row
    content = path.read_bytes()
    for secret in (STREAM_ID, PASSPHRASE, STREAM_ID[:12]):
        # libsrt sends a stream id with the bytes of each word turned round.
        raw = secret.encode()
        raw += bytes(-len(raw) % 4)
        turned = b"".join(raw[i:i + 4][::-1] for i in range(0, len(raw), 4))
        assert raw[:8] not in content and turned[:8] not in content, f"{secret} in {path}"
    return rows, collections.Counter(re.sub(r"[\d.]+|,.*|: .*", "", row["frame.comment"].split("; ")[1]) for row in rows)


def options(lab, end, *more):
    return ["--control", lab.folder / end, "--recordings", lab.folder / f"{end}-recordings", *more]


def scenario(lab):
    for tool in ("srt-live-transmit", "tshark"):
        if shutil.which(tool) is None:
            raise Skip(f"missing: {tool}")
    received = lab.folder / "received.ts"
    secrets = f"passphrase={PASSPHRASE}&pbkeylen=16"
    with open(received, "wb") as out:
        lab.spawn("sink", lab.receiver_ns,
                  ["srt-live-transmit", "-chunk:1316",
                   f"srt://127.0.0.1:{SRT_OUT_PORT}?mode=listener&latency={LATENCY_MS}&{secrets}", "file://con"],
                  stdout=out)
    lab.start_recv(*options(lab, "recv"))
    lab.start_send(*options(lab, "send"))
    script = pathlib.Path(__file__).with_name("encoder.py")
    source_in, picture_out = os.pipe()
    source = lab.spawn("source", lab.sender_ns,
                       ["srt-live-transmit", "-chunk:1316", "file://con",
                        f"srt://127.0.0.1:{SRT_IN_PORT}?latency={LATENCY_MS}&streamid={STREAM_ID}&{secrets}"],
                       stdin=source_in)
    wait("srt-live-transmit's connection", lambda: "SRT target connected" in source.text(), 10)
    lab.spawn("encoder", lab.sender_ns, [sys.executable, script, "3000000"], stdout=picture_out)
    wait("the picture at the far end", lambda: lab.check_running() or received.stat().st_size > 1_500_000, 20)

    uplinks = {lab.source_address(link) for link in lab.link_numbers}
    path, count = dump(lab, "send", "first.pcapng")
    assert path.name == "first.pcapng" and count > 1000
    rows, decisions = look_through(path, count, uplinks)
    print(f"the sender's {count} packets: {dict(decisions)}")
    for decision in ("sent first", "delivery report received", "passed on to the SRT side", "registration sent",
                     "keepalive sent", "copy"):
        assert any(text.startswith(decision) for text in decisions), decision
    assert any("adaptive: there in" in row["frame.comment"] for row in rows)
    # The way is the one that its interface says.
    for row in rows:
        if row["frame.comment"].startswith("uplink ") and row["udp.dstport"] == str(SRTLA_PORT):
            assert row["ip.src"] == row["frame.interface_name"], row

    path, count = dump(lab, "recv")
    assert path.name.startswith("hawser-recv-") and path.suffix == ".pcapng"
    _, decisions = look_through(path, count, {"group 0 link 0", "group 0 link 1"})
    print(f"the receiver's {count} packets: {dict(decisions)}")
    for decision in ("passed on to the SRT side", "delivery report sent", "registration received"):
        assert any(text.startswith(decision) for text in decisions), decision

    assert "there already" in str(ctl(lab, "send", "recorder.dump", {"name": "first.pcapng"}))
    for name in ("../elsewhere", "/tmp/x", ".hidden", "a b", "x" * 200, "-r"):
        assert "recording's name" in str(ctl(lab, "send", "recorder.dump", {"name": name})), name
    assert not (lab.folder / "elsewhere").exists()

    # By signal, and the recorder has gone on meanwhile.
    before = set((lab.folder / "send-recordings").iterdir())
    time.sleep(1.5)  # more packets than the first had
    lab.send.tell(signal.SIGUSR2)
    newer = wait("a recording by SIGUSR2",
                 lambda: ctl(lab, "send", "recorder.status")["writing"] is False
                 and set((lab.folder / "send-recordings").iterdir()) - before, 10)
    later = packets(newer.pop())
    assert len(later) > len(rows), "it goes on after a recording"

    # A folder that takes nothing: told, and the media goes on.
    shutil.rmtree(lab.folder / "send-recordings")
    (lab.folder / "send-recordings").write_text("a file in its place")
    done = subprocess.run([lab.hawser, "dump", "-s", lab.folder / "send"], capture_output=True, text=True)
    assert done.returncode == 1 and "Not a directory" in done.stderr, done.stderr
    size = received.stat().st_size
    wait("the media to go on", lambda: lab.check_running() or received.stat().st_size > size + 500_000, 10)


main(scenario)
