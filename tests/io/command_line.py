#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the operator reads when something is wrong, and what supervisors of the peers watch: every bad flag, file, host
and port is named with what was expected, and the exit codes are kept. Needs no root. Arguments: HAWSER."""
import ctypes
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

from program import HAWSER, Running, check, finish, free_port, refuses, run, wait_code


def refuse_io_uring(errno_value):
    """A seccomp filter as containers have it: io_uring_setup (425) fails with errno_value."""
    def install():
        libc = ctypes.CDLL(None, use_errno=True)
        instructions = [(0x20, 0, 0, 0),                      # load the system call's number
                        (0x15, 0, 1, 425),                    # io_uring_setup?
                        (0x06, 0, 0, 0x00050000 | errno_value),  # SECCOMP_RET_ERRNO
                        (0x06, 0, 0, 0x7FFF0000)]             # SECCOMP_RET_ALLOW
        code = b"".join(struct.pack("HBBI", *i) for i in instructions)
        program = ctypes.create_string_buffer(code)
        fprog = struct.pack("HxxxxxxP", len(instructions), ctypes.addressof(program))
        assert libc.prctl(38, 1, 0, 0, 0) == 0                # PR_SET_NO_NEW_PRIVS
        assert libc.prctl(22, 2, ctypes.c_char_p(fprog), 0, 0) == 0  # PR_SET_SECCOMP, filter
    return install


def bad_words(folder):
    ips = os.path.join(folder, "ips")
    with open(ips, "w") as f:
        f.write("127.0.0.2\n127.0.0.3\n")
    empty, nonsense = os.path.join(folder, "empty"), os.path.join(folder, "nonsense")
    open(empty, "w").close()
    with open(nonsense, "w") as f:
        f.write("# none\n10.zero\n")
    port = free_port()

    refuses("no command", 2, "usage: hawser COMMAND")
    refuses("an unknown command", 2, "no command 'sned'", "sned")
    check("--version", run("--version") == (0, "hawser " + run("--version")[1].split()[1] + "\n"))
    check("--help", run("--help")[0] == 0 and "send" in run("--help")[1])
    for command in ("send", "recv"):
        code, said = run(command, "--help")
        check(f"{command} --help", code == 0 and "--io" in said and "SIGUSR1" in said, said)
    refuses("a port that is none", 2, r"SRT_LISTEN_PORT.*'70000' is no port number \(1 to 65535\)", "send", "70000", "localhost", "5000", ips)
    refuses("a word for a port", 2, r"SRTLA_PORT.*'http' is no port number", "send", port, "localhost", "http", ips)
    refuses("too few words", 2, "SRTLA_HOST is required", "send", port)
    refuses("a flag with a bad value", 2, r"--io.*fast.*(auto|uring|epoll)", "send", port, "localhost", "5000", ips, "--io", "fast")
    refuses("a number out of range", 2, r"--coalesce", "send", port, "localhost", "5000", ips, "--coalesce", "-3")
    refuses("a processor that is not there", 2, r"--cpu", "send", port, "localhost", "5000", ips, "--cpu", "999999")
    refuses("a processor that this machine lacks", 2, r"--cpu.*'1023' is no processor", "send", port, "localhost", "5000", ips, "--cpu", "1023")
    refuses("a bad log level", 2, r"--log-level.*'loud' is no log level", "send", port, "localhost", "5000", ips, "--log-level", "loud")
    refuses("a bad listen address", 2, r"--listen.*'nowhere' is no IPv4 or IPv6 address", "send", port, "localhost", "5000", ips, "--listen", "nowhere")
    refuses("a bad selector", 2, r"--select", "send", port, "localhost", "5000", ips, "--select", "best")
    bitrate = os.path.join(folder, "bitrate")
    send = ["send", port, "localhost", "5000", ips]
    refuses("a bitrate signal without a file", 2, r"bitrate_signal, .* need a bitrate_file", *send, "--bitrate-signal", "2")
    refuses("a greatest bitrate without a file", 2, r"need a bitrate_file", *send, "--bitrate-max", "800000")
    refuses("a group for no socket", 2, r"control: group is for a socket", *send, "--control-group", "root")
    refuses("a bitrate signal to everybody", 2, r"--bitrate-signal.*'-1' is no process id", *send, "--bitrate-file", bitrate, "--bitrate-signal=-1")
    refuses("a bitrate out of range", 2, r"--bitrate-min", *send, "--bitrate-file", bitrate, "--bitrate-min", "5")
    refuses("bitrates that are crossed", 1, "--bitrate-min 900000 is above --bitrate-max 800000", *send, "--bitrate-file", bitrate,
            "--bitrate-min", "900000", "--bitrate-max", "800000")
    refuses("a bitrate file that cannot be", 1, "--bitrate-file: cannot write /no/such/file: open: No such file", *send, "--bitrate-file", "/no/such/file")
    refuses("a process that is not there", 1, "--bitrate-signal: process 4194304, which is to get SIGHUP, is not there", *send,
            "--bitrate-file", bitrate, "--bitrate-signal", "4194304")
    for rule, complaint in (("wwan0,priority=9", "priority '9': a whole number from 1 to 4"),
                            ("wwan0,cap=8 apples", "wwan0: cap: '8 apples' is no rate"),
                            ("wwan0,budget=50", "budget 50 B: from 1 MB"), ("wwan0,weight=3", "'weight' is no setting"),
                            ("a b", "'a b' names no uplink")):
        refuses(f"the rule {rule}", 2, f"--link.*{complaint}", *send, "--link", rule)
    refuses("budgets that cannot be kept", 1, "budgets cannot be kept in /proc/none", *send, "--link", "*,budget=1GB",
            "--state-dir", "/proc/none")
    refuses("an unknown flag", 2, r"--fast", "send", port, "localhost", "5000", ips, "--fast")
    refuses("a bad uplink", 1, r"--uplink: '300\.1\.1\.1' is no IPv4 or IPv6 address", "send", port, "localhost", "5000", "-u", "300.1.1.1")
    refuses("a metered address that is none", 1, r"--metered: '300\.1\.1\.1' is no IPv4 or IPv6 address", *send, "--metered", "300.1.1.1")
    refuses("more uplinks than there are places", 1, "--uplink: more than 32", "send", port, "localhost", "5000",
            *(word for i in range(33) for word in ("--uplink", f"127.0.1.{i}")))
    refuses("no uplinks", 1, "no uplinks given", "send", port, "localhost", "5000")
    refuses("a missing uplink file", 1, "cannot read the uplink file /no/such: No such file", "send", port, "localhost", "5000", "/no/such")
    refuses("an empty uplink file", 1, "Failed to parse any IP addresses in", "send", port, "localhost", "5000", empty)
    refuses("an uplink file of nonsense", 1, r"line 2: '10\.zero' is no IPv4 or IPv6 address", "send", port, "localhost", "5000", nonsense)
    refuses("a host that is none", 1, r"Failed to resolve .*invalid", "send", port, "no-such-host.invalid", "5000", ips) \
        if resolver_answers() else None
    refuses("a bad network", 2, r"--allow.*'10\.0\.0\.0/40'", "recv", port, "localhost", "5000", "--allow", "10.0.0.0/40")
    refuses("a bad folder", 2, r"--client-files", "recv", port, "localhost", "5000", "--client-files=/no/such/folder")
    with Running("recv", "--client-files", free_port(), "127.0.0.1", free_port()) as rec:
        check("--client-files takes no word after it", rec.wait_for("waiting for SRTLA senders"), rec.said)
    refuses("too many groups", 2, r"--groups", "recv", port, "localhost", "5000", "--groups", "100000")

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        busy = str(taken.getsockname()[1])
        refuses("a port in use, sender", 1, f"cannot listen on 127.0.0.1:{busy}: Address already in use", "send", busy, "127.0.0.1", "5000", ips)
        refuses("a port in use, receiver", 1, f"cannot listen on 127.0.0.1:{busy}: Address already in use",
                "recv", busy, "127.0.0.1", "5000", "--listen", "127.0.0.1")


def resolver_answers():
    """Without a resolver a name that does not exist looks like one that cannot be asked for now."""
    try:
        socket.getaddrinfo("no-such-host.invalid", 1)
    except socket.gaierror as e:
        return e.errno == socket.EAI_NONAME
    return False


def interrupted_lookup(folder):
    """A name server that never answers, in namespaces of our own; nothing is checked where there may be none."""
    resolv = os.path.join(folder, "resolv.conf")
    with open(resolv, "w") as f:
        f.write("nameserver 127.0.0.1\noptions timeout:30 attempts:5\n")
    shell = 'ip link set lo up && mount --bind "$0" /etc/resolv.conf && exec "$@"'
    mute = ("import os,socket,sys; s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.bind(('127.0.0.1',53)); "
            "s.set_inheritable(True); os.execv(sys.argv[1],sys.argv[1:])")
    inside = ["unshare", "-rnm", "sh", "-c", shell, resolv]
    try:
        if subprocess.run([*inside, "true"], capture_output=True).returncode != 0:
            return print("no namespaces: a lookup that hangs was not tried")
    except FileNotFoundError:
        return print("no unshare: a lookup that hangs was not tried")
    for words in (("send", "9000", "relay.example.org", "5000", "-u", "127.0.0.2"), ("recv", "5000", "srt.example.org", "4001")):
        child = subprocess.Popen([*inside, sys.executable, "-c", mute, HAWSER, *words], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            deadline = time.monotonic() + 10
            while not looks_up(child.pid) and time.monotonic() < deadline:
                time.sleep(0.02)
            check(f"{words[0]}: the name is looked up", looks_up(child.pid))
            child.send_signal(signal.SIGINT)
            check(f"{words[0]}: ends at once while it is", child.wait(5) == 0)
        except subprocess.TimeoutExpired:
            check(f"{words[0]}: ends at once while a lookup hangs", False)
        finally:
            child.kill()
            child.wait()


def looks_up(pid):
    """Whether the program has its thread for names: it blocks signals before that one starts."""
    try:
        return any(open(f"/proc/{pid}/task/{t}/comm").read() == "hawser-names\n" for t in os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return False


def peers_names(folder):
    ips = os.path.join(folder, "ips")
    refuses("srtla_send -v", 0, r"^\d+\.\d+\.\d+", "-v", name="/usr/bin/srtla_send")
    refuses("srtla_rec -v", 0, r"^\d+\.\d+\.\d+", "-v", name="srtla_rec")
    refuses("srtla_send without words", 1, "SRT_LISTEN_PORT", name="srtla_send")
    refuses("srtla_rec without words", 1, "SRTLA_LISTEN_PORT SRT_HOST SRT_PORT", name="srtla_rec")
    refuses("srtla_send without its file", 1, "/no/ips", free_port(), "127.0.0.1", "5000", "/no/ips", name="srtla_send")
    began = time.monotonic()
    code, said = run(free_port(), "127.0.0.1", free_port(), ips, name="srtla_send")
    took = time.monotonic() - began
    check("srtla_send gives up after ten seconds without a receiver",
          code == 1 and "Failed to establish any initial connections" in said and 9 < took < 15, f"{code} {took} s\n{said}")


def live(folder):
    ips = os.path.join(folder, "ips")
    srt, srtla, server = free_port(), free_port(), free_port()
    with Running("--srtla_port", srtla, "--srt_hostname", "127.0.0.1", "--srt_port", server, "--verbose", name="srtla_rec") as rec:
        check("srtla_rec says that it runs", rec.wait_for("srtla_rec is now running"), rec.said)
        with Running(srt, "127.0.0.1", srtla, ips, name="srtla_send") as send:
            check("both uplinks connect", send.wait_for(r"(?s)connection established.*connection established"), send.said)
            with open(ips, "w") as f:
                f.write("127.0.0.3\n127.0.0.4\n")
            send.child.send_signal(signal.SIGHUP)
            check("SIGHUP adds and removes", send.wait_for("Removed connection via 127.0.0.2") and
                  send.wait_for("Added connection via 127.0.0.4"), send.said)
            os.truncate(ips, 0)
            send.child.send_signal(signal.SIGHUP)
            check("an empty file is refused", send.wait_for("reload refused"), send.said)
            send.child.send_signal(signal.SIGUSR1)
            figures = send.wait_for(r"^\{.*\}$")
            check("SIGUSR1 prints JSON", figures and len(json.loads(figures.group(0))["links"]) == 2, send.said)
            rec.child.send_signal(signal.SIGUSR1)
            figures = rec.wait_for(r"^\{.*\}$")
            check("the receiver's too", figures and len(json.loads(figures.group(0))["groups"]) == 1, rec.said)
            check("the receiver ends at SIGTERM", rec.end(signal.SIGTERM) == 0)
            check("losing every uplink is said each second", send.wait_for(r"(?s)no available connections.*no available connections", 15), send.said)
            check("and after ten seconds ends it", wait_code(send, 15) == 1, send.said)


def families_and_clients(folder):
    srtla, server = free_port(), free_port()
    with Running("recv", srtla, "127.0.0.1", server, f"--client-files={folder}") as rec:
        check("the receiver listens", rec.wait_for("waiting for SRTLA senders"), rec.said)
        with Running("send", free_port(), "127.0.0.1", srtla, "-u", "::1", "-u", "127.0.0.2") as send:
            check("an uplink of a family without an address is named",
                  send.wait_for("uplink ::1: 127.0.0.1 has no IPv6 address"), send.said)
            check("the other one connects", send.wait_for("uplink 127.0.0.2: connection established"), send.said)
            check("the group has its socket", rec.wait_for("speaks to the SRT server from port"), rec.said)
            port = rec.wait_for(r"from port (\d+)").group(1)
            clients = os.path.join(folder, f"srtla-group-{port}")
            deadline = time.monotonic() + 5  # it is written after the line is said
            while not os.path.exists(clients) and time.monotonic() < deadline:
                time.sleep(0.02)
            check("the clients' addresses are in a file", os.path.exists(clients) and open(clients).read() == "127.0.0.2\n")
        check("the receiver ends", rec.end(signal.SIGTERM) == 0)
        check("and takes its files along", not [name for name in os.listdir(folder) if "srtla-group" in name])


def denied():
    """What a refusal by EPERM is put down to on this machine; tests/unit/app/io_choice_test.cc has all cases."""
    try:
        with open("/proc/sys/kernel/io_uring_disabled") as f:
            value = int(f.read())
    except OSError:
        value = 0
    profile, sysctl = "permission denied, as the seccomp profiles of containers do", f"the sysctl kernel.io_uring_disabled is {value}"
    return {0: profile, 1: f"({profile}|{sysctl})"}.get(value, sysctl)  # 1: it depends on the group


def without_io_uring():
    for number, why in ((1, denied()), (38, "this kernel has none")):
        with Running("recv", free_port(), "127.0.0.1", free_port(), preexec=refuse_io_uring(number)) as rec:
            check(f"io_uring refused with {number}: epoll takes over and says why",
                  rec.wait_for(rf"epoll: io_uring is refused \({why}") and rec.wait_for("waiting for SRTLA senders"), rec.said)
            check("and it ends cleanly", rec.end(signal.SIGINT) == 0)
        code, said = run("recv", free_port(), "127.0.0.1", free_port(), "--io", "uring", preexec=refuse_io_uring(number))
        check("asked for by name, it is an error", code == 1 and "io_uring is refused" in said, said)


with tempfile.TemporaryDirectory() as work:
    bad_words(work)
    interrupted_lookup(work)
    peers_names(work)
    live(work)
    families_and_clients(work)
    without_io_uring()
finish()
