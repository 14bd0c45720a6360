#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Limits of the process and files that cannot be read: whatever is refused is named with its reason, nothing crashes,
what already runs goes on, and what waited comes when the limit is lifted. Needs no root. Arguments: HAWSER."""
import json
import os
import re
import resource
import shutil
import signal
import socket
import sys
import tempfile
import time

from program import HAWSER, Running, check, finish, free_port, run

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from srt_packets import induction

CONNECTED = "connection established"
STARTED = r"(?s)waiting for.*(Trying to connect|SRT server \S+ is at)|(Trying to connect|SRT server \S+ is at).*waiting for"
LINKS, LINKS_THAT_FIT = 6, 2
ADDRESS_STEP_MB = 8  # half of what the pool of packets takes by default
# Beyond what an unlimited run has taken at its peak: which thread asks first differs from run to run.
ADDRESS_HEADROOM_MB = 64
# From none but the three that every program has to enough for a sender with one uplink.
DESCRIPTORS = range(4, 24)


def limited(which, most):
    return lambda: resource.setrlimit(which, (most, most))


def figures(running):
    """What SIGUSR1 prints, as it is now."""
    seen = len(running.read())
    running.child.send_signal(signal.SIGUSR1)
    line = running.wait_for(r"^\{.*\}$", after=seen)
    return json.loads(line.group(0)) if line else None


def write_uplinks(path, count):
    with open(path, "w") as f:
        f.writelines(f"127.0.2.{i}\n" for i in range(1, count + 1))


def descriptors_in_use(pid):
    return max(int(name) for name in os.listdir(f"/proc/{pid}/fd")) + 1


def allow_descriptors(pid, count):
    """Of a running program: only the soft limit, so that it can be raised again."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (count, hard))


def reaches(server, port, source):
    """Whether an SRT caller at the sender's port `port` is heard by the server behind the receiver."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller:
        caller.bind(("127.0.0.1", 0))
        for _ in range(50):
            caller.sendto(induction(0x1234), ("127.0.0.1", int(port)))
            try:
                _, source[:] = server.recvfrom(2048)
                return True
            except TimeoutError:
                pass
    return False


def links_without_descriptors(folder):
    uplinks = os.path.join(folder, "uplinks")
    write_uplinks(uplinks, 1)
    srtla = free_port()
    with Running("recv", srtla, "127.0.0.1", free_port()) as recv, Running("send", free_port(), "127.0.0.1", srtla, uplinks) as send:
        check("one uplink connects", send.wait_for(CONNECTED), send.said + recv.said)
        # Reading the file takes one descriptor for a moment.
        allow_descriptors(send.child.pid, descriptors_in_use(send.child.pid) + LINKS_THAT_FIT)
        write_uplinks(uplinks, 1 + LINKS)
        send.child.send_signal(signal.SIGHUP)
        check("an uplink without a descriptor is named with the reason",
              send.wait_for(r"uplink 127\.0\.2\.\d: no socket \(Too many open files\)"), send.said)
        check("those that fit connect", send.wait_for(rf"(?s)({CONNECTED}.*){{{1 + LINKS_THAT_FIT}}}"), send.said)
        now = figures(send)
        check("and only they", now and send.said.count(CONNECTED) == 1 + LINKS_THAT_FIT, send.said)
        allow_descriptors(send.child.pid, 256)
        check("with descriptors all uplinks connect", send.wait_for(rf"(?s)({CONNECTED}.*){{{1 + LINKS}}}"), send.said)
        check("the sender ends cleanly", send.end(signal.SIGTERM) == 0)


def groups_without_descriptors():
    srtla, one_port, other_port = free_port(), free_port(), free_port()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.1)
        source = []
        with Running("recv", srtla, "127.0.0.1", str(server.getsockname()[1])) as recv, \
                Running("send", one_port, "127.0.0.1", srtla, "-u", "127.0.0.2") as one:
            check("the first group has its socket", recv.wait_for("speaks to the SRT server"), recv.said)
            check("and is connected", one.wait_for(CONNECTED), one.said)
            allow_descriptors(recv.child.pid, descriptors_in_use(recv.child.pid))
            with Running("send", other_port, "127.0.0.1", srtla, "-u", "127.0.0.3") as other:
                check("the second registers", other.wait_for(CONNECTED), other.said)
                check("that its socket is refused is said, with the reason",
                      recv.wait_for(r"no socket towards the SRT server \(Too many open files\)"), recv.said)
                check("the first group goes on", reaches(server, one_port, source), recv.said)
                allow_descriptors(recv.child.pid, 256)
                check("with descriptors the second does too", reaches(server, other_port, source), recv.said)
            check("the receiver ends cleanly", recv.end(signal.SIGTERM) == 0)
    with Running("recv", free_port(), "127.0.0.1", free_port(), preexec=limited(resource.RLIMIT_NOFILE, 64)) as recv:
        check("a limit that holds fewer groups than wanted is said",
              recv.wait_for("the limit of 64 open files holds fewer than 200 groups"), recv.said)


def start_or_reason(title, which, most, pattern, *arguments):
    """Started under a limit: it runs, or it ends with code 1 and a line that names what it lacked. Answers whether it
    ran. A limit that leaves room for some of its threads ends it when the last of them asks, which may be after its
    first lines; that is an end with a reason too."""
    with Running(*arguments, preexec=limited(which, most)) as running:
        ended = wait_started(running)
        if ended is None:
            ended = running.end(signal.SIGTERM)
            if ended == 0:
                check(f"{title}: runs and ends at SIGTERM", True)
                return True
        check(f"{title}: an error with its reason", ended == 1 and re.search(pattern, running.read()),
              f"exit {ended}, wanted 1 and /{pattern}/ in:\n{running.said}")
    return False


def wait_started(running):
    """The exit code, or None once it waits for senders or callers and has looked its other end up."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if running.wait_for(STARTED, seconds=0.05):
            return None
        if running.child.poll() is not None:
            return running.child.returncode
    return "neither ended nor started"


