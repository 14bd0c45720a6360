# SPDX-License-Identifier: MIT
"""SRT packets of scripted ends: callers and servers that say just what a scenario asks (draft-sharabayko-srt-01, 3.2)."""
import struct

INDUCTION, REJECTED = 1, 1000  # handshake types; refusals are REJECTED and above, as a signed number
MAGIC = 0x4A17  # extension field of a server's induction
HANDSHAKE, KEEPALIVE = 0, 1  # control types
HANDSHAKE_BYTES = 16 + 48


def control(kind, receiver_id):
    return struct.pack("!HHIII", 0x8000 | kind, 0, 0, 0, receiver_id)


def handshake(version, extension, socket_id, cookie, receiver_id):
    return control(HANDSHAKE, receiver_id) + struct.pack(
        "!IHHIIIiII16x", version, 0, extension, 1234, 1500, 8192, INDUCTION, socket_id, cookie)


def induction(socket_id):
    """A caller's first packet."""
    return handshake(4, 2, socket_id, 0, 0)


def induction_answer(socket_id, caller_id):
    return handshake(5, MAGIC, socket_id, 0xC00C1E, caller_id)


def keepalive(receiver_id):
    return control(KEEPALIVE, receiver_id)


def is_handshake(packet):
    return len(packet) >= HANDSHAKE_BYTES and packet[:2] == b"\x80\x00"


def handshake_type(packet):
    return struct.unpack_from("!i", packet, 36)[0]


def handshake_socket_id(packet):
    return struct.unpack_from("!I", packet, 40)[0]
