#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the machine may do to a program that runs: a wall clock that jumps by years, a disk that is full, a name server
that says nothing, a name that is known later, a pipe for the log that nobody drains. Each is told, and everything else goes
on. The disk, the name server and the names are of namespaces of this script's own and need root. Arguments: HAWSER WRONG_CLOCK (empty: none can be preloaded)."""
import fcntl
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

from program import Running, check, finish, free_port, in_namespaces, run

YEAR = 365 * 86_400


def until(condition, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return False


def sender(folder, *more):
    """Nobody listens: registrations are all that it sends, some hundred bytes a second."""
    return ["send", free_port(), "127.0.0.1", free_port(), "-u", "127.0.0.2", "--link", "127.0.0.2,budget=1GB",
            "--state-dir", folder, "--control", folder + "/control", *more]


def month(folder):
    code, said = run("budgets", "--json", "-s", folder + "/control")
    rows = json.loads(said)["budgets"] if code == 0 else []
    return (rows[0]["month"], rows[0]["used_bytes"]) if rows else (None, 0)


def by_clock(wrong_clock):
    with tempfile.TemporaryDirectory() as folder:
        offset = folder + "/offset"

        def turn(seconds):
            with open(offset + ".new", "w", encoding="utf-8") as file:
                file.write(str(seconds))
            os.rename(offset + ".new", offset)
        turn(0)
        os.environ.update({"LD_PRELOAD": wrong_clock, "CLOCK_OFFSET_FILE": offset})
        with Running(*sender(folder, "--stats", "0.5")) as send:
            os.environ.pop("LD_PRELOAD")
            check("bytes are counted", until(lambda: month(folder)[1] > 0, 15), send.read())
            begun, used = month(folder)

            def tables():
                return len(re.findall("^uplink ", send.read(), re.M))
            turn(12 * YEAR)
            check("years ahead another month begins", until(lambda: (month(folder)[0] or "") > begun, 5), send.read())
            before = tables()
            check("timers go on", until(lambda: tables() >= before + 3, 5), send.read())
            turn(0)
            check("back again it is the month that was", until(lambda: month(folder)[0] == begun, 5), send.read())
            check("which is told", send.wait_for(r"uplink 127\.0\.0\.2: the clock went back, so its month is the one since " + begun), send.said)
            check("with all that was used", month(folder)[1] >= used)
            turn(-30 * YEAR)
            used = month(folder)[1]
            check("a clock that cannot be right changes no month", until(lambda: month(folder)[1] > used, 15) and month(folder)[0] == begun, send.read())
            before = tables()
            check("timers go on then too", until(lambda: tables() >= before + 3, 5), send.read())
            check("and it ends at once", send.end(signal.SIGTERM) == 0, send.read())
        with open(folder + "/budgets.json", encoding="utf-8") as file:
            kept = json.load(file)["links"]["127.0.0.2"]
        check("what is kept is the month that was", kept["from"] == begun and kept["used_bytes"] >= used, kept)


def by_reader():
    """10,000 lines are logged into a pipe that is read by nobody, and then by somebody."""
    with tempfile.TemporaryDirectory() as folder:
        with Running(*sender(folder, "--stats", "0.1")) as send:
            check("it begins", send.wait_for("waiting for an SRT caller"), send.said)
            said = len(send.said)
            client = socket.socket(socket.AF_UNIX)
            client.connect(folder + "/control")
            client.settimeout(5)
            order = {"jsonrpc": "2.0", "method": "set_quality", "params": {"enabled": True}}
            ask = {"jsonrpc": "2.0", "id": 1, "method": "version"}
            answers = 0
            try:
                for _ in range(200):
                    client.sendall((json.dumps([order] * 50) + "\n" + json.dumps(ask) + "\n").encode())
                    answers += b"version" in client.recv(4096)
            except TimeoutError:
                pass
            check("whom nobody listens to takes orders all the same", answers == 200, answers)
            client.close()
            check("who reads then is told what is missing",
                  until(lambda: run("ctl", "set_quality", '{"enabled": true}', "-s", folder + "/control")[0] == 0 and
                        "lines are missing here: nobody read them" in send.read()[said:], 10), send.said[-500:])
            check("and it ends at once", send.end(signal.SIGTERM) == 0)
        with Running(*sender(folder, "--stats", "0.1")) as send:
            fcntl.fcntl(send.child.stdout.fileno(), fcntl.F_SETPIPE_SZ, 4096)
            check("it begins again", send.wait_for("waiting for an SRT caller"), send.said)
            time.sleep(3)  # its tables fill the pipe and more
            check("it ends at once while nobody reads its tables", send.end(signal.SIGTERM, 4) == 0)


def fill(path):
    """Until not a byte more fits."""
    with open(path, "wb", buffering=0) as file:
        try:
            while file.write(b"x" * 512):
                pass
        except OSError:
            pass


def by_disk():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], check=True)
        fill(folder + "/filler")
        with Running(*sender(folder)) as send:
            check("a full disk is told", send.wait_for("budgets cannot be saved: .*No space left", 25), send.said)
            used = month(folder)[1]
            check("counting goes on", until(lambda: month(folder)[1] > used, 15))
            time.sleep(12)
            check("it is told once", len(re.findall("cannot be saved", send.read())) == 1, send.said)
            os.unlink(folder + "/filler")
            check("and so is the end of it", send.wait_for("budgets is saved again", 25), send.said)
            check("which is true", json.load(open(folder + "/budgets.json", encoding="utf-8"))["links"]["127.0.0.2"]["used_bytes"] > used)
            check("it ends well", send.end(signal.SIGTERM) == 0, send.read())
        subprocess.run(["umount", folder], check=True)


