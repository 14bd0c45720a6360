#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The metrics of both ends over HTTP, read by hand and, with a second argument, by promtool and a real Prometheus.
Needs no root. Arguments: HAWSER [prometheus]."""
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from program import Running, check, finish, free_port, refuses


def tcp_port():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
        s.bind(("127.0.0.1", 0))
        return str(s.getsockname()[1])


def get(port, path="/metrics", seconds=10):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=seconds) as reply:
        return reply.read().decode(), reply.headers["Content-Type"]


def asked(port, method, path, body=None):
    c = http.client.HTTPConnection("127.0.0.1", int(port), timeout=10)
    c.request(method, path, body)
    reply = c.getresponse()
    return reply.status, reply.read().decode()


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


class Bond:
    """A sender and a receiver of this machine, each with its metrics."""

    def __enter__(self):
        self.srtla, self.of_sender, self.of_receiver = free_port(), tcp_port(), tcp_port()
        self.receiver = Running("recv", self.srtla, "127.0.0.1", free_port(), "--listen", "127.0.0.1", "--metrics", self.of_receiver)
        self.sender = Running("send", free_port(), "127.0.0.1", self.srtla, "-u", "127.0.0.2", "-u", "127.0.0.3", "--metrics", f"127.0.0.1:{self.of_sender}")
        self.receiver.__enter__()
        self.sender.__enter__()
        self.is_up = self.receiver.wait_for("metrics at http") and self.sender.wait_for("metrics at http")
        return self

    def __exit__(self, *what):
        self.sender.__exit__(*what)
        self.receiver.__exit__(*what)


def by_hand():
    with Bond() as bond:
        check("both say where their metrics are", bond.is_up, bond.sender.said)
        check("both uplinks are up", until(lambda: get(bond.of_sender)[0].count("hawser_uplink_up{") == 2 and
              'hawser_uplink_up{uplink="127.0.0.2"} 1' in get(bond.of_sender)[0]
              and 'hawser_uplink_up{uplink="127.0.0.3"} 1' in get(bond.of_sender)[0]), get(bond.of_sender)[0])
        text, kind = get(bond.of_sender)
        check("the format's version is told", kind.startswith("text/plain; version=0.0.4"), kind)
        check("a round trip was counted", until(lambda: re.search(r'hawser_uplink_rtt_seconds_count\{uplink="127.0.0.2"\} [1-9]', get(bond.of_sender)[0])))
        text, _ = get(bond.of_sender, "/metrics/srtla_send")
        check("the peer's names", 'srtla_send_link_up{ip="127.0.0.2"} 1' in text and "\nsrtla_send_active_links 2" in text, text)
        def has_both(text):
            return "\nhawser_receiver_groups 1\n" in text and text.count("hawser_link_up{") == 2
        check("the receiver knows the group and its links", until(lambda: has_both(get(bond.of_receiver)[0])), get(bond.of_receiver)[0])
        text, kind = get(bond.of_receiver, "/stats")
        check("no stream, no publisher", json.loads(text) == {"publishers": {}, "status": "ok"} and kind == "application/json", text)
        check("the root lists the pages", "/metrics/srtla_send" in get(bond.of_sender, "/")[0])
        check("what is not there", asked(bond.of_sender, "GET", "/metricsx")[0] == 404)
        check("nothing is written", asked(bond.of_sender, "POST", "/metrics")[0] == 405)
        check("nor with a body", asked(bond.of_sender, "PUT", "/metrics", "x" * 100)[0] == 405)
        check("a head alone", asked(bond.of_sender, "HEAD", "/metrics") == (200, ""))
        nasty = socket.create_connection(("127.0.0.1", int(bond.of_sender)))
        nasty.sendall(b"GET /metrics HTTP/1.1\r\nX: " + b"y" * 100_000)
        crowd = [socket.create_connection(("127.0.0.1", int(bond.of_receiver))) for _ in range(20)]
        check("who is slow or loud keeps nobody waiting", "hawser_build_info" in get(bond.of_sender)[0] and "hawser_build_info" in get(bond.of_receiver)[0])
        for s in [nasty, *crowd]:
            s.close()
        # More than there are places for, all at once, who say nothing until they are shown out.
        crowd = [socket.create_connection(("127.0.0.1", int(bond.of_receiver))) for _ in range(40)]
        check("a silent crowd is shown out, and the next one served", "hawser_build_info" in get(bond.of_receiver, seconds=40)[0])
        for s in crowd:
            s.close()
        # Who sends a byte every second is never silent, and gives his place up all the same.
        crowd = [socket.create_connection(("127.0.0.1", int(bond.of_receiver))) for _ in range(32)]
        for s in crowd:
            s.sendall(b"GET /metrics HTTP/1.1\r\nX: ")
        begun = time.monotonic()
        served = []
        asker = threading.Thread(target=lambda: served.append(get(bond.of_receiver, seconds=40)[0]))
        asker.start()
        while asker.is_alive() and time.monotonic() - begun < 40:
            for s in crowd:
                try:
                    s.sendall(b"y")
                except OSError:
                    pass
            asker.join(1)
        check("a crowd that drips is shown out too", served and "hawser_build_info" in served[0] and time.monotonic() - begun < 20)
        for s in crowd:
            s.close()
        refuses("a port that is taken", 1, r"metrics: cannot bind 127\.0\.0\.1:\d+: Address already in use", "send", free_port(),
                "127.0.0.1", bond.srtla, "-u", "127.0.0.2", "--metrics", bond.of_sender)
    refuses("no port", 2, "--metrics", "send", "5000", "127.0.0.1", "5001", "-u", "127.0.0.2", "--metrics", "host:1")
    with Running("send", free_port(), "127.0.0.1", free_port(), "-u", "127.0.0.2", "--metrics", f"0.0.0.0:{tcp_port()}") as open_one:
        check("beyond this machine: it is said", open_one.wait_for("nobody is asked"), open_one.said)


def idle():
    """What comes in pairs, and then nothing more: the pump tells of the first, and has no reason to wake after the second."""
    at, port = free_port(), tcp_port()
    with Running("recv", at, "127.0.0.1", free_port(), "--listen", "127.0.0.1", "--metrics", port) as recv:
        recv.wait_for("metrics at http")

        def packets():
            return int(re.search(r"^hawser_pump_packets_total (\d+)$", get(port)[0], re.M)[1])
        time.sleep(0.5)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            for _ in range(2):
                s.sendto(b"nothing", ("127.0.0.1", int(at)))
                time.sleep(0.02)
        check("figures of an idle receiver are fresh", until(lambda: packets() == 2, 5), packets())


def by_prometheus():
    if shutil.which("prometheus") is None or shutil.which("promtool") is None:
        print("skipped: prometheus is not installed")
        sys.exit(77)
    with Bond() as bond, tempfile.TemporaryDirectory() as folder:
        check("both uplinks are up", until(lambda: "\nsrtla_send_active_links 2" in get(bond.of_sender, "/metrics/srtla_send")[0]))
        for name, port in (("sender", bond.of_sender), ("receiver", bond.of_receiver)):
            done = subprocess.run(["promtool", "check", "metrics"], input=get(port)[0], text=True, capture_output=True, check=False)
            check(f"promtool finds nothing at the {name}", done.returncode == 0 and not (done.stdout + done.stderr).strip(), done.stdout + done.stderr)
        web, config = tcp_port(), os.path.join(folder, "prometheus.yml")
        with open(config, "w", encoding="utf-8") as file:
            json.dump({"global": {"scrape_interval": "1s"}, "scrape_configs": [
                {"job_name": "ours", "static_configs": [{"targets": [f"127.0.0.1:{bond.of_sender}", f"127.0.0.1:{bond.of_receiver}"]}]},
                {"job_name": "theirs", "metrics_path": "/metrics/srtla_send", "static_configs": [{"targets": [f"127.0.0.1:{bond.of_sender}"]}]}]}, file)
        prometheus = subprocess.Popen(["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}/data",
                                       f"--web.listen-address=127.0.0.1:{web}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            def values(query):
                try:
                    return [r["value"][1] for r in json.loads(get(web, "/api/v1/query?query=" + query)[0])["data"]["result"]]
                except OSError:
                    return []
            check("it scrapes all three pages", until(lambda: values("up") == ["1"] * 3, 60), values("up"))
            for query, wanted in (("hawser_uplink_up", ["1", "1"]), ("hawser_receiver_groups", ["1"]), ("srtla_send_total_links", ["2"])):
                check(f"and knows {query}", until(lambda q=query, w=wanted: values(q) == w), values(query))
            check("a quantile of the turns", until(lambda: len(values("histogram_quantile(0.99,hawser_pump_turn_seconds_bucket)")) == 2))
        finally:
            prometheus.kill()
            prometheus.wait()


if sys.argv[2:] == ["prometheus"]:
    by_prometheus()
else:
    by_hand()
    idle()
finish()
