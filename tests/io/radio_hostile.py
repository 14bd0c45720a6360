#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`hawser radio` where things go wrong: hostile packets on the group, a radiod that is stopped, interfaces that vanish, a
group that cannot be reached, two radiods with one number; and which interface, source and TTL it uses. In network
namespaces. Arguments: HAWSER STAND_IN. Needs root."""
import json
import os
import random
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unicodedata

from program import HAWSER, Running, check, finish, run
from radio_program import RADIO, STAND_IN, Far, enter_namespace, ip, radiod

GROUP = "239.108.155.32"


def group_sender(address="127.0.0.1"):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
    s.bind((address, 0))
    return s


def status(ssrc, tag, more=b""):
    return b"\0" + b"\x12\x04" + struct.pack(">I", ssrc) + b"\x01\x04" + struct.pack(">I", tag) + more + b"\0"


def hostile_packets():
    """Everything that a group may carry and should not."""
    chance = random.Random(4)
    yield b""
    yield b"\0"
    yield b"\0\0"
    yield b"\x02" + bytes(200)
    yield status(0, 1)
    yield status(0xFFFFFFFF, 1)
    yield b"\0\x12\x84\xff\xff\xff\xff"                      # a length beyond the packet
    yield b"\0\x12\xff" + bytes(300)                         # 127 bytes of length
    yield status(14074, 7, b"\x21\x04\x00\x00\x00\x01")      # a double of four bytes
    yield status(14074, 7, b"\x60\x82\xff\xff" + bytes(60))  # bins that are not there
    yield status(14074, 7, b"\x04\xc8" + b"\x1b[2J" * 40)    # a description that clears screens
    yield status(14074, 7, b"\x55\x20" + bytes(range(32)))
    yield b"\x01\x01\x04abcd\x12\x02\x36\xfa\0"              # another's command
    yield status(14074, 7, bytes([0x60, 0x83, 0, 0xF0, 0]) + bytes(0xF000))
    for _ in range(300):
        yield bytes(chance.randrange(256) for _ in range(chance.randrange(1, 400)))
    for ssrc in range(100_000, 100_400):
        yield status(ssrc, ssrc)


def hostile():
    with radiod(), Running("radio", "watch", "--interval", "0.3") as watching, Running("radio", "dump", "--json") as dumping:
        check("watch runs", run("radio", "tune", "-s", "14074", "-f", "14m074", "-m", "usb")[0] == 0 and watching.wait_for("14074 appeared"), watching.said)
        sender = group_sender()
        for packet in hostile_packets():
            sender.sendto(packet, (GROUP, 5006))
        code, said = run("radio", "set", "14074", "filter.low_edge", "321")
        check("commands are confirmed among hostile packets", code == 0, said)
        check("watch goes on, and prints nothing that moves a cursor", watching.wait_for(r"14074 filter.low_edge .* -> 321 Hz", 20) and "\x1b" not in watching.said
              and watching.child.poll() is None, watching.said[-2000:])
        check("dump goes on", dumping.child.poll() is None and dumping.wait_for('"filter":{"low_edge":321', 20), dumping.said[-500:])
        code, said = run("radio", "list")
        check("list does", code == 0 and "\x1b" not in said, said[-500:])


class Liar:
    """A radiod that confirms everything, for as many channels as it is told, with texts that no terminal should get: no
    UTF-8, and control characters of 7 and of 8 bits."""
    TEXT = b"\xff\xc3\x1b[2J\x9b1m\xc2\x9b1m\xed\xa0\x80\x7f"

    def __init__(self, numbers, address="127.0.0.1"):
        self.numbers = numbers
        self.address = address

    def __enter__(self):
        self.ears = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
            self.ears.setsockopt(socket.SOL_SOCKET, option, 1)
        self.ears.bind((GROUP, 5006))
        self.ears.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP) + socket.inet_aton("127.0.0.1"))
        self.ears.settimeout(0.1)
        self.mouth = group_sender(self.address)
        self.ends = False
        self.thread = threading.Thread(target=self.answer)
        self.thread.start()
        return self

    def answer(self):
        while not self.ends:
            try:
                packet = self.ears.recv(2048)
            except TimeoutError:
                continue
            if packet[:1] != b"\x01":
                continue
            told, at = {}, 1
            while at + 1 < len(packet) and packet[at] != 0:
                told[packet[at]] = int.from_bytes(packet[at + 2:at + 2 + packet[at + 1]], "big")
                at += 2 + packet[at + 1]
            ssrc = told.get(18, 0)
            for number in self.numbers if ssrc == 0xFFFFFFFF else [ssrc]:
                self.mouth.sendto(self.status(number, told.get(1, 0)), (GROUP, 5006))

    def status(self, number, tag):
        def text(field):
            return bytes([field, len(self.TEXT)]) + self.TEXT
        # Description and preset, 7 MHz, 12 kHz, linear, one channel, S16BE, and a data group.
        return status(number, tag, text(4) + text(85) + b"\x21\x08" + struct.pack(">d", 7e6) + b"\x14\x02\x2e\xe0\x30\x01\x00\x31\x01\x01\x6b\x01\x02"
                      + b"\x11\x06" + socket.inet_aton("239.7.7.7") + struct.pack(">H", 5004))

    def __exit__(self, *_):
        self.ends = True
        self.thread.join()
        self.ears.close()
        self.mouth.close()


def judge(title, code, done, said):
    """The text, which has to be one that a terminal may get."""
    try:
        text = said.decode()
        is_tame = all(c == "\n" or unicodedata.category(c) not in ("Cc", "Cs") for c in text)
    except UnicodeDecodeError:
        text, is_tame = repr(said), False
    check(f"{title}: ends with {code} and says text", done == code and is_tame, f"{done} {said!r}")
    return text


def bad_text():
    def told(*words, code=0):
        done = subprocess.run(["hawser", "radio", *words], executable=HAWSER, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=20, check=False)
        return judge(" ".join(words), code, done.returncode, done.stdout)

    def dumped(*words):
        with subprocess.Popen(["hawser", "radio", "dump", "-c", "4", *words], executable=HAWSER, stdout=subprocess.PIPE) as dumping:
            until(lambda: run("radio", "query", "14074", "--field", "channel.ssrc") and dumping.poll() is not None)
            dumping.kill()
            return judge("dump", 0, dumping.wait(), dumping.stdout.read())

    def is_json(text):
        try:
            return json.loads(text.splitlines()[-1]) and "\ufffd" in text
        except (ValueError, IndexError):
            return False
    with Liar([14074]), tempfile.TemporaryDirectory() as folder:
        for words in (["list"], ["query", "14074"], ["tune", "-s", "14074", "-f", "7m0"], ["create", "-s", "5", "-f", "7m0"], ["monitor", "--once", "--no-streams"]):
            told(*words)
            text = told(*words, "--json")
            check(f"{words[0]} is JSON", is_json(text), text)
        told("query", "14074", "--field", "channel.preset")
        told("create", "-s", "14074", "-f", "7m1", code=1)
        told("set", "14074", "channel.preset", "usb", code=1)
        check("dump shows the texts", "7000000" in dumped())
        text = dumped("--json")
        check("and as JSON", any(is_json(line) for line in text.splitlines()), text)
        for json_too in ([], ["--json"]):
            text = told("record", "-x", "0.1", "-d", folder, *json_too, code=1)
            check("record tells of the channel", '"started"' in text or "14074: 7000000 Hz" in text, text)


def invented():
    """Channels that nobody has, on and on: what takes all there are takes no more than it may, and says so."""
    with Liar(range(1000, 1040)), tempfile.TemporaryDirectory() as folder:
        code, said = run("radio", "record", "--json", "--max-channels", "5", "-x", "0.1", "-d", folder)
        check("record takes so many channels and no more", said.count('"started"') == 5, said)
        check("and says so, once", code == 1 and said.count("5 channels are the most") == 1, said)


def crowded_out():
    """Channels that are announced and never heard take no place from a radiod's own, and a list that they fill is no whole one."""
    with Liar(range(1000, 1040), "127.0.0.2") as liar, tempfile.TemporaryDirectory() as folder:
        with Running("radio", "record", "--json", "--max-channels", "5", "-d", folder) as recording:
            check("the invented ones are there first", until(lambda: recording.read().count('"started"') >= 5), recording.read())
            with radiod():
                run("radio", "tune", "-s", "14074", "-f", "999k", "-m", "usb", "--ttl", "0")
                check("a real one gets a place", until(lambda: '"ssrc":14074' in recording.read() and '"given_up"' in recording.read()), recording.read())
                time.sleep(0.5)  # of audio
                recording.end(signal.SIGTERM)
        files = [name for name in os.listdir(folder) if name.startswith("14074k")]
        check("and is recorded", len(files) == 1, os.listdir(folder))
        liar.numbers = range(1_000_000, 1_006_100)
        for words in (["query", "7"], ["create", "-f", "7m0"], ["record", "7", "-d", folder]):
            code, said = run("radio", *words, seconds=60)  # a sanitizer takes its time over so many
            check(f"{words[0]} says that it did not hear of all", code == 1 and "the list was cut short" in said, said[-300:])
        code, said = run("radio", "list", "--json", seconds=60)
        check("list does too, as text and as JSON", code == 1 and "the list was cut short" in said and '{"cut_short":true}' in said.splitlines(), said[-300:])


