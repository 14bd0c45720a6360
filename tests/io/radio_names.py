#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Radiods by their names: resolved by the system, once, or computed; in network and mount namespaces of their own.
Arguments: HAWSER STAND_IN. Needs root."""
import json
import os
import socket
import tempfile
import threading
import time

from program import Running, check, finish, run
from radio_program import enter_mounts, enter_namespace, radiod

folder = tempfile.TemporaryDirectory()


def names():
    with radiod("--status", "siglo"):
        run("radio", "tune", "-r", "239.108.155.32,lo", "-s", "14074", "-f", "14m074", "-m", "usb")
        for name, title in (("listed.local,lo", "a name that the system resolves"), ("listed,lo", "without its .local"),
                            ("siglo,lo", "a name that nobody resolves: the group is computed")):
            begun = time.monotonic()
            code, said = run("radio", "list", "-r", name, "--cache", "none")
            check(title, code == 0 and "14074" in said and time.monotonic() - begun < 15, said)
        code, said = run("radio", "list", "-r", "unicast,lo", "--cache", "none")
        check("an address that is no group's", code == 1 and "10.1.2.3 is no multicast group" in said, said)
        code, said = run("radio", "list", "-r", "nobody,lo", "--cache", "none")
        check("a name without a radiod says what was asked", code == 1 and "computed from the name" in said, said)


class NameServer:
    """Knows one address, and counts what it is asked."""

    def __init__(self, says="239.108.155.32"):
        self.says = says

    def __enter__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 53))
        self.socket.settimeout(0.1)
        self.asked = 0
        self.ends = False
        self.thread = threading.Thread(target=self.answer)
        self.thread.start()
        return self

    def answer(self):
        while not self.ends:
            try:
                question, source = self.socket.recvfrom(512)
            except TimeoutError:
                continue
            self.asked += 1
            is_a = question[question.index(b"\0", 12) + 1:][:2] == b"\0\x01"
            end = question.index(b"\0", 12) + 5
            record = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04" + socket.inet_aton(self.says) if is_a else b""
            head = question[:2] + b"\x81\x80\0\x01" + (b"\0\x01" if is_a else b"\0\0") + b"\0\0\0\0"
            self.socket.sendto(head + question[12:end] + record, source)

    def __exit__(self, *_):
        self.ends = True
        self.thread.join()
        self.socket.close()


def lookups():
    """A command asks once for the name, and not at all while the cache has it."""
    cache = os.path.join(folder.name, "radio.json")
    with NameServer() as server, radiod("--status", "siglo"):
        run("radio", "tune", "-r", "239.108.155.32,lo", "-s", "14074", "-f", "14m074", "-m", "usb")

        def asks(*words, cache_at="none"):
            before = server.asked
            code, said = run("radio", *words, "-r", "asked.local,lo", "--cache", cache_at)
            check(f"{words[0]} finds it", code == 0, said)
            return server.asked - before
        once = asks("list")
        check("a lookup is one question for each family at most", 1 <= once <= 2, once)
        check("monitor asks once", asks("monitor", "--once", "--no-streams") == once)
        check("record asks once", asks("record", "-x", "0.2", "-d", folder.name) == once)
        asks("list", cache_at=cache)
        for words in (["monitor", "--once", "--no-streams"], ["record", "-x", "0.2", "-d", folder.name]):
            check(f"{words[0]} asks nobody what the cache has", asks(*words, cache_at=cache) == 0)


def moved():
    """A name that the cache has, at whose group nobody answers: it is looked up afresh, and the command goes there."""
    cache = os.path.join(folder.name, "moved.json")
    with NameServer("239.9.9.9") as server, radiod("--status", "siglo"):
        run("radio", "tune", "-r", "239.108.155.32,lo", "-s", "14074", "-f", "14m074", "-m", "usb")

        def stale():
            server.says = "239.9.9.9"
            if os.path.exists(cache):
                os.unlink(cache)
            code, said = run("radio", "list", "-r", "moves.local,lo", "--cache", cache)
            check("nobody is where the name was", code == 1 and "239.9.9.9" in said, said)
            server.says = "239.108.155.32"
        for words, tells in ((["list"], "14074000"), (["query", "14074", "--field", "channel.preset"], "usb"), (["set", "14074", "filter.low_edge", "77"], "14074 usb"),
                             (["tune", "-s", "14074", "-m", "usb"], "14074 usb"), (["create", "-f", "14m074", "-m", "usb"], "usb"),
                             (["monitor", "--once", "--no-streams"], "14074000"), (["record", "14074", "-x", "0.2", "-d", folder.name], "14074")):
            stale()
            code, said = run("radio", *words, "-r", "moves.local,lo", "--cache", cache)
            check(f"{words[0]} finds where it is now", code == 0 and tells in said and "nobody answers at 239.9.9.9:5006; trying 239.108.155.32:5006" in said, said)
            code, said = run("radio", *words, "-r", "moves.local,lo", "--cache", cache)
            check(f"{words[0]} knows it from then on", code == 0 and "trying" not in said, said)
        # A group that is merely computed of the name is no reason to leave that of the cache.
        stale()
        server.says = "10.1.2.3"
        code, said = run("radio", "list", "-r", "moves.local,lo", "--cache", cache)
        check("a computed group does not take the cached one's place", code == 1 and "trying" not in said and "239.9.9.9:5006" in said, said)
        stale()
        with Running("radio", "watch", "--interval", "0.2", "-r", "moves.local,lo", "--cache", cache) as watching:
            check("watch goes there too", watching.wait_for("14074 appeared"), watching.said)


def ports():
    """`:PORT` in every form: after a name, a group, and before an interface."""
    with radiod("--status", "siglo", "--port", "5016"):
        code, said = run("radio", "tune", "-r", "239.108.155.32:5016,lo", "-s", "14074", "-f", "14m074", "-m", "usb")
        check("a group with a port and an interface", code == 0 and "14074 usb" in said, said)
        for name in ("siglo:5016,lo", "siglo.local:5016,lo", "listed:5016,lo", "239.108.155.32:5016,127.0.0.1"):
            code, said = run("radio", "list", "-r", name, "--cache", "none")
            check(f"{name}", code == 0 and "14074000" in said, said)
        code, said = run("radio", "list", "-r", "siglo:5016", "--iface", "lo", "--cache", "none")
        check("with --iface", code == 0 and "14074000" in said, said)
        code, said = run("radio", "list", "-r", "siglo,lo", "--cache", "none")
        check("without it, the usual one, where nobody is", code == 1 and "239.108.155.32:5006" in said, said)
    for name in ("siglo:", "siglo:0", "siglo:65536", "siglo:5016x", "siglo:-1", ":5006", "siglo:5016:5017", "239.1.2.3:", ",lo"):
        code, said = run("radio", "list", "-r", name)
        check(f"'{name}' names none", code == 2 and "names no radiod" in said, f"{code} {said}")


def spellings():
    """One radiod, asked for by its interface's name, by its address and by neither, is one in the list of all."""
    cache = os.path.join(folder.name, "spellings.json")
    with radiod("--status", "siglo"):
        run("radio", "tune", "-r", "239.108.155.32,lo", "-s", "14074", "-f", "14m074", "-m", "usb", "--cache", "none")
        for name in ("239.108.155.32,127.0.0.1", "239.108.155.32,lo", "239.108.155.32"):
            code, said = run("radio", "list", "-r", name, "--cache", cache)
            check(f"found as {name}", code == 0 and "14074000" in said, said)
        with open(cache, encoding="utf-8") as file:
            kept = file.read()
        check("the cache has its interface by name", "127.0.0.1" not in kept.replace("127.0.0.1:", ""), kept)
        code, said = run("radio", "list", "--cache", cache, "--json")
        told = json.loads(said.splitlines()[-1]) if code == 0 else []
        check("it is listed once", [r["group"] for r in told] == ["239.108.155.32:5006"] and told[0]["channels"] == 1, said)


enter_namespace()
enter_mounts({"/etc/hosts": "127.0.0.1 localhost\n239.108.155.32 listed.local\n10.1.2.3 unicast.local\n", "/etc/resolv.conf": "nameserver 127.0.0.1\n"})
lookups()
names()
moved()
ports()
spellings()
finish()
