#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The event log of both ends on loopback: events at once, samples by the second, all of it there when the program has
ended; a file moved away and made anew on SIGHUP; a disk that is full for a while; what cannot be a log, refused.
Needs no root. Arguments: HAWSER."""
import json
import os
import re
import resource
import signal
import tempfile
import time

from program import Running, check, finish, free_port, refuses


def entries(path):
    if not os.path.exists(path):
        return []
    return [json.loads(line) for line in open(path, encoding="utf-8")]


def wait_for(path, condition, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if any(condition(entry) for entry in entries(path)):
            return True
        time.sleep(0.02)
    return False


def kinds(path):
    return [entry["kind"] for entry in entries(path)]


def small_files():
    """As on a disk that is full: only the soft limit, so that it can be lifted."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, resource.RLIM_INFINITY))


def both_ends(folder):
    log, recv_log = os.path.join(folder, "send.jsonl"), os.path.join(folder, "recv.jsonl")
    port, srt, server = free_port(), free_port(), free_port()
    with Running("recv", port, "127.0.0.1", server, "--event-log", recv_log, "--event-samples", "1") as recv, \
            Running("send", srt, "127.0.0.1", port, "-u", "127.0.0.2", "--event-log", log, "--event-samples", "60") as send:
        check("an event is there at once", wait_for(log, lambda e: e["kind"] == "uplink_connected"), send.read())
        connected = next(e for e in entries(log) if e["kind"] == "uplink_connected")
        check("with time, uplink, level and text",
              re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", connected["time"]) and connected["uplink"] == "127.0.0.2"
              and connected["level"] == "info" and "established" in connected["text"], str(connected))
        check("with its state and figures", connected["state"] == "connected" and connected["state_before"] == "joining"
              and all(isinstance(connected[key], int) for key in ("window", "in_flight", "nak_count", "lost", "link")), str(connected))
        refuses("two may not write one file", 1, "another program writes it", "send", free_port(), "127.0.0.1", "5000", "-u",
                "127.0.0.3", "--event-log", recv_log)
        check("the beginning is told first", kinds(log)[0] == "started", str(kinds(log)))
        check("the receiver's has its own", wait_for(recv_log, lambda e: e["kind"] == "receiver_link_added"), recv.read())
        check("and samples each second",
              wait_for(recv_log, lambda e: e["kind"] == "sample" and [g["links"] for g in e["groups"]] == [1]), str(kinds(recv_log)))
        check("a long pace keeps samples back", "sample" not in kinds(log), str(kinds(log)))
        check("0640 at most", os.stat(log).st_mode & 0o137 == 0, oct(os.stat(log).st_mode))

        os.rename(log, log + ".moved")
        send.child.send_signal(signal.SIGHUP)
        time.sleep(1.2)  # a sample more
        recv.child.send_signal(signal.SIGTERM)
        send.child.send_signal(signal.SIGTERM)
        check("both end", recv.child.wait(10) == 0 and send.child.wait(10) == 0, send.read() + recv.read())
    rest = kinds(log)
    check("after SIGHUP the file is there anew", rest and "started" not in rest, str(rest))
    check("at the end all samples are written", rest.count("sample") >= 2 and rest[-1] == "stopped", str(rest))
    sample = [e for e in entries(log) if e["kind"] == "sample"][-1]
    check("a sample has each uplink's figures", sample["uplinks"][0]["name"] == "127.0.0.2"
          and sample["uplinks"][0]["state"] == "connected" and "rtt_us" in sample["uplinks"][0], str(sample))
    check("the receiver's ends too", kinds(recv_log)[-1] == "stopped", str(kinds(recv_log)))


def full_disk(folder):
    log = os.path.join(folder, "full.jsonl")
    port, srt, server = free_port(), free_port(), free_port()
    with Running("recv", port, "127.0.0.1", server), \
            Running("send", srt, "127.0.0.1", port, "-u", "127.0.0.2", "--event-log", log, "--event-samples", "0",
                    preexec=small_files) as send:
        check("a full disk is told", send.wait_for("the event log cannot be written: (File too large|No space left)"), send.read())
        check("and the media goes on", send.wait_for("connection established"), send.read())
        check("nothing is half written", all("kind" in e for e in entries(log)))
        resource.prlimit(send.child.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        check("it is tried again, and told", send.wait_for("the event log is written again", 12), send.read())
        check("nothing is missing", wait_for(log, lambda e: e["kind"] == "uplink_connected"), str(kinds(log)))
        check("told once", send.read().count("cannot be written") == 1, send.read())


def refused(folder):
    words = ["send", free_port(), "127.0.0.1", "5000", "-u", "127.0.0.2", "--event-log"]
    refuses("a folder is no log", 1, "the event log .* cannot be written: .*Is a directory", *words, folder)
    refuses("nor is a device", 1, "the event log /dev/null cannot be written: it is no file", *words, "/dev/null")
    refuses("nor a place that is not there", 1, "cannot be written: .*Not a directory", *words, "/dev/null/x")
    refuses("samples have a bound", 2, "event-samples", *words, "x", "--event-samples", "3601")


with tempfile.TemporaryDirectory() as work:
    both_ends(work)
    full_disk(work)
    refused(work)
finish()
