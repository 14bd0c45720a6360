#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Both ends as the units that are installed, under a systemd of their own: as the user and with no more rights than the
units say. The stream lives on through a restart, a crash and a hang, an operator's stop ends it at once, and the journal
has the log and the events."""
import contextlib
import ctypes
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import tempfile
import threading
import time

from lab import BITRATE_KBPS, LATENCY_MS, SRT_IN_PORT, SRT_OUT_PORT, SRTLA_PORT, Process, Skip, main, wait
from stream import Stream, compare

SOON = 1.5  # seconds until a session's end is known, where SRT's own idle time is 5
WATCHDOG_S = 2  # where it is tried; the unit's own is longer
# With what systemd does in between: the unit's command after the end, its namespaces and its filter. 20 to 45 ms are ours
# (restart_kept.py).
RESTART_MS, RESTARTS = 2000, 3
SYSTEMD = next((path for path in ("/lib/systemd/systemd", "/usr/lib/systemd/systemd") if os.path.exists(path)), None)
TOOLS = ("nsenter", "unshare", "systemctl", "journalctl", "systemd-sysusers")
# Of Debian's units those that a service orders itself by, and the journal.
TAKEN = ("basic.target", "network.target", "shutdown.target", "sysinit.target", "systemd-journald.service", "systemd-journald.socket",
         "systemd-journald-dev-log.socket")

# A root of its own where it matters: an empty /run, the few files of /etc, nothing of this machine's state.
BEGIN = """set -e
mount --make-rprivate /
mount -t proc proc /proc
umount -R /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 cgroup2 /sys/fs/cgroup
for place in /run /var/lib /var/log /var/tmp /usr/local/bin; do mount -t tmpfs tmpfs $place; done
mount --bind "$1/etc" /etc
touch /usr/local/bin/hawser
mount --bind "$2" /usr/local/bin/hawser
ip link set lo up
systemd-sysusers "$1/sysusers.conf"
cp -a "$1/units" /run/units
# The last, since the folder is there: what systemd makes in it for a service goes with it.
mount -t tmpfs tmpfs /tmp
export container=hawser SYSTEMD_UNIT_PATH=/run/units SYSTEMD_PROC_CMDLINE="systemd.unified_cgroup_hierarchy=1"
echo it begins
exec "$3" --system --unit=hawser.target
"""

CONFIG = f"""[sender]
listen = {SRT_IN_PORT}
receiver = "127.0.0.1:{SRTLA_PORT}"
uplinks = ["127.0.0.2", "127.0.0.3"]
[sender.events]
to = "journal"
[receiver]
listen = {SRTLA_PORT}
server = "127.0.0.1:{SRT_OUT_PORT}"
"""


class Machine:
    """systemd and what it runs, in namespaces of their own."""

    def __init__(self, hawser, srt_end):
        self.hawser, self.srt_end = hawser, srt_end
        self.processes, self.stack, self.first = [], contextlib.ExitStack(), None

    def __enter__(self):
        self.folder = pathlib.Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="hawser-e2e-")))
        self.stack.callback(self._end)
        return self

    def begin(self, units, sysusers):
        missing = [tool for tool in TOOLS if shutil.which(tool) is None] + ([] if SYSTEMD else ["systemd"])
        if missing:
            raise Skip(f"missing: {', '.join(missing)}")
        namespaces = ["unshare", "--mount", "--pid", "--fork", "--cgroup", "--uts", "--ipc", "--net", "--kill-child"]
        probe = subprocess.run([*namespaces, "true"], capture_output=True, text=True, check=False)
        if probe.returncode != 0:
            raise Skip(f"no namespaces: {probe.stderr.strip()}")
        self._fill(pathlib.Path(units), pathlib.Path(sysusers))
        manager = self._spawn("systemd", [*namespaces, "sh", "-c", BEGIN, "begin", self.folder, self.hawser, SYSTEMD])
        wait("its root", lambda: not manager.running() or "it begins" in manager.text(), 10)
        if "it begins" not in manager.text():
            raise Skip(f"no root for a systemd: {manager.text().strip()}")
        children = pathlib.Path(f"/proc/{manager.child.pid}/task/{manager.child.pid}/children")
        self.first = wait("its first process", lambda: children.read_text().split()[:1], 5)[0]
        wait("systemd", lambda: manager.running() and self.state("hawser.target") == "active", 20)

    def __exit__(self, *_):
        self.stack.close()

    def _end(self):
        if self.first is not None:
            said = self.run("journalctl", "--no-pager")[1]
            if "Sanitizer" in said or "internal error:" in said:
                print(f"a service did what it may not: {said[-20000:]}")
        for process in reversed(self.processes):
            if process.running():
                process.child.kill()
                process.child.wait()
            process.tell_of_bad_end()

    def _fill(self, templates, sysusers):
        etc, units = self.folder / "etc", self.folder / "units"
        (etc / "hawser").mkdir(parents=True)
        (etc / "systemd").mkdir()
        units.mkdir()
        for name in ("passwd", "group", "hosts", "ld.so.cache", "nsswitch.conf", "os-release"):
            if os.path.exists(f"/etc/{name}"):
                shutil.copy(f"/etc/{name}", etc / name)
        (etc / "machine-id").write_text("0123456789abcdef0123456789abcdef\n")
        (etc / "systemd" / "journald.conf").write_text("[Journal]\nStorage=volatile\nReadKMsg=no\nAudit=no\n")
        self.configure(CONFIG)
        shutil.copy(sysusers, self.folder / "sysusers.conf")
        for name in TAKEN:
            (units / name).symlink_to(f"/lib/systemd/system/{name}")
        (units / "hawser.target").write_text("[Unit]\nWants=systemd-journald.service\n")
        for kind in ("send", "recv"):
            text = (templates / f"hawser-{kind}.service").read_text()
            text, programs = re.subn(r"(?m)^(Exec(?:Start|Reload)=)\S+/hawser ", r"\1/usr/local/bin/hawser ", text)
            assert programs == 2, text
            (units / f"hawser-{kind}.service").write_text(text)
            (units / f"hawser-{kind}.service.d").mkdir()
            # An address sanitizer's search for leaks wants to trace, which is not allowed there.
            (units / f"hawser-{kind}.service.d" / "test.conf").write_text(
                "[Service]\nEnvironment=ASAN_OPTIONS=detect_leaks=0\n")

    def set_watchdog(self, kind, seconds):
        """From its next start on."""
        place = pathlib.Path("/proc", self.first, "root", "run/units", f"hawser-{kind}.service.d", "watchdog.conf")
        place.write_text(f"[Service]\nWatchdogSec={seconds}s\n")
        self.do("systemctl", "daemon-reload")
        self.do("systemctl", "restart", f"hawser-{kind}")

    def configure(self, text):
        (self.folder / "etc" / "hawser" / "hawser.toml").write_text(text)

    def _spawn(self, name, argv):
        process = Process(name, list(map(str, argv)), self.folder / f"{name}.log")
        self.processes.append(process)
        return process

    def run(self, *words):
        """Within it; exit code and what was said."""
        done = subprocess.run(["nsenter", "-t", self.first, "-a", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=30, check=False)
        return done.returncode, done.stdout

    def do(self, *words):
        code, said = self.run(*words)
        assert code == 0, f"{' '.join(words)}: {code}: {said}\n{self.run('journalctl', '--no-pager')[1][-3000:]}"
        return said

    def shown(self, unit, name):
        return self.run("systemctl", "show", "--value", "-p", name, unit)[1].strip()

    def state(self, unit):
        return self.shown(unit, "ActiveState")

    def process_of(self, kind):
        """Its number outside, by its number within."""
        within = self.shown(f"hawser-{kind}", "MainPID")
        for path in pathlib.Path("/proc").glob("[0-9]*/status"):
            with contextlib.suppress(OSError):
                status = path.read_text()
                numbers = re.search(r"(?m)^NSpid:\s+(.*)$", status).group(1).split()
                if len(numbers) == 2 and numbers[1] == within and os.stat(path.parent / "ns/pid").st_ino == os.stat(f"/proc/{self.first}/ns/pid").st_ino:
                    return int(numbers[0]), status
        raise AssertionError(f"no process {within} of {kind}")

    def entries(self, kind):
        """Of the journal."""
        self.do("journalctl", "--sync")
        return [json.loads(line) for line in self.do("journalctl", "-o", "json", "--no-pager", "-u", f"hawser-{kind}").splitlines()]

    def stream(self, kind, before, after=()):
        log, stream = self.folder / f"{kind}.payloads", self.folder / f"{kind}.ts"
        words = ["nsenter", "-t", self.first, "-n", self.srt_end, kind, "127.0.0.1", *before, log, stream, *after]
        return Stream(self._spawn(kind, words), log, stream)


def is_back(machine, restarts):
    wait("a new process", lambda: machine.shown("hawser-send", "NRestarts") == str(restarts) and machine.state("hawser-send") == "active",
         WATCHDOG_S + 8)


def has_no_right(machine, kind):
    _, status = machine.process_of(kind)
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    user = machine.do("id", "-u", "hawser").strip()
    assert set(fields["Uid"].split()) == {user} and user != "0", fields
    assert all(int(fields[name], 16) == 0 for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb")), fields
    assert fields["NoNewPrivs"].strip() == "1" and fields["Seccomp"].strip() == "2", fields


def scenario(machine, units, sysusers):
    machine.begin(units, sysusers)
    for kind in ("recv", "send"):
        machine.do("systemctl", "start", f"hawser-{kind}")  # returns when it has said that it is ready
        has_no_right(machine, kind)
    sink = machine.stream("sink", [SRT_OUT_PORT, LATENCY_MS])
    source = machine.stream("source", [SRT_IN_PORT, LATENCY_MS, BITRATE_KBPS])

    def flows(seconds):
        begun = time.monotonic()
        wait("payloads at the far end", lambda: compare([source], sink, LATENCY_MS, begun).received >= 100, seconds)
        return time.monotonic() - begun
    flows(15)
    for kind, words in (("recv", "1 senders, 2 uplinks"), ("send", "2 of 2 uplinks connected, an SRT caller is here")):
        wait(f"{kind} tells what it carries", lambda kind=kind, words=words: machine.shown(f"hawser-{kind}", "StatusText") == words, 5)
    said = machine.do("/usr/local/bin/hawser", "status", "--socket", "/run/hawser/send/control")
    assert "127.0.0.2" in said and "127.0.0.3" in said, said

    # What systemd does to it, and the session lives on.
    took_ms = []
    for _ in range(RESTARTS):
        begun = time.monotonic()
        machine.do("systemctl", "restart", "hawser-send")
        flows(5)
        took_ms.append(gap_ms(machine, begun))
    print(f"restarted: in its group {', '.join(f'{ms:.0f}' for ms in took_ms)} ms after the end")
    assert statistics.median(took_ms) < RESTART_MS, f"half of the restarts take longer: {took_ms}"
    assert machine.shown("hawser-send", "NRestarts") == "0"
    os.kill(machine.process_of("send")[0], signal.SIGKILL)
    is_back(machine, 1)
    print(f"killed: {flows(5):.1f} s until 100 more were out")
    machine.set_watchdog("send", WATCHDOG_S)
    flows(5)
    assert source.connections() == 1, f"{source.connections()} connections: the SRT session did not live on"
    # What the watchdog takes is near to what SRT waits.
    restarts = int(machine.shown("hawser-send", "NRestarts"))
    stop_pump(machine.process_of("send")[0])
    is_back(machine, restarts + 1)
    print(f"its pump stopped: {flows(15):.1f} s until 100 more were out")

    # An operator's stop is the end of the session, at both ends at once: this run has not seen how it began.
    refused, ends = source.refused(), sink.ends()
    asked = time.monotonic()
    machine.do("systemctl", "stop", "hawser-send")
    wait("the end of the session", lambda: source.refused() > refused and sink.ends() > ends, SOON)
    print(f"stopped: both ends of the stream knew after {time.monotonic() - asked:.2f} s")
    assert machine.shown("hawser-send", "Result") == "success"
    assert not pathlib.Path("/proc", machine.first, "root", "run/hawser/send").exists(), "nothing is left for a next run"
    machine.do("systemctl", "start", "hawser-send")
    last_start = time.monotonic()
    flows(5)

    # A reload that is refused changes nothing.
    machine.configure(CONFIG.replace("uplinks", "uplink"))
    pid, _ = machine.process_of("send")
    code, said = machine.run("systemctl", "reload", "hawser-send")
    assert code != 0 and machine.state("hawser-send") == "active", said
    assert any("hawser.toml:4" in str(e.get("MESSAGE")) for e in machine.entries("send")), machine.entries("send")[-3:]
    machine.configure(CONFIG.replace(', "127.0.0.3"', ', "127.0.0.4"'))
    machine.do("systemctl", "reload", "hawser-send")
    wait("the uplink that the file has now", lambda: "127.0.0.4" in machine.do("/usr/local/bin/hawser", "status", "--socket", "/run/hawser/send/control"), 5)
    assert machine.process_of("send")[0] == pid, "a reload is no restart"

    # Its own stop says to the caller that the session is over, which dials anew at once: SRT alone knows after 5 s. For
    # 4 s after a group was made, word that there is none may be old.
    wait("the group to be old enough", lambda: time.monotonic() > last_start + 4.5, 5)
    machine.do("systemctl", "restart", "hawser-recv")
    print(f"receiver restarted: {flows(4.5):.1f} s until 100 more were out")

    machine.do("systemctl", "stop", "hawser-send")
    # A file that is refused does not start, and is not tried again.
    machine.configure("[sender]\nlisten = 0\n")
    assert machine.run("systemctl", "start", "hawser-send")[0] != 0
    time.sleep(0.5)  # what is tried again is tried after 0.1 s
    told = [machine.shown("hawser-send", name) for name in ("ActiveState", "ExecMainStatus", "NRestarts")]
    assert told == ["failed", "78", "0"], told
    assert machine.shown("hawser-recv", "NRestarts") == "0", "nothing befell the receiver"

    journal(machine)


def gap_ms(machine, since):
    """From the old process's last event to the group of the new one."""
    at = {e["HAWSER_KIND"]: int(e["__MONOTONIC_TIMESTAMP"]) / 1000 for e in machine.entries("send") if "HAWSER_KIND" in e}
    assert at["group_kept"] / 1000 > since, "an event of this restart"
    return at["group_kept"] - at["stopped"]


