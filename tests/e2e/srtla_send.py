#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Called as srtla_send, the SRT port listens on all addresses, as the peers' does: an encoder on another machine is
heard. Whoever calls first keeps the place, wherever others call from, until it has been idle."""
import select
import socket
import time

from lab import SRT_IN_PORT, SRT_OUT_PORT, SRTLA_PORT, main, wait
from srt_packets import (INDUCTION, REJECTED, handshake_socket_id, handshake_type, induction, induction_answer, is_handshake,
                         keepalive)

SERVER_ID = 0x5E
DIAL_EVERY, KEEPALIVE_EVERY = 0.25, 0.1  # seconds; libsrt's callers dial as often
LIVE = 3  # seconds in which others try in vain, longer than the idle time
IDLE_LEAST = 1.5  # seconds; the sender waits for 2


def heard(end):
    packets = []
    while select.select([end], [], [], 0)[0]:
        try:
            packets.append(end.recvfrom(2048))
        except ConnectionRefusedError:  # nobody listens on that address
            pass
    return packets


class Caller:
    """A scripted encoder, whose socket hears only the address that it called."""

    def __init__(self, lab, namespace, address, socket_id):
        self.end = lab.socket_in(namespace, socket.AF_INET6 if ":" in address else socket.AF_INET)
        self.end.connect((address, SRT_IN_PORT))
        self.socket_id, self.said_at, self.answers = socket_id, 0, []

    def dial(self):
        self._say(induction(self.socket_id), DIAL_EVERY)

    def stay(self):
        self._say(keepalive(SERVER_ID), KEEPALIVE_EVERY)

    def _say(self, packet, every):
        if time.monotonic() - self.said_at >= every:
            self.said_at = time.monotonic()
            try:
                self.end.send(packet)
            except ConnectionRefusedError:
                pass
        self.answers += [handshake_type(packet) for packet, _ in heard(self.end) if is_handshake(packet)]

    def is_refused(self):
        return any(answer >= REJECTED for answer in self.answers)


class Server:
    """The scripted SRT server: answers every induction and notes whose it was."""

    def __init__(self, lab):
        self.end = lab.socket_in(lab.receiver_ns)
        self.end.bind(("127.0.0.1", SRT_OUT_PORT))
        self.callers = []

    def turn(self):
        for packet, source in heard(self.end):
            if is_handshake(packet):
                self.callers.append(handshake_socket_id(packet))
                self.end.sendto(induction_answer(SERVER_ID, self.callers[-1]), source)


def start_srtla_send(lab):
    name = lab.folder / "srtla_send"
    name.symlink_to(lab.hawser)
    uplinks = lab.write_uplinks(lab.link_numbers)
    lab.send = lab.spawn("send", lab.sender_ns, [name, SRT_IN_PORT, lab.receiver_address, SRTLA_PORT, uplinks])
    wait("the uplinks", lambda: lab.send.text().count("connection established") == len(lab.link_numbers), 10)


def scenario(lab):
    server = Server(lab)
    lab.start_recv()
    start_srtla_send(lab)

    def until(what, condition, seconds, dialling, staying=()):
        def turn():
            for caller in dialling:
                caller.dial()
            for caller in staying:
                caller.stay()
            server.turn()
            lab.check_running()
            return condition()
        wait(what, turn, seconds)

    # The router is the other machine: it calls each uplink's address from its own.
    first = Caller(lab, lab.router_ns, lab.source_address(1), 0x101)
    others = [Caller(lab, lab.router_ns, lab.source_address(2), 0x102), Caller(lab, lab.sender_ns, "127.0.0.1", 0x103),
              Caller(lab, lab.sender_ns, "::1", 0x104)]
    until("the first caller's way to the server and back", lambda: INDUCTION in first.answers, 5, [first])

    since = time.monotonic()
    until("refusals of all others while the first is live",
          lambda: time.monotonic() - since >= LIVE and all(caller.is_refused() for caller in others), LIVE + 5, others, [first])
    assert set(server.callers) == {first.socket_id}, f"the server heard others: {server.callers}"
    assert not first.is_refused() and not any(INDUCTION in caller.answers for caller in others)

    # The first falls silent without a word of parting.
    second = others[0]
    until("the next caller's way to the server and back", lambda: INDUCTION in second.answers, 10, [second])
    idle = time.monotonic() - first.said_at
    print(f"another caller has the place after {idle:.1f} s of silence")
    assert idle >= IDLE_LEAST, "a live caller keeps its place"
    first.answers.clear()
    until("a refusal of the first, as it comes back", first.is_refused, 5, [first], [second])
    assert set(server.callers) == {first.socket_id, second.socket_id}
    for link in (1, 2):
        assert lab.gateway_address(link) in lab.send.text(), "the log names each caller's address"
    lab.send.end()
    lab.recv.end()


main(scenario, links=2)
