#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`hawser radio` against the stand-in radiod, in a network namespace with multicast on loopback. Needs root.
Arguments: HAWSER STAND_IN."""
import json
import os
import re
import signal
import struct
import subprocess
import time

from program import HAWSER, Running, check, finish, refuses, run
from radio_program import RADIO, enter_namespace, radiod


def command_line():
    refuses("no subcommand", 2, "subcommand is required", "radio")
    refuses("no radiod", 2, "--radio is required", "radio", "query", "7")
    refuses("a number that is no channel's", 2, "'0' is no channel's number", "radio", "query", "-r", RADIO, "0")
    refuses("a field that is none", 2, "there is no field 'colour'", "radio", "query", "-r", RADIO, "7", "--field", "colour")
    refuses("a dump of nothing", 2, "Name a radiod with -r, or a capture with --read", "radio", "dump")
    refuses("a frequency that is none", 2, "channel.frequency loud: that is no value of it", "radio", "tune", "-r", RADIO, "-s", "7", "-f", "loud")
    for words in (["record", "-x"], ["record", "--mintime"], ["record", "--timeout"], ["powers", "-f", "1m0", "-i"], ["monitor", "-i"],
                  ["watch", "--interval"]):
        refuses(f"{words[0]} {words[-1]} with what is no number", 2, "nan is no number", "radio", *words, "nan", "-r", RADIO)
        refuses(f"{words[0]} {words[-1]} without an end", 2, "Value inf not in range", "radio", *words, "inf", "-r", RADIO)
    refuses("a width that is no number", 2, "spectrum.resolution_bw nan: that is no value of it", "radio", "powers", "-r", RADIO, "-f", "1m0", "-w", "nan")
    refuses("a field that is not settable", 2, "output.level -3: radiod lets nobody set it", "radio", "set", "-r", RADIO, "7", "output.level", "-3")
    refuses("a field that is misspelt", 2, "agc.gian 3: there is no such field; 'agc.gain' is one", "radio", "set", "-r", RADIO, "7", "agc.gian", "3")
    refuses("an odd count of words", 2, "'agc.gain' has no value", "radio", "set", "-r", RADIO, "7", "agc.gain")
    refuses("a radiod that is none", 2, "'hf:0x' names no radiod", "radio", "list", "-r", "hf:0x")
    refuses("--watch without a radiod", 2, "--watch is of one radiod's channels", "radio", "list", "--watch")
    refuses("an interface that is not there", 1, "239.108.155.32:5006 on hwz: join: No such device", "radio", "list", "-r", "239.108.155.32,hwz")
    refuses("nobody there", 1, "no channel of 239.108.155.32,lo answered", "radio", "list", "-r", RADIO)


def channels():
    code, said = run("radio", "tune", "-r", RADIO, "-s", "14074", "-f", "14m074", "-m", "usb", "-R", "12000")
    check("tune creates a channel", code == 0 and said == "14074 usb 14074000 Hz, 12000 Hz\n", said)
    os.environ["RADIO"] = RADIO
    code, said = run("radio", "tune", "-s", "5000", "-f", "5000k0", "-m", "am", "--set", "channel.status_interval", "50")
    check("the radiod is taken from the environment", code == 0, said)
    refuses("but -r goes before it", 1, "no channel of 239.9.9.9,lo answered", "radio", "list", "-r", "239.9.9.9,lo")
    refuses("a radiod that does not answer is told from a channel that is not there", 1, "no channel of 239.9.9.9,lo answered", "radio", "set", "-r", "239.9.9.9,lo", "14074", "agc.gain", "1")
    code, said = run("radio", "list")
    check("list shows both", code == 0 and len(said.splitlines()) == 3 and "14074000" in said, said)
    code, said = run("radio", "list", "--json")
    listed = {c["channel"]["ssrc"]: c for c in json.loads(said)}
    check("list as JSON", code == 0 and sorted(listed) == [5000, 14074] and listed[5000]["channel"]["preset"] == "am", said)
    code, said = run("radio", "query", "14074", "--field", "RADIO_FREQUENCY")
    check("query of a field", (code, said) == (0, "14074000\n"), said)
    code, said = run("radio", "query", "5000", "--json")
    check("query as JSON", code == 0 and json.loads(said)["channel"]["status_interval"] == 50, said)
    code, said = run("radio", "set", "14074", "filter.low_edge", "100", "filter.high_edge", "2500")
    check("set", code == 0, said)
    code, said = run("radio", "query", "14074")
    check("query shows what was set", code == 0 and "filter.high_edge               2500 Hz" in said, said)
    code, said = run("radio", "set", "14074", "agc.headroom", "12", "agc.gain", "20", "agc.enable", "on")
    check("what radiod decides by itself is nothing refused", code == 0, said)
    code, said = run("radio", "set", "14074", "output.samprate", "12345")
    check("what radiod does not take is told", code == 1 and "output.samprate is 12400" in said, said)
    with Running("radio", "query", "14074", "--field", "filter.high_edge", "--watch", "--interval", "0.2") as watching:
        check("a query again and again", watching.wait_for(r"^2500\n2500$"), watching.read())
        run("radio", "set", "14074", "filter.high_edge", "2400")
        check("sees what changes", watching.wait_for(r"^2400$"), watching.read())
        check("until it is ended", watching.end(signal.SIGINT) == 0, watching.read())
    run("radio", "set", "14074", "filter.high_edge", "2500")
    code, said = run("radio", "query", "99", "--json")
    check("query creates no channel", code == 1 and "has no channel 99" in said and len(run("radio", "list")[1].splitlines()) == 3, said)
    code, said = run("radio", "set", "99", "agc.gain", "3")
    check("set creates none either", code == 1 and "has no channel 99" in said, said)
    code, said = run("radio", "remove", "5000")
    end = time.monotonic() + 10
    while "5000" in run("radio", "query", "5000", "--field", "channel.ssrc")[1].split() and time.monotonic() < end:
        time.sleep(0.05)
    check("remove", code == 0 and run("radio", "query", "5000")[0] == 1, said)
    code, said = run("radio", "remove", "5000")
    check("remove of what is gone", code == 1 and "has no channel 5000" in said, said)


def dump():
    with Running("radio", "dump", "--json", "-c", "4") as dumping:
        end = time.monotonic() + 10
        # It listens soon, but does not say when.
        while dumping.child.poll() is None and time.monotonic() < end:
            run("radio", "query", "14074", "--field", "channel.ssrc")
        lines = [json.loads(line) for line in dumping.read().splitlines()]
    kinds = {line["packet"] for line in lines}
    check("dump shows commands and statuses", len(lines) == 4 and kinds == {"CMD", "STATUS"}, lines)
    statuses = [line for line in lines if line["packet"] == "STATUS"]
    check("with their fields", statuses and statuses[0]["fields"]["channel"]["frequency"] == 14074000, lines)


def captured():
    """Captures that come as files or by a pipe, and a packet alone."""
    poll = bytes.fromhex("010104111111111204ffffffff00")
    status = b"\0\x12\x02\x36\xfa\x01\x04abcd\x21\x08" + struct.pack(">d", 14.074e6) + b"\x55\x03usb\0"

    def frame(link, payload, port=5006, fragment=0):
        udp = struct.pack(">HHHH", 44717, port, 8 + len(payload), 0) + payload
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, fragment, 1, 17, 0, bytes([127, 0, 0, 1]), bytes([239, 108, 155, 32])) + udp
        return {1: bytes(12) + b"\x08\0", 101: b"", 113: bytes(14) + b"\x08\0", 276: b"\x08\0" + bytes(18), 0: b"\2\0\0\0"}[link] + ip

    def capture(link, frames, order="<", magic=0xA1B2C3D4):
        return struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, link) + b"".join(
            struct.pack(order + "IIII", 1795217342, i, len(f), len(f)) + f for i, f in enumerate(frames))

    def told(data, *words):
        done = subprocess.run(["hawser", "radio", "dump", "--read", "-", *words], executable=HAWSER, input=data, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=20, check=False)
        return done.returncode, done.stdout.decode()
    for link in (0, 1, 101, 113, 276):
        for order, magic in (("<", 0xA1B2C3D4), (">", 0xA1B23C4D)):
            code, said = told(capture(link, [frame(link, poll), frame(link, b"\x80" + bytes(20), 5004), frame(link, status, fragment=0x2000), frame(link, status)], order, magic), "--json")
            lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
            check("the fragment is told", "passed over: 1" in said, said)
            check(f"a capture of link type {link}, {order}", code == 0 and [line["packet"] for line in lines] == ["CMD", "STATUS"]
                  and lines[1]["fields"]["channel"]["frequency"] == 14074000 and lines[1]["from"] == "127.0.0.1:44717" and lines[1]["to"] == "239.108.155.32:5006", said)
    whole = capture(1, [frame(1, poll), frame(1, status)])
    code, said = told(status)
    check("a packet alone", code == 0 and "STATUS" in said and "14074000" in said, said)
    nameless = bytes.fromhex("00 0104 44444449 c803 aabbcc 7200 00")
    code, said = told(nameless, "--json")
    line = json.loads(said.splitlines()[0])
    check("a packet that names no channel, and what no field is", code == 0 and line["fields"]["channel"]["tag"] == 0x44444449
          and line["unknown"] == [{"field": 200, "bytes": 3, "hex": "aabbcc"}] and "damaged" not in line, said)
    code, said = told(nameless)
    check("as text", code == 0 and re.search(r"channel.tag +1145324617", said) and re.search(r"field 200 +aabbcc\n", said), said)
    code, said = told(bytes.fromhex("01 2108 4165a0bc00000000 c8 8200c8") + bytes(200) + b"\0")
    check("a command without a channel, and a long value's beginning", "CMD" in said and "11339232" in said and "00... (200 bytes)" in said, said)
    code, said = told(bytes.fromhex("00 0104 44444449 1409 010203040506070809 1205 00"), "--json")
    line = json.loads(said.splitlines()[0])
    check("a damaged one as far as it goes, and a value that is none", line["damaged"] and line["fields"]["channel"]["tag"] == 0x44444449
          and line["unknown"] == [{"field": 20, "bytes": 9, "hex": "010203040506070809"}], said)
    for size in range(4, len(whole), 9):
        code, said = told(whole[:size])
        first = 24 + 16 + len(frame(1, poll))
        check(f"a capture of {size} bytes ends with words", code == 1 and ("CMD" in said) == (size >= first) and "STATUS" not in said
              and "the capture ends" in said, f"{code} {said}")
    code, said = told(whole[:-3])
    check("one that is cut off shows what is whole, and says so", code == 1 and "CMD" in said and "ends inside a frame" in said, said)
    code, said = told(whole[:32] + b"\xff" * 8 + whole[40:])
    check("one that is damaged is refused", code == 1 and "damaged" in said, said)
    code, said = told(b"\x0a\x0d\x0d\x0a" + bytes(100))
    check("pcapng is told apart", code == 1 and "editcap -F pcap" in said, said)
    code, said = told(whole, "-c", "1")
    check("as many as are wanted", code == 0 and "CMD" in said and "STATUS" not in said, said)
    mixed = capture(1, [frame(1, b"\0"), frame(1, poll, 5016), frame(1, status, fragment=0x2000), frame(1, status)])
    code, said = told(mixed, "-r", "239.108.155.32:5016")
    check("a radiod's status group and port are chosen by -r", code == 0 and "CMD" in said and "STATUS" not in said, said)
    check("frames without a datagram are told", "passed over: 1" in said, said)
    code, said = told(mixed, "-o", "127.0.0.1")
    check("a sender by -o", code == 0 and "14074000" in said, said)
    code, said = told(mixed, "-o", "127.0.0.2")
    check("another sender has sent nothing", code == 1 and "no packet of that radiod's" in said, said)
    code, said = told(status, "-o", "127.0.0.1")
    check("a packet alone has no sender", code == 1 and "neither whose it is" in said, said)
    for words in (["--iface", "lo"], ["--ttl", "2"], ["--cache", "none"]):
        code, said = told(mixed, *words)
        check(f"{words[0]} means nothing for a capture", code == 2 and words[0] in said, f"{code} {said}")
    refuses("no such file", 1, "nowhere.pcap: open: No such file", "radio", "dump", "--read", "/nowhere.pcap")


def used_again():
    """A number that is used again at once: radiod keeps a removal's lifetime until it is told another."""
    for words in (["tune", "-s", "4242", "-f", "7m0", "-m", "usb"], ["create", "-s", "4242", "-f", "7m0", "-m", "usb"]):
        run("radio", "tune", "-s", "4242", "-f", "7m0", "-m", "usb")
        run("radio", "remove", "4242")
        code, said = run("radio", *words)
        time.sleep(0.3)
        check(f"{words[0]} makes it for ever", code == 0 and run("radio", "query", "4242", "--field", "channel.lifetime")[1].strip() == "0", said)
        run("radio", "remove", "4242")


def dead_radiod():
    started = time.monotonic()
    code, said = run("radio", "tune", "-s", "1", "-f", "1m0")
    took = time.monotonic() - started
    check("a dead radiod is told after 5 s", code == 1 and "did not answer within 5 s" in said and 4.9 < took < 15, f"{took} {said}")


enter_namespace()
command_line()
captured()
with radiod():
    channels()
    dump()
    used_again()
dead_radiod()
finish()
