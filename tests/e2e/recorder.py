#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The flight recorders of both ends, written while an encrypted SRT stream with a stream id runs: tshark reads as many
packets as were told of, on interfaces with the uplinks' names, each with a decision as its comment. No stream id, key
material, cookie or group id is in them, and payload in the receiver's alone, which was asked for some; the stream does not
mind. The sender's is replayed in simulated time, and what it is written to as files is, too; the receiver's is refused. An
uplink that is gone keeps its name. Bad names, a folder that takes nothing and a full one are refused or told."""
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
PASSPHRASE = "a-passphrase-of-the-test"  # itself never sent: what could be recorded of it is the key that it wraps
PAYLOAD = 100
FIELDS = ["frame.interface_name", "frame.comment", "frame.len", "frame.cap_len", "ip.src", "udp.dstport",
          "srt.iscontrol", "srt.seqno", "srt.type", "udp.payload"]
SRT_HEADER, UDP_HEADERS = 16, 28
# Of a handshake what comes before its cookie; a user-defined packet may announce keys.
HANDSHAKE, USER_DEFINED, HANDSHAKE_OPEN = "0x0000", "0x7fff", 28


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


def group_ids(lab):
    """As the sender keeps it: both halves, the sender's own and the receiver's."""
    kept = "".join(path.read_text() for path in (lab.folder / "run").iterdir())
    whole = bytes.fromhex(max(re.findall(r"[0-9a-f]{512}", kept), key=len))
    return whole[:16], whole[128:144]


def look_through(lab, path, count, interfaces, payload=0):
    rows = packets(path)
    assert len(rows) == count, f"tshark reads {len(rows)} packets of {count}"
    assert all(row["frame.comment"] for row in rows), "each packet has a comment"
    seen = {row["frame.interface_name"] for row in rows}
    assert interfaces <= seen, f"{seen} lacks some of {interfaces}"
    data = [row for row in rows if row["srt.iscontrol"] in ("0", "False") and row["srt.seqno"]]
    assert len(data) > 500, f"{len(data)} data packets"
    for row in data:
        # Its payload stands with the packet that came.
        kept = 0 if "passed on after it was held" in row["frame.comment"] else payload
        most = UDP_HEADERS + SRT_HEADER + kept
        assert int(row["frame.cap_len"]) == min(most, int(row["frame.len"])), row
        assert int(row["frame.len"]) > 1000 or f"seq {row['srt.seqno']}" in row["frame.comment"], row
        assert f"seq {row['srt.seqno']}" in row["frame.comment"], row
    assert payload == 0 or len({row["udp.payload"][2 * SRT_HEADER:] for row in data}) > 500, "payloads differ"
    for kind, open_bytes in ((HANDSHAKE, HANDSHAKE_OPEN), (USER_DEFINED, 0)):
        of_kind = [row for row in rows if row["srt.iscontrol"] in ("1", "True") and row["srt.type"] == kind]
        assert of_kind or kind != HANDSHAKE, "no handshake is recorded"
        for row in of_kind:
            assert int(row["frame.cap_len"]) <= UDP_HEADERS + SRT_HEADER + open_bytes, row
    content = path.read_bytes()
    for half in group_ids(lab):
        assert half not in content, f"the group's id in {path}"
    for secret in (STREAM_ID, STREAM_ID[:12]):
        # libsrt sends a stream id with the bytes of each word turned round.
        raw = secret.encode()
        raw += bytes(-len(raw) % 4)
        turned = b"".join(raw[i:i + 4][::-1] for i in range(0, len(raw), 4))
        assert raw[:8] not in content and turned[:8] not in content, f"{secret} in {path}"
    return rows, collections.Counter(re.sub(r"[\d.]+|,.*|: .*", "", row["frame.comment"].split("; ")[1]) for row in rows)


def tells_no_secret(lab):
    """Neither in what is logged nor in what is answered."""
    for process in (lab.send, lab.recv):
        before = len(process.text())
        process.tell(signal.SIGUSR1)
        wait("all figures", lambda process=process, before=before: re.search(r"(?m)^\{.*\}$", process.text()[before:]), 5)
    said = {name: (lab.folder / name).read_text() for name in ("send.log", "recv.log", "send-events", "recv-events")}
    for end in ("send", "recv"):
        for method in ("get_status", "get_stats", "config.get", "recorder.status"):
            answer = ctl(lab, end, method)
            assert isinstance(answer, dict), f"{method}: {answer}"
            said[f"{end} {method}"] = str(answer)
    assert all(len(text) > 30 for text in said.values()), said
    for name, text in said.items():
        for secret in (STREAM_ID, PASSPHRASE, *(half.hex() for half in group_ids(lab))):
            assert secret[:12] not in text.lower(), f"{secret} in {name}"


def sim(lab, *arguments):
    return subprocess.run([lab.hawser, "sim", *arguments], capture_output=True, text=True, timeout=120)


def replays(lab, path, seconds_min):
    """The recording as a scenario that runs, by itself and by the files that it is written to."""
    if not re.search(r"(?m)^\s+sim\b", subprocess.run([lab.hawser, "--help"], capture_output=True, text=True).stdout):
        print("not replayed: hawser was built without sim")
        return
    tables = []
    files = lab.folder / "replayed"
    written = sim(lab, path, "--write", files)
    assert written.returncode == 0 and written.stdout.startswith(str(files / f"{path.stem}.toml")), written
    traces = sorted(file.name for file in files.glob("*.rates"))
    assert len(traces) == len(lab.link_numbers), traces
    for scenario in (path, files / f"{path.stem}.toml"):
        done = sim(lab, scenario, "--select", "classic,adaptive", "--json")
        assert done.returncode == 0, done.stderr
        report = json.loads(done.stdout)
        tables.append([(run["on_time"], run["media_kbps"]) for run in report["runs"]])
        for run in report["runs"]:
            assert run["connected"] and run["on_time"] > 0.9, run
            assert 1000 < run["media_kbps"] < 10_000, run
            assert {link["name"] for link in run["links"]} == {lab.source_address(link) for link in lab.link_numbers}, run
    assert tables[0] == tables[1], tables
    seconds = float(re.search(r"(?m)^seconds = (\S+)$", (files / f"{path.stem}.toml").read_text())[1])
    assert seconds > seconds_min, seconds
    print(f"replayed: {seconds} s of media, on time and kbit/s {tables[0]}, capacity "
          f"{[link['up']['capacity_kbps'] for link in report['runs'][0]['links']]} kbit/s; {written.stdout.strip()}")


def options(lab, end, *more):
    return ["--event-log", lab.folder / f"{end}-events", "--control", lab.folder / end, "--recordings", lab.folder / f"{end}-recordings", *more]


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
    lab.start_recv(*options(lab, "recv", "--recorder-payload", str(PAYLOAD)))
    lab.start_send(*options(lab, "send", "--runtime-dir", lab.folder / "run"))
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
    rows, decisions = look_through(lab, path, count, uplinks)
    print(f"the sender's {count} packets: {dict(decisions)}")
    for decision in ("sent first", "delivery report received", "passed on to the SRT side", "registration sent",
                     "keepalive sent", "copy"):
        assert any(text.startswith(decision) for text in decisions), decision
    assert any("adaptive: there in" in row["frame.comment"] for row in rows)
    # The way is the one that its interface says.
    for row in rows:
        if row["frame.comment"].startswith("uplink ") and row["udp.dstport"] == str(SRTLA_PORT):
            assert row["ip.src"] == row["frame.interface_name"], row

    replays(lab, path, 1.5)

    path, count = dump(lab, "recv")
    assert path.name.startswith("hawser-recv-") and path.suffix == ".pcapng"
    _, decisions = look_through(lab, path, count, {"group 0 link 0", "group 0 link 1"}, PAYLOAD)
    print(f"the receiver's {count} packets: {dict(decisions)}")
    for decision in ("passed on to the SRT side", "delivery report sent", "registration received"):
        assert any(text.startswith(decision) for text in decisions), decision

    refused = sim(lab, path)
    assert refused.returncode == 1 and "a recording of hawser recv's" in refused.stderr, refused

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

    # Another uplink takes the place of one that is gone: what the first had carried is shown as its own.
    gone, second = (lab.source_address(link) for link in list(lab.link_numbers)[-2:])
    for name in (gone, second):
        assert ctl(lab, "send", "links.remove", {"name": name}) == {"removed": name}
    assert ctl(lab, "send", "links.add", {"uplink": second})["name"] == second
    wait("the uplink to be back", lambda: lab.send.text().count(f"uplink {second}: connection established") == 2, 10)
    rows = packets(dump(lab, "send", "renamed.pcapng")[0])
    named = collections.Counter(row["frame.interface_name"] for row in rows)
    assert named[gone] > 100 and named[second] > 100, named
    for row in rows:
        if row["frame.comment"].startswith("uplink ") and row["udp.dstport"] == str(SRTLA_PORT):
            assert row["ip.src"] == row["frame.interface_name"], row

    tells_no_secret(lab)

    # A full folder is refused until there is room.
    folder = lab.folder / "send-recordings"
    while len(list(folder.iterdir())) < 32:
        (folder / f"more-{len(list(folder.iterdir()))}").write_text("x")
    assert "32 recordings already" in str(ctl(lab, "send", "recorder.dump"))

    # A folder that takes nothing: told, and the media goes on.
    shutil.rmtree(lab.folder / "send-recordings")
    (lab.folder / "send-recordings").write_text("a file in its place")
    done = subprocess.run([lab.hawser, "dump", "-s", lab.folder / "send"], capture_output=True, text=True)
    assert done.returncode == 1 and "Not a directory" in done.stderr, done.stderr
    size = received.stat().st_size
    wait("the media to go on", lambda: lab.check_running() or received.stat().st_size > size + 500_000, 10)


main(scenario)