def commands():
    yield "recv", ("recv", free_port(), "127.0.0.1", free_port())
    yield "send", ("send", free_port(), "127.0.0.1", free_port(), "-u", "127.0.0.2")


def starts_without_descriptors():
    for most in DESCRIPTORS:
        for name, words in commands():
            start_or_reason(f"{name} with {most} descriptors", resource.RLIMIT_NOFILE, most, "Too many open files", *words)


def peak_megabytes(words):
    """Of addresses, in a run without a limit."""
    with Running(*words) as running:
        check(f"{words[0]} starts without a limit", wait_started(running) is None, running.said)
        with open(f"/proc/{running.child.pid}/status") as status:
            return int(re.search(r"VmPeak:\s*(\d+) kB", status.read()).group(1)) // 1024 + 1


def starts_without_memory():
    # Sanitizers reserve terabytes of addresses; and below some point no shared library can be loaded.
    def loads(megabytes):
        return run("--version", preexec=limited(resource.RLIMIT_AS, megabytes << 20))[0] == 0
    if not loads(1024):
        return print("this build needs more addresses than a limit leaves: no memory limit was tried")
    least = next(filter(loads, range(ADDRESS_STEP_MB, 1024, ADDRESS_STEP_MB)))
    for name, words in commands():
        enough = peak_megabytes(words) + ADDRESS_HEADROOM_MB
        ran = {most: start_or_reason(f"{name} with {most} MB of addresses", resource.RLIMIT_AS, most << 20, "(?i)memory", *words)
               for most in (*range(least, enough, 2 * ADDRESS_STEP_MB), enough)}
        # The program loads with this and not with a step less; the pool takes two steps.
        check(f"{name}: {least} MB cannot hold its packets", not ran[least], ran)
        check(f"{name}: {enough} MB are enough", ran[enough], ran)
    start_or_reason("a buffer larger than the limit", resource.RLIMIT_AS, 128 << 20, "no memory for packets", "recv",
                    free_port(), "127.0.0.1", free_port(), "--buffer", "128")
    return None


def starts_without_locked_memory(folder):
    """As an ordinary user: root's locked memory is not limited. Rings need some on older kernels."""
    copy = os.path.join(folder, "hawser")
    shutil.copy(HAWSER, copy)
    os.chmod(folder, 0o755)

    def ordinary():
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))
        if os.geteuid() == 0:
            os.setgid(65534)
            os.setuid(65534)
    for name, words in commands():
        with Running(*words, preexec=ordinary, executable=copy) as running:
            check(f"{name} without locked memory: runs, and says how",
                  running.wait_for(r"(?s)(io_uring: this system permits it|epoll: io_uring is refused \(no memory).*waiting for"),
                  running.said)


def files_that_cannot_be_read(folder):
    """SIGHUP: the links stay, and file and reason are named."""
    path = os.path.join(folder, "reload")
    write_uplinks(path, 2)
    srtla = free_port()

    def empty():
        open(path, "w").close()

    def nonsense():
        with open(path, "w") as f:
            f.write("10.zero\n")

    def missing():
        os.unlink(path)

    def folder_instead():
        os.mkdir(path)

    with Running("recv", srtla, "127.0.0.1", free_port()), Running("send", free_port(), "127.0.0.1", srtla, path) as send:
        check("both uplinks connect", send.wait_for(rf"(?s)({CONNECTED}.*){{2}}"), send.said)
        for spoil, reason in ((empty, "Failed to parse any IP addresses"), (nonsense, "'10.zero' is no IPv4 or IPv6 address"),
                              (missing, "No such file or directory"), (folder_instead, "Is a directory")):
            spoil()
            send.said = ""
            send.child.send_signal(signal.SIGHUP)
            line = send.wait_for(r"reload refused, everything stays as it is: .*")
            check(f"{spoil.__name__}: file and reason are named",
                  line and path in line.group(0) and reason in line.group(0), send.said)
            now = figures(send)
            check(f"{spoil.__name__}: the links stay", now and len(now["links"]) == 2 and
                  all(link["state"] == "connected" for link in now["links"]), now)
        os.rmdir(path)
        write_uplinks(path, 3)
        if os.geteuid() != 0:
            os.chmod(path, 0)
            send.child.send_signal(signal.SIGHUP)
            check("unreadable: file and reason are named", send.wait_for(f"{path}: Permission denied"), send.said)
            os.chmod(path, 0o600)
        send.child.send_signal(signal.SIGHUP)
        check("a good file is taken again", send.wait_for(r"127\.0\.2\.3: connection established"), send.said)


with tempfile.TemporaryDirectory() as work:
    links_without_descriptors(work)
    groups_without_descriptors()
    starts_without_descriptors()
    starts_without_memory()
    starts_without_locked_memory(work)
    files_that_cannot_be_read(work)
finish()