def interrupted():
    """What a signal makes of a command that had not done its work, and of one that goes on until it is ended."""
    silent = "239.9.9.9,lo"
    for number in (signal.SIGINT, signal.SIGTERM):
        for words in (["tune", "-s", "7", "-f", "7m0"], ["list"], ["query", "7"], ["create", "-s", "7", "-f", "7m0"], ["powers", "-f", "1m0", "-c", "1"], ["dump", "-c", "1"]):
            with Running("radio", *words, "-r", silent) as child:
                # It takes signals from the moment that it listens.
                listens = until(lambda c=child: "239.9.9.9" in igmp() or c.child.poll() is not None)
                time.sleep(0.05)
                check(f"{words[0]} that was ended has failed", listens and child.end(number) == 1, f"{child.child.returncode} {child.read()}")
    with radiod():
        run("radio", "tune", "-s", "14074", "-f", "14m074", "-m", "usb")
        for words in (["list", "--watch", "--interval", "0.2"], ["powers", "-f", "1m0", "-i", "0.2"], ["dump"], ["watch", "--interval", "0.2"]):
            with Running("radio", *words, "-r", RADIO) as child:
                until(lambda c=child: c.read() or (words[0] == "dump" and run("radio", "list")[0] != 0))
                check(f"{words[0]} without an end ends well", child.end(signal.SIGTERM) == 0, f"{child.child.returncode} {child.read()}")


