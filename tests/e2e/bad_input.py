#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Bad input at every door of both ends while a picture flows: lines that are no requests, a giant one, clients that
never finish, read or stop coming, HTTP that is none, files that cannot be used, a storm of netlink messages. Each gets
its error, nothing that was configured changes, and the picture comes out whole and in time."""
import contextlib
import json
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

from hot_plug import carries, route
from lab import BITRATE_KBPS, SRT_IN_PORT, SRT_OUT_PORT, SRTLA_PORT, ip, main, wait
from stream import compare

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "io"))
from control_client import Control, code  # noqa: E402

METRICS = ("127.0.0.1", 9090)
GIANT_BYTES, CHUNK = 48_000_000, b"x" * 1_000_000
CONNECTIONS, CROWD, UNFINISHED, DEAF = 10_000, 300, 40, 4
STORMS, STORM_ADDRESSES = 8, 2_000
SECONDS = 40  # for any one of them; a quiet machine takes 1 to 4
PARSE_ERROR, INVALID_REQUEST, NO_METHOD, BAD_PARAMS = -32700, -32600, -32601, -32602
IMPOSSIBLE, TOO_MANY = -32000, -32002

STATUS_SETTINGS = ("mode", "quality_enabled", "stall_deselect", "conn_timeout_ms", "caller")
BAD_LINES = (
    ('{"jsonrpc":"2.0","id":1,"method":"get_status"', PARSE_ERROR),
    (b"\xff\xfe\x00{}", PARSE_ERROR),
    ("[" * 60_000, PARSE_ERROR),
    ("7", INVALID_REQUEST),
    ("[]", INVALID_REQUEST),
    ('{"jsonrpc":"1.0","id":1,"method":"version"}', INVALID_REQUEST),
    ('{"jsonrpc":"2.0","id":{},"method":"version"}', INVALID_REQUEST),
    ('{"jsonrpc":"2.0","id":1,"method":["version"]}', INVALID_REQUEST),
    ('{"jsonrpc":"2.0","id":1,"method":"version","params":"all"}', INVALID_REQUEST),
)
BAD_CALLS = (("fly", {}, NO_METHOD), ("subscribe", {"topic": 7}, BAD_PARAMS), ("subscribe", {}, BAD_PARAMS),
             ("subscribe", {"topic": "weather"}, BAD_PARAMS), ("subscribe", ["stats"] * 1000, BAD_PARAMS))
BAD_CALLS_OF = {
    "send": (("set_mode", {"mode": 7}, BAD_PARAMS), ("set_quality", {"enabled": "very"}, BAD_PARAMS),
             ("set_conn_timeout", {"ms": -1}, BAD_PARAMS), ("links.add", {"uplink": "300.1.1.1"}, BAD_PARAMS),
             ("links.set", {"name": "u1", "cap": []}, BAD_PARAMS), ("links.remove", {"name": "u9"}, IMPOSSIBLE)),
    "recv": (("set_mode", {"mode": "classic"}, NO_METHOD),),
}


class End:
    """One of the two programs, run by a file."""

    def __init__(self, lab, name, role, namespace, keys):
        self.name, self.role, self.namespace = name, role, namespace
        self.file, self.socket = lab.folder / f"{name}.toml", str(lab.folder / name)
        self.good = (f'[{role}]\n{keys}[{role}.control]\nsocket = "{self.socket}"\n'
                     f'[{role}.metrics]\nlisten = "{METRICS[0]}:{METRICS[1]}"\n')
        self.file.write_text(self.good)
        self.process = lab.spawn(name, namespace, [lab.hawser, name, "-c", self.file])
        setattr(lab, name, self.process)
        self.settings_first, self.web_clients = {}, []  # those that never finish
        wait(f"{name}'s control socket", lambda: pathlib.Path(self.socket).exists(), 10)

    def ask(self, method):
        client = Control(self.socket)
        reply = client.ask(method)
        client.close()
        return reply["result"]

    def settings(self):
        status = self.ask("get_status")
        assert status["role"] == self.role, status
        return {key: status.get(key) for key in STATUS_SETTINGS} | self.ask("config.get")

    def is_as_before(self):
        """It answers, and is set as it was when the picture began to flow."""
        differs = set(map(str, self.settings().items())) ^ set(map(str, self.settings_first.items()))
        assert not differs, f"{self.name}: {differs}"

    def resident_bytes(self):
        text = pathlib.Path(f"/proc/{self.process.child.pid}/status").read_text()
        return 1024 * int(re.search(r"VmRSS:\s*(\d+) kB", text)[1])

    def descriptors(self):
        return len(list(pathlib.Path(f"/proc/{self.process.child.pid}/fd").iterdir()))


def bad_requests(_, end):
    client = Control(end.socket)
    for line, expected in BAD_LINES:
        client.send(line if isinstance(line, bytes) else line.encode())
        client.send("\n")
        reply = client.line()
        assert code(reply) == expected, f"{line[:80]}: {reply}"
    for method, params, expected in BAD_CALLS + BAD_CALLS_OF[end.name]:
        reply = client.ask(method, params)
        assert code(reply) == expected, f"{method} {str(params)[:80]}: {reply}"
    client.close()


def giant_line(_, end):
    client, before = Control(end.socket), end.resident_bytes()
    for _ in range(GIANT_BYTES // len(CHUNK)):
        client.send(CHUNK)
    grown = end.resident_bytes() - before
    client.send("\n")
    reply = client.line()
    assert code(reply) == INVALID_REQUEST, reply
    assert "result" in client.ask("version"), "the next line is answered"
    assert grown < GIANT_BYTES / 2, f"{end.name} has kept {grown} bytes of a line of {GIANT_BYTES}"
    client.close()


def unfinished_and_deaf(lab, end):
    """They stay until the picture ends."""
    for i in range(UNFINISHED + DEAF):
        client = Control(end.socket)
        lab.stack.callback(client.close)
        if i < UNFINISHED:
            client.send('{"jsonrpc":"2.0","id":1,"meth')
        else:
            for topic in ("stats", "events", "log"):
                request = {"jsonrpc": "2.0", "id": 1, "method": "subscribe", "params": {"topic": topic}}
                client.send(json.dumps(request) + "\n")


def connected(path):
    one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    one.connect(path)  # waits for a place in the queue, which it would not with a timeout
    one.settimeout(10)
    return one


def crowds(_, end):
    """One after another, of whom some say half a line or one that is wrong; then many at once."""
    before = end.descriptors()
    words = (b"", b'{"jsonrpc":"2.0",', b"nonsense\n", b"\n\n")
    for i in range(CONNECTIONS):
        with connected(end.socket) as one:
            try:
                one.sendall(words[i % len(words)])
            except OSError:
                pass  # it was refused, and told so
    wait("their places to be free", lambda: end.descriptors() <= before, SECONDS)
    crowd, served = [connected(end.socket) for _ in range(CROWD)], 0
    for one in crowd:
        try:
            one.sendall(b'{"jsonrpc":"2.0","id":1,"method":"version"}\n')
        except OSError:
            pass  # as above
    for one in crowd:
        with one, one.makefile("rb") as lines:
            reply = json.loads(lines.readline())
        served += "result" in reply
        assert "result" in reply or code(reply) == TOO_MANY, reply
    assert 0 < served < CROWD, f"{served} of {CROWD} served"
    wait("their places to be free", lambda: end.descriptors() <= before, SECONDS)


def web_client(lab, end, said):
    """It has connected and said so; it is closed with the lab at the latest."""
    client = lab.socket_in(end.namespace, kind=socket.SOCK_STREAM)
    client.settimeout(20)
    client.connect(METRICS)
    with contextlib.suppress(ConnectionError):  # it need not be heard to its end
        client.sendall(said)
    return client


def answer(lab, end, said):
    """Nothing: it was closed without one."""
    with web_client(lab, end, said) as client, contextlib.suppress(ConnectionError):
        return client.recv(65536)
    return b""


def http_garbage(lab, end):
    rest = b" HTTP/1.1\r\nHost: here\r\n\r\n"
    for said, expected in (
            (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"400|^$"),
            (b"GET /" + b"y" * 200_000 + rest, b"414|^$"),
            (b"GET /metrics HTTP/1.1\r\n" + b"X: y\r\n" * 20_000 + b"\r\n", b"431|^$"),
            (b"POST /metrics" + rest, b"405"),
            (b"GET /../../etc/passwd" + rest, b"404"),
            (b"GET" + rest, b"400")):
        reply = answer(lab, end, said)
        assert re.search(expected, reply.split(b"\r\n")[0]), f"{said[:60]}: {reply[:200]}"
    for _ in range(10):
        end.web_clients += [web_client(lab, end, b"GET /metrics HTTP/1.1\r\nX: "),
                            web_client(lab, end, b"\x00\xff\x16\x03\x01" * 100)]
    assert b" 200 " in answer(lab, end, b"GET /metrics" + rest), "a good request beside 20 that are never finished"


def are_shown_out(web_clients):
    for client in web_clients:
        with contextlib.suppress(ConnectionError):
            assert client.recv(65536) == b"", "no answer to what is no request"


def bad_files(lab, end):
    """By signal and by the socket, each named with its line; a good file is taken afterwards."""
    client = Control(end.socket)
    line = end.good.count("\n") + 1
    link = f'{end.good}[[{end.role}.link]]\nuplink = "u1"\n'
    for bad, where, reason in (
            (f"{end.good}[{end.role}", line, "end-of-file"),
            (f"{end.good}listen = []\n", line, "listen"),
            (end.good.replace("listen", "lisen", 1), 2, "'listen' is one"),
            (end.good.replace("listen = ", "listen = 7.5 #", 1), 2, "listen: a port"),
            ("\x00\x01\x02", 1, ""),
            *(((f'{link}rate_cap = "1 kbit/s"\n', line + 2, "rate_cap"), (f"{link}budget = true\n", line + 2, "budget"),
               (end.good.replace('"auto"', '["u1", "u1"]'), 4, "'u1' is there twice"))
              if end.role == "sender" else ())):
        end.file.write_text(bad)
        refusal, said_before = f"{re.escape(str(end.file))}:{where}:.*{reason}", len(end.process.text())
        reply = client.ask("reload")
        assert code(reply) == IMPOSSIBLE and re.search(refusal, reply["error"]["message"]), f"{refusal}: {reply}"
        end.process.tell(signal.SIGHUP)

        def both(refusal=f"reload refused.*{refusal}", begin=said_before):
            return len(re.findall(refusal, end.process.text()[begin:])) == 2
        wait(f"the same by signal: {refusal}", both, SECONDS)
        lab.check_running()
    end.file.write_text(end.good)
    assert "result" in client.ask("reload"), "a good file again"
    client.close()


def netlink_storm(lab, end):
    """A device that comes, gets its addresses one by one and goes with all of them at once, again and again. A link
    that goes in the midst of it is seen to go, though the word of it may be among those that overran."""
    lines = []
    for i in range(STORMS):
        lines += ["link add storm type veth peer name wind", "link set storm up"]
        lines += [f"address add 10.200.{j // 250}.{j % 250 + 1}/32 dev storm" for j in range(STORM_ADDRESSES)]
        lines += ["link del storm", *(["link set u4 down"] if i == STORMS // 2 else [])]
    batch = lab.folder / "storm"
    batch.write_text("\n".join(lines) + "\n")
    begun, said_before = time.monotonic(), len(end.process.text())
    subprocess.run(["ip", "-n", end.namespace, "-batch", batch], check=True, capture_output=True, timeout=SECONDS)
    took = time.monotonic() - begun
    # What the kernel counts of each socket there; nobody else listens.
    rows = pathlib.Path(f"/proc/{end.process.child.pid}/net/netlink").read_text().splitlines()[1:]
    lost = sum(int(row.split()[8]) for row in rows)
    print(f"{len(lines)} changes in {took:.1f} s, of which {lost} messages overran")
    assert lost > 0, "a storm that overran nothing shows nothing"
    wait("word of the loss", lambda: "uplink u4: its interface is gone" in end.process.text()[said_before:], 2)
    ip("-n", end.namespace, "link", "set", "u4", "up")
    route(lab, 4)
    carries(lab, 4, 10)


def scenario(lab):
    for link in lab.link_numbers:
        route(lab, link)
    lab.start_sink()
    recv = End(lab, "recv", "receiver", lab.receiver_ns,
               f'listen = {SRTLA_PORT}\nserver = "127.0.0.1:{SRT_OUT_PORT}"\n')
    send = End(lab, "send", "sender", lab.sender_ns,
               f'listen = {SRT_IN_PORT}\nreceiver = "{lab.receiver_address}:{SRTLA_PORT}"\nuplinks = "auto"\n'
               f'state_dir = "{lab.folder / "state"}"\n')
    source = lab.start_source()
    lab.wait_flowing(10)
    wait("all uplinks", lambda: send.ask("get_stats")["active_links"] == 4, 10)
    for end in (send, recv):
        end.settings_first = end.settings()
    begun = time.monotonic()
    for door in (unfinished_and_deaf, bad_requests, giant_line, crowds, http_garbage, bad_files):
        for end in (send, recv):
            since = time.monotonic()
            door(lab, end)
            print(f"{door.__name__} at {end.name}: {time.monotonic() - since:.1f} s")
            lab.check_running()
            end.is_as_before()
    netlink_storm(lab, send)
    for end in (send, recv):
        are_shown_out(end.web_clients)
    lab.wait_flowing(5)
    for end in (send, recv):
        end.is_as_before()
    assert send.ask("get_stats")["active_links"] == 4, "all uplinks are connected"
    assert source.connections() == 1, "one SRT session from the beginning to the end"
    lab.finish()
    outcome = compare(lab.sources, lab.sink, lab.latency_ms, begun)
    print(f"through all of it: {outcome}")
    assert outcome.share >= 0.999, "99.9 % whole and on time"


main(scenario, link_kbps=BITRATE_KBPS)
