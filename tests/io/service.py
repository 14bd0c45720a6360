#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a service manager sees: that the program is ready, alive, reloading and stopping, in the words of sd_notify(3);
lines with the journal's levels; and the unit files, verified and rated by systemd-analyze where it is installed.
Arguments: HAWSER, the folder of the unit files."""
import ctypes
import errno
import glob
import grp
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

from program import HAWSER, Running, check, finish, free_port, refuses, run, skip


class Manager:
    """The socket that NOTIFY_SOCKET names."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.said = []

    def wait_for(self, pattern, seconds=10, after=0):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for line in self.said[after:]:
                if re.search(pattern, line):
                    return line
            self.socket.settimeout(max(0.01, end - time.monotonic()))
            try:
                self.said.append(self.socket.recv(4096).decode())
            except TimeoutError:
                pass
        return None


def watched(kind, folder, *words):
    path = os.path.join(folder, f"notify-{kind}")
    manager = Manager(path)
    os.environ.update(NOTIFY_SOCKET=path, WATCHDOG_USEC="400000", RUNTIME_DIRECTORY=os.path.join(folder, "run"))
    os.environ.pop("WATCHDOG_PID", None)
    with Running(kind, *words) as running:
        for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "RUNTIME_DIRECTORY"):
            os.environ.pop(name)
        check(f"{kind} says that it is ready", manager.wait_for("^READY=1"), running.read())
        check(f"{kind} tells the watchdog", manager.wait_for("^WATCHDOG=1\nSTATUS=.*[0-9]"), str(manager.said))
        count = sum("WATCHDOG=1" in line for line in manager.said)
        begun = time.monotonic()
        for n in range(1, 6):
            manager.wait_for("WATCHDOG=1", after=len(manager.said))
        took = time.monotonic() - begun
        check(f"{kind} does so in its time", took < 4, f"five words after {count} took {took} s")
        mark = len(manager.said)
        running.child.send_signal(signal.SIGHUP)
        check(f"{kind} says that it reloads", manager.wait_for(r"^RELOADING=1\nMONOTONIC_USEC=\d+", after=mark), str(manager.said))
        check(f"{kind} says that it has", manager.wait_for("^READY=1", after=mark), str(manager.said))
        mark = len(manager.said)
        running.child.send_signal(signal.SIGTERM)
        check(f"{kind} says that it stops", manager.wait_for("^STOPPING=1", after=mark), str(manager.said))
        check(f"{kind} ends", running.child.wait(5) == 0, running.read())
        manager.wait_for("nothing of the kind", seconds=0.2)
        stopping = next(i for i, line in enumerate(manager.said) if "STOPPING=1" in line)
        check(f"{kind} says nothing behind that", len(manager.said) == stopping + 1, str(manager.said[mark:]))


def journal(folder):
    """Its own file as the journal's stream."""
    log = os.path.join(folder, "journal")
    with open(log, "wb") as stream:
        s = os.fstat(stream.fileno())
        child = subprocess.Popen([HAWSER, "send", free_port(), "no-such-host.invalid", "5000", "-u", "127.0.0.2"], stderr=stream,
                                 stdin=subprocess.DEVNULL, env={**os.environ, "JOURNAL_STREAM": f"{s.st_dev}:{s.st_ino}"})
        end = time.monotonic() + 15
        while time.monotonic() < end and "<3>" not in open(log).read() and "looking it up again" not in open(log).read():
            time.sleep(0.05)
        child.terminate()
        child.wait(5)
    text = open(log).read()
    check("lines for the journal begin with their level alone", text and all(re.match(r"<[3467]>\S", line) for line in text.splitlines()), text)