def igmp():
    with open("/proc/self/net/igmp", encoding="ascii") as file:
        hexed = file.read()
    # Groups as the machine's words have them.
    return [socket.inet_ntoa(struct.pack("=I", int(word, 16))) for line in hexed.splitlines()[1:] for word in line.split()[:1]
            if len(word) == 8 and line.startswith("\t")]


def until(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def stopped():
    with radiod() as child, Running("radio", "watch", "--interval", "0.3") as watching:
        run("radio", "tune", "-s", "14074", "-f", "14m074", "-m", "usb")
        check("it is there", watching.wait_for("14074 appeared"), watching.said)
        child.send_signal(signal.SIGSTOP)
        begun = time.monotonic()
        code, said = run("radio", "tune", "-s", "14074", "-f", "14m075")
        check("a stopped radiod is told within its time", code == 1 and "did not answer within 5 s" in said and time.monotonic() - begun < 15, said)
        check("watch says so", watching.wait_for("no channel answers") and watching.wait_for("14074 lost"), watching.said)
        child.send_signal(signal.SIGCONT)
        check("and that it answers again", watching.wait_for("radiod answers") and watching.wait_for(r"14074 appeared: usb 1407\d000 Hz"), watching.said)


def clash():
    with radiod(), radiod():
        run("radio", "tune", "-s", "5", "-f", "5m0", "-m", "am")
        with Running("radio", "watch", "--interval", "0.3") as watching:
            check("two radiods with one number are told apart", watching.wait_for("5 two radiods use this number"), watching.said)
        code, said = run("radio", "list")
        check("list shows both", code == 0 and len([line for line in said.splitlines() if line.split()[0] == "5"]) == 2, said)


def interfaces():
    with Far():
        near = GROUP + ",near0"
        code, said = run("radio", "tune", "-r", near, "-s", "14074", "-f", "14m074", "-m", "usb")
        check("by the interface of the name", code == 0, said)
        code, said = run("radio", "list", "-r", GROUP, "--iface", "10.7.0.1")
        check("by the interface's address", code == 0 and "14074" in said, said)
        code, said = run("radio", "list", "-r", GROUP)
        check("not by another", code == 1 and "no channel" in said, said)
        ip("route", "add", "224.0.0.0/4", "dev", "near0")
        code, said = run("radio", "list", "-r", GROUP)
        check("by the route to the group", code == 0 and "14074" in said, said)
        ip("route", "del", "224.0.0.0/4")
        code, said = run("radio", "list", "-r", near, "-o", "10.7.0.2")
        check("only from one source, which is radiod's", code == 0 and "14074" in said, said)
        code, said = run("radio", "list", "-r", near, "-o", "10.7.0.9")
        check("or from another, which is nobody", code == 1, said)
        with radiod():
            run("radio", "tune", "-r", RADIO, "-s", "7", "-f", "7m0")
            with Running("radio", "watch", "-r", near, "--interval", "0.3") as watching:
                run("radio", "set", "-r", RADIO, "7", "filter.low_edge", "77")
                check("loopback is heard too", watching.wait_for("7 appeared"), watching.said)


def vanishing():
    # A radiod on that very interface would be cut off for good: it is the near end that goes, with this side's group.
    with Far() as far, Running("radio", "watch", "-r", GROUP + ",near0", "--interval", "0.3") as watching:
        run("radio", "tune", "-r", GROUP + ",near0", "-s", "14074", "-f", "14m074", "-m", "usb")
        check("it is there", watching.wait_for("14074 appeared"), watching.said)
        ip("link", "set", "near0", "down")
        check("an interface that goes down is no end", watching.wait_for("14074 lost", 20) and watching.child.poll() is None, watching.said)
        ip("link", "set", "near0", "up")
        check("nor is its return", watching.wait_for("14074 appeared", 20, after=watching.said.rindex("14074 lost")), watching.said)
        after = len(watching.said)
        ip("link", "del", "near0")
        check("one that vanishes is told", watching.wait_for(r"239.108.155.32:0 lost on|239.108.155.32:5006 lost on", 10, after) and watching.wait_for("No such device|send", 10, after)
              and watching.child.poll() is None, watching.said)
        far.plug()
        check("and joined when it is back", watching.wait_for("239.108.155.32:5006 joined on near0", 10, after), watching.said)
        check("watch can be ended", watching.end(signal.SIGINT) == 0)
        code, said = run("radio", "list", "-r", GROUP + ",near9")
        check("one that never was", code == 1 and "near9: join: No such device" in said, said)


def unreachable():
    ip("route", "add", "unreachable", "239.0.0.0/8")
    begun = time.monotonic()
    code, said = run("radio", "list", "-r", "239.1.1.1")
    check("a group without a way is an end with a word", code == 1 and "239.1.1.1" in said and time.monotonic() - begun < 10, said)
    code, said = run("radio", "tune", "-r", "239.1.1.1", "-s", "1", "-f", "1m0")
    check("for commands too", code == 1 and "did not answer" in said, said)
    ip("route", "del", "unreachable", "239.0.0.0/8")


def ttl():
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.setsockopt(socket.IPPROTO_IP, 12, 1)  # IP_RECVTTL
    listener.bind((GROUP, 5006))
    listener.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP) + socket.inet_aton("127.0.0.1"))
    for options, wanted in (([], 1), (["--ttl", "0"], 0), (["--ttl", "7"], 7)):
        run("radio", "list", "-r", RADIO, *options)
        seen = set()
        listener.settimeout(10)
        while True:
            try:
                _, control, _, _ = listener.recvmsg(2048, 64)
            except (BlockingIOError, TimeoutError):
                break
            seen |= {struct.unpack("i", data)[0] for level, kind, data in control if (level, kind) == (socket.IPPROTO_IP, socket.IP_TTL)}
            listener.setblocking(False)  # the others are there already
        check(f"commands have a TTL of {wanted}", seen == {wanted}, seen)
    listener.close()


enter_namespace()
os.environ["RADIO"] = RADIO
for part in (hostile, bad_text, invented, crowded_out, interrupted, stopped, clash, interfaces, vanishing, unreachable, ttl):
    part()
finish()