def by_name_server():
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + "/resolv.conf", "w", encoding="utf-8") as file:
            file.write("nameserver 127.0.0.1\noptions timeout:2 attempts:1\n")
        subprocess.run(["mount", "--bind", folder + "/resolv.conf", os.path.realpath("/etc/resolv.conf")], check=True)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", 53))
            for role, words in (("recv", [free_port(), "server.example", "4001"]),
                                ("send", [free_port(), "relay.example", "5000", "-u", "127.0.0.2"])):
                with Running(role, *words) as one:
                    silent.settimeout(5)
                    while words[1].split(".")[0].encode() not in silent.recv(512):
                        pass  # the one before asked again
                    for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGHUP):
                        one.child.send_signal(number)
                        time.sleep(0.1)
                    check(f"{role} outlives signals before its first answer", one.child.poll() is None, one.read())
                    check(f"{role} says that nobody answered", one.wait_for("Failed to resolve", 15), one.said)
                    check(f"{role} ends well", one.end(signal.SIGTERM) == 0, one.read())


def handshake():
    """An SRT caller's first word (draft-sharabayko-srt-01, section 3.2.1): induction."""
    header = struct.pack(">IIII", 0x80000000, 0, 0, 0)
    return header + struct.pack(">IIIIIIII16x", 4, 2, 1234, 1500, 8192, 1, 99, 0)


def by_late_name():
    """A receiver that was up before the network: its server's name is found as soon as a sender wants it, not by the minute."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller:
        hosts = folder + "/hosts"
        with open(hosts, "w", encoding="utf-8") as file:
            file.write("127.0.0.1 localhost\n")
        subprocess.run(["mount", "--bind", hosts, os.path.realpath("/etc/hosts")], check=True)
        srtla, srt = free_port(), free_port()
        with Running("recv", srtla, "late.example", "4001") as recv, Running("send", srt, "127.0.0.1", srtla, "-u", "127.0.0.2") as send:
            check("a name that is not known yet is told", recv.wait_for("Failed to resolve late.example", 20), recv.said)
            check("and senders are welcome", send.wait_for("connection established"), send.said)
            with open(hosts, "a", encoding="utf-8") as file:
                file.write("127.0.0.1 late.example\n")

            def is_found():
                caller.sendto(handshake(), ("127.0.0.1", int(srt)))
                return "SRT server late.example is at 127.0.0.1:4001" in recv.read()
            check("the first caller has it found", until(is_found, 20), recv.read())
            check("both end well", send.end(signal.SIGTERM) == 0 and recv.end(signal.SIGTERM) == 0, recv.read())


if sys.argv[2] == "in namespaces":
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    by_disk()
    by_name_server()
    by_late_name()
    finish()
by_reader()
if sys.argv[2]:
    by_clock(sys.argv[2])
in_namespaces("a full disk, a silent name server and a name that is known later", ["-m", "-n"], "in namespaces")
finish()
