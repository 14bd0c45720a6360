#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The receiver by a name that one uplink's resolver alone knows, while the machine's own is on a way that is dark or is
not there at all: it is found by that uplink and the picture runs. The other uplinks' resolvers are silent or talk
nonsense. Argument: what an uplink is written as, and with it who is asked: `address`, the system's name servers through
each uplink; `interface`, each uplink's own."""
import json
import pathlib
import re
import shutil
import socket
import threading
import time

from lab import SRTLA_PORT, ip, main, wait
from hot_plug import route

NAME = "relay.hawser-test"
SYSTEM = "10.98.0.53"  # the system's name server, behind the router
GOOD, NONSENSE, DARK = 2, 3, 4
HEAD_START = 2.0  # what the system's resolver has for itself


def answer(question, address):
    """Of type A; nothing of another type."""
    is_a = question[-4:-2] == b"\0\1"
    head = question[:2] + b"\x81\x80" + question[4:6] + (b"\0\1" if is_a else b"\0\0") + b"\0" * 4 + question[12:]
    return head + (b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton(address) if is_a else b"")


class NameServer:
    """At an address of the router's; who it answers, and how, goes by the uplink that the question came by."""

    def __init__(self, lab, address):
        self.lab, self.asked = lab, set()
        self.socket = lab.socket_in(lab.router_ns)
        self.socket.bind((address, 53))
        self.socket.settimeout(0.1)
        self.is_over = False
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()
        lab.stack.callback(self.end)

    def end(self):
        self.is_over = True
        self.thread.join()

    def _serve(self):
        while not self.is_over:
            try:
                question, client = self.socket.recvfrom(512)
            except TimeoutError:
                continue
            link = int(client[0].split(".")[2])
            self.asked.add(link)
            good = answer(question, self.lab.receiver_address)
            if link == GOOD:
                self.socket.sendto(good, client)
            elif link == NONSENSE:
                for packet in (good[:7], bytes([good[0] ^ 1]) + good[1:], b"\xff" * 300, good[:2] + b"\x81\x80" + b"\xff" * 40):
                    self.socket.sendto(packet, client)


def set_system_server(lab, address):
    """As `ip netns exec` shows it to what runs in the sender's namespace."""
    folder = pathlib.Path("/etc/netns", lab.sender_ns)
    folder.mkdir(parents=True)
    lab.stack.callback(shutil.rmtree, folder)
    (folder / "resolv.conf").write_text(f"nameserver {address}\n")


def darken(lab):
    """The machine's own way out is an uplink on which the system's name server is never reached."""
    lab._address(lab.router_ns, "lo", f"{SYSTEM}/32")
    ip("-n", lab.sender_ns, "route", "add", "default", "via", lab.gateway_address(DARK), "dev", f"u{DARK}")
    ip("-n", lab.router_ns, "rule", "add", "iif", f"x{DARK}", "to", SYSTEM, "table", "200")
    ip("-n", lab.router_ns, "route", "add", "blackhole", "default", "table", "200")


def doctor(lab, uplinks, rules):
    """What it says of each uplink's name servers."""
    words = [word for u in uplinks for word in ("-u", u)]
    process = lab.spawn("doctor", lab.sender_ns, [lab.hawser, "doctor", NAME, SRTLA_PORT, *words, *rules, "--json"])
    process.child.wait(30)
    said = json.loads(process.text())
    return said["found_by_uplink"], {row["uplink"]: row["names"] for row in said["uplinks"]}


def scenario(lab, kind):
    uplinks = [lab.source_address(n) if kind == "address" else f"u{n}" for n in lab.link_numbers]
    rules, servers = [], []
    if kind == "address":
        darken(lab)
        set_system_server(lab, SYSTEM)
        servers = [NameServer(lab, SYSTEM)]
    else:
        set_system_server(lab, "127.0.0.9")  # where nothing listens
        for n in lab.link_numbers:
            route(lab, n)
            rules += ["--link", f"u{n},dns={lab.gateway_address(n)}"]
            servers.append(NameServer(lab, lab.gateway_address(n)))
    path = lab.folder / "names"
    path.write_text("".join(f"{u}\n" for u in uplinks))
    lab.write_uplinks = lambda links: path
    lab.start_sink()
    lab.start_recv()
    begun = time.monotonic()
    lab.start_send(*rules, "--event-log", lab.folder / "events", receiver=NAME)
    found = wait("the name", lambda: re.search(rf"{NAME} was found by uplink (\S+): (\S+) answered in (\d+) ms", lab.send.text()), 10)
    took = time.monotonic() - begun
    print(f"found after {took:.2f} s: {found[0]}")
    assert found[1] == uplinks[GOOD - 1] and found[2] == (SYSTEM if kind == "address" else lab.gateway_address(GOOD))
    # Silent ones and liars hold nobody up.
    assert took < (HEAD_START + 1 if kind == "address" else 1), "soon"
    assert kind != "address" or took > HEAD_START - 0.1, "the system's resolver goes first"
    asked = set().union(*(s.asked for s in servers))
    assert asked >= set(lab.link_numbers) - ({DARK} if kind == "address" else set()), f"each uplink is asked: {asked}"
    lab.start_source()
    lab.wait_flowing(10)
    events = [json.loads(line) for line in (lab.folder / "events").read_text().splitlines()]
    told = [e for e in events if e["kind"] == "name_found_by_uplink"]
    assert len(told) == 1 and told[0]["uplink"] == uplinks[GOOD - 1], "the event log has it"

    by, names = doctor(lab, uplinks, rules)
    print(f"doctor: {names}")
    assert by == uplinks[GOOD - 1], "the doctor finds it by the same"
    assert [names[u]["ok"] for u in uplinks] == [n == GOOD for n in lab.link_numbers], "and asks each uplink's"
    assert "does not answer" in names[uplinks[0]]["error"], "naming what is wrong with the others'"
    lab.finish_whole(3)


main(scenario)
