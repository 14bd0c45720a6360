# SPDX-License-Identifier: MIT
"""What one SRT end logged, and the comparison of what was sent with what came out, payload by payload."""
from dataclasses import dataclass

TS_PACKET_BYTES = 188
GRACE_MS = 300  # on time: handed over within SRT's latency and this of being sent


@dataclass(frozen=True)
class Payload:
    sequence: int
    hash: str
    at: float  # CLOCK_MONOTONIC, seconds, as time.monotonic() has it


class Stream:
    """A running srt-end and its log, which is read on while it grows."""

    def __init__(self, process, log, file):
        self.process, self.log, self.file = process, log, file
        self._offset, self._payloads, self._connections, self._refused, self._ends = 0, [], [], 0, 0

    def _read_on(self):
        if not self.log.exists():
            return
        with open(self.log, "rb") as log:
            log.seek(self._offset)
            text = log.read()
        text = text[:text.rfind(b"\n") + 1]  # the last line may be half written
        self._offset += len(text)
        for kind, *words in (line.split() for line in text.decode().splitlines()):
            if kind == "P":
                self._payloads.append(Payload(int(words[0]), words[1], int(words[2]) / 1e9))
            elif kind == "C":
                self._connections.append((int(words[0]) / 1e9, int(words[1])))
            elif kind == "R":
                self._refused += 1
            elif kind == "E":
                self._ends += 1

    def payloads(self):
        self._read_on()
        return self._payloads

    def connections(self):
        self._read_on()
        return self._connections[-1][1] if self._connections else 0

    def refused(self):
        self._read_on()
        return self._refused

    def ends(self):
        """Of connections, as a sink sees them."""
        self._read_on()
        return self._ends

    def ts_packets(self):
        return ts_packets(self.file.read_bytes())


def ts_packets(data):
    """Whole packets; a last one that is still being written is left out."""
    packets = [data[at:at + TS_PACKET_BYTES] for at in range(0, len(data) - TS_PACKET_BYTES + 1, TS_PACKET_BYTES)]
    assert all(packet[0] == 0x47 for packet in packets), "TS packets out of step"
    return packets


@dataclass
class Outcome:
    sent: int
    received: int
    on_time: int
    longest_gap: float  # seconds between two payloads handed over

    @property
    def share(self):
        return self.on_time / self.sent if self.sent else 0.0

    def __str__(self):
        return (f"sent {self.sent}, received {self.received}, on time {self.on_time} ({100 * self.share:.2f} %), "
                f"longest gap {1000 * self.longest_gap:.0f} ms")


def compare(sources, sink, latency_ms, start=float("-inf"), end=float("inf")):
    """Of what the sources sent from start to end, what came out. At any time, nothing may come out that was not sent,
    nor changed, nor twice."""
    sent = {payload.sequence: payload for source in sources for payload in source.payloads()}
    came = {}
    for payload in sink.payloads():
        assert payload.sequence in sent, f"sequence {payload.sequence} came out but was never sent"
        assert payload.hash == sent[payload.sequence].hash, f"sequence {payload.sequence} came out changed"
        assert payload.sequence not in came, f"sequence {payload.sequence} came out twice"
        came[payload.sequence] = payload
    asked = [payload for payload in sent.values() if start <= payload.at < end]
    received = [(payload, came[payload.sequence]) for payload in asked if payload.sequence in came]
    budget = (latency_ms + GRACE_MS) / 1000
    times = sorted(out.at for _, out in received)
    return Outcome(sent=len(asked), received=len(received),
                   on_time=sum(out.at - payload.at <= budget for payload, out in received),
                   longest_gap=max((b - a for a, b in zip(times, times[1:])), default=0.0))