def stop_pump(pid):
    """The one thread, while the others go on: as a debugger stops it."""
    pump = next(int(task.parent.name) for task in pathlib.Path(f"/proc/{pid}/task").glob("*/comm") if "pump" in task.read_text())
    libc = ctypes.CDLL(None, use_errno=True)
    attach, wall = 16, 0x40000000  # PTRACE_ATTACH, __WALL
    assert libc.ptrace(attach, pump, None, None) == 0, os.strerror(ctypes.get_errno())

    def let_it_end():
        """Who traces a thread has to see its end, or its process never ends."""
        with contextlib.suppress(ChildProcessError):
            while os.WIFSTOPPED(os.waitpid(pump, wall)[1]):
                pass
    threading.Thread(target=let_it_end, daemon=True).start()


def journal(machine):
    """Lines have their level, events their fields, and nothing of it is a fault."""
    entries = machine.entries("send")
    lines = [e for e in entries if e.get("_TRANSPORT") == "stdout"]
    assert lines and all(not re.match(r"<\d>", str(e["MESSAGE"])) for e in lines), lines[:3]
    assert {"6", "3"} <= {e["PRIORITY"] for e in lines}, {e["PRIORITY"] for e in lines}
    events = [e for e in entries if e.get("_TRANSPORT") == "journal" and "HAWSER_KIND" in e]
    assert {"group_kept", "uplink_connected"} <= {e["HAWSER_KIND"] for e in events}, {e["HAWSER_KIND"] for e in events}
    up = next(e for e in events if e["HAWSER_KIND"] == "uplink_connected")
    assert up["HAWSER_UPLINK"] in ("127.0.0.2", "127.0.0.3") and up["MESSAGE"] and up["PRIORITY"] == "6", up
    text = " ".join(str(e.get("MESSAGE")) for kind in ("send", "recv") for e in machine.entries(kind))
    assert "Sanitizer" not in text and "internal error:" not in text, text[-3000:]


main(scenario, Machine)