def units(folder, source):
    if shutil.which("systemd-analyze") is None:
        skip("the unit files", "systemd-analyze is not installed")
        return
    for kind in ("send", "recv"):
        text = open(os.path.join(source, f"hawser-{kind}.service")).read()
        check(f"the unit of {kind} is filled in", re.search(r"@\w+@", text) is None, text)
        unit = os.path.join(folder, f"hawser-{kind}.service")
        with open(unit, "w") as f:
            f.write(re.sub(r"(?m)^(Exec(?:Start|Reload)=)\S+", lambda m: m.group(1) + HAWSER, text))
        done = subprocess.run(["systemd-analyze", "verify", unit], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        said = "\n".join(line for line in done.stdout.splitlines() if f"hawser-{kind}" in line)
        check(f"systemd takes the unit of {kind}", done.returncode == 0 and not said, done.stdout)
        done = subprocess.run(["systemd-analyze", "security", "--no-pager", "--offline=yes", "--threshold=15", unit], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        rated = re.search(r"Overall exposure level for .*: ([0-9.]+)", done.stdout)
        check(f"the unit of {kind} exposes 1.5 or less", done.returncode == 0 and rated and float(rated.group(1)) <= 1.5, done.stdout[-400:])
        check(f"a file that is refused does not start {kind} again and again",
              re.search(r"(?m)^RestartPreventExitStatus=.*\b78\b", text) and "ExecStartPre" not in text, text)
        wait = re.search(r"(?m)^ExecStopPost=/bin/sh -c '(.*)'$", text)
        check(f"{kind} is back within 100 ms", re.search(r"(?m)^RestartSec=100ms$", text), text)
        for how, code, least, most in (("exited", "1", 0.9, 3), ("exited", "203", 0.9, 3), ("exited", "0", 0, 0.9), ("dumped", "SEGV", 0, 0.9), ("killed", "KILL", 0, 0.9)):
            begun = time.monotonic()
            done = subprocess.run(["/bin/sh", "-c", wait.group(1).replace("$$", "$")], env={"EXIT_CODE": how, "EXIT_STATUS": code, "PATH": os.environ["PATH"]}, check=False)
            took = time.monotonic() - begun
            check(f"but not ten times a second where it cannot start: {code}", done.returncode == 0 and least <= took < most, took)
        check(f"a reload of {kind} waits for its answer", f"ctl --socket /run/hawser/{kind}/control reload" in text, text)
        check(f"{kind} may give its socket to a group of its user's", "PrivateUsers=yes" not in text, text)
        places(kind, text)


def places(kind, unit):
    """What the sample proposes to be written lies where the unit may write."""
    words = dict(line.split("=", 1) for line in unit.splitlines() if re.match("[A-Z][A-Za-z]+=", line))
    folders = [f"/run/{words['RuntimeDirectory']}/", f"/var/lib/{words['StateDirectory']}/", f"/var/log/{words['LogsDirectory']}/"]
    sample = subprocess.run([HAWSER, "check", "--sample"], stdout=subprocess.PIPE, text=True, check=True).stdout
    role = {"send": "sender", "recv": "receiver"}[kind]
    part = re.search(rf"(?ms)^\[{role}\]$.*?(?=^\[(?!{role})|\Z)", sample).group(0)
    keys = ("bitrate_file", "state_dir", "runtime_dir", "socket", "cache", "folder", "to")
    paths = [(key, path) for key, path in re.findall(r'(?m)^#?(\w+) = "(/[^"]*)"', part) if key in keys]
    check(f"the sample of {kind} names places", len(paths) >= 4, part)
    for key, path in paths:
        check(f"{kind} may write {key} = {path}", any((path + "/").startswith(f) for f in folders), folders)


def refusals(folder):
    """Told once, with a code that the units take for the operator's to mend."""
    path = os.path.join(folder, "bad.toml")
    with open(path, "w") as f:
        f.write("[sender]\nlisten = 0\n[receiver]\nlisten = 0\n")
    for kind in ("send", "recv"):
        refuses(f"a bad file of {kind}", 78, "bad.toml:[24]: ", kind, "-c", path)


def syscall_filter(unit):
    """The system calls that the unit lets through, as systemd makes them of its lines, and the error of the others."""
    def named(word):
        if not word.startswith("@"):
            return {word}
        done = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager", word], stdout=subprocess.PIPE, text=True, check=True)
        words = [line.split()[0] for line in done.stdout.splitlines()[1:] if line.split() and not line.strip().startswith("#")]
        return set().union(*(named(w) for w in words))
    allowed = set()
    for line in re.findall(r"(?m)^SystemCallFilter=(.*)$", unit):
        calls = set().union(*(named(word) for word in line.lstrip("~").split()))
        allowed = allowed - calls if line.startswith("~") else allowed | calls
    return allowed


def filter_program(allowed):
    """As the kernel takes it, for this machine's own calls; None where their numbers are not known."""
    headers = glob.glob("/usr/include/*/asm/unistd_64.h") if os.uname().machine == "x86_64" else []
    if not headers:
        return None
    numbers = dict(re.findall(r"(?m)^#define __NR_(\w+) (\d+)$", open(headers[0]).read()))
    refused = [int(number) for name, number in numbers.items() if name not in allowed]
    load, equal, answer = 0x20, 0x15, 0x06  # BPF_LD|W|ABS, BPF_JMP|JEQ|K, BPF_RET|K
    code = [(load, 0, 0, 0)]
    for number in refused:
        code += [(equal, 0, 1, number), (answer, 0, 0, 0x00050000 | errno.EPERM)]
    code.append((answer, 0, 0, 0x7fff0000))
    return b"".join(struct.pack("HBBI", *one) for one in code)


def under(program):
    """This process may do what the filter lets through, from now on."""
    libc = ctypes.CDLL(None, use_errno=True)
    held = ctypes.create_string_buffer(program, len(program))
    sock_fprog = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(held))
    if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.prctl(22, 2, ctypes.c_char_p(sock_fprog), 0, 0) != 0:  # NO_NEW_PRIVS, SECCOMP
        raise OSError(ctypes.get_errno(), "prctl")


def sockets(folder, source):
    """A service has its control socket in its runtime folder, and may give it to a group that its user belongs to."""
    os.environ["RUNTIME_DIRECTORY"] = folder
    for kind, words in (("send", ("127.0.0.1", free_port(), "-u", "127.0.0.2")), ("recv", ("127.0.0.1", free_port()))):
        with Running(kind, free_port(), *words) as one:
            check(f"{kind} has a socket", one.wait_for("waiting for") and os.path.exists(os.path.join(folder, "control")), one.said)
            got, said = run("ctl", "-s", os.path.join(folder, "control"), "reload")
            check(f"by which {kind} is told to reload", got == 0, said)
        os.path.exists(os.path.join(folder, "control")) and os.unlink(os.path.join(folder, "control"))
    alone = ("send", free_port(), "127.0.0.1", free_port(), "-u", "127.0.0.2")
    with Running(*alone) as first, Running("send", free_port(), *alone[2:]) as second:
        first.wait_for("waiting for")
        one = first if "another process" in first.read() else second
        check("two of one unit run, one of them without a socket", first.wait_for("waiting for") and second.wait_for("waiting for")
              and one.wait_for("another process serves it; going on without a control socket"), first.said + second.said)
    os.environ.pop("RUNTIME_DIRECTORY")
    if os.geteuid() != 0:
        skip("nobody else's groups", "needs root")
        return
    group = next(g for g in grp.getgrall() if g.gr_gid not in (0, 65534))
    place = os.path.join(folder, "of-nobody")
    os.mkdir(place)
    os.chmod(folder, 0o755)
    os.chown(place, 65534, 65534)
    path = os.path.join(place, "control")
    words = ("send", free_port(), "127.0.0.1", free_port(), "-u", "127.0.0.2", "--control", path, "--control-group", group.gr_name)

    def become(groups, program=None):
        def become_now():
            os.setgroups(groups)
            os.setgid(65534)
            os.setuid(65534)
            if program:
                under(program)
        return become_now
    program = None
    if shutil.which("systemd-analyze"):
        calls = syscall_filter(open(os.path.join(source, "hawser-send.service")).read())
        check("the unit's filter is an allow list", {"read", "sendmmsg", "io_uring_enter"} <= calls and not {"setuid", "bpf", "chroot"} & calls, sorted(calls))
        program = filter_program(calls)
    if program is None:
        print("not under the unit's system call filter")
    with Running(*words, preexec=become([group.gr_gid], program)) as send:
        check("a group that its user belongs to gets the socket", send.wait_for("waiting for") and os.stat(path).st_gid == group.gr_gid, send.said)
    got, said = run(*words, preexec=become([]))
    check("another does not, and why is told", got == 1 and "SupplementaryGroups=" in said, said)


with tempfile.TemporaryDirectory() as where:
    watched("recv", where, free_port(), "127.0.0.1", free_port())
    watched("send", where, free_port(), "127.0.0.1", free_port(), "-u", "127.0.0.2")
    journal(where)
    units(where, sys.argv[2])
    refusals(where)
    sockets(where, sys.argv[2])
finish()
