# SPDX-License-Identifier: MIT
"""The end-to-end lab: network namespaces with shaped uplinks, the processes in them, and waiting.

    sender namespace --- N veth pairs, each shaped by tbf both ways --- router --- receiver namespace
    encoder, `hawser send`                                                          `hawser recv`, SRT listener

Every uplink has its own source address and, by source routing, its own way. A scenario is a function that takes a Lab;
main() runs it, removes the namespaces and processes whatever happens, and exits with 77 and a reason where the machine
cannot carry it. Names hold the process id, so that runs go side by side. Nothing sleeps for a fixed time: wait() polls
a condition against a deadline. Processes are ended by process id.
"""
import argparse
import contextlib
import ctypes
import ipaddress
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from stream import Stream, compare

SKIPPED = 77
LATENCY_MS = 600  # SRT's, of every scenario that does not say otherwise
BITRATE_KBPS = 3000  # of the picture
LINK_KBPS = 2000  # of an uplink: no single one carries the picture
RUNS_MAX, DISTURBED_SHARE = 3, 0.1
SRTLA_PORT, SRT_IN_PORT, SRT_OUT_PORT, METRICS_PORT = 5000, 6000, 4001, 9090


# Only a build with the thread sanitizer reads it.
os.environ["TSAN_OPTIONS"] = f"{os.environ.get('TSAN_OPTIONS', '')}:suppressions={pathlib.Path(__file__).with_name('tsan.supp')}"


class Skip(Exception):
    """The machine cannot carry the scenario."""


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


def wait(what, condition, seconds):
    """The condition's first true value; fails with `what` when the time is up."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)
    return value


def json_lines(path):
    """Of a file that grows: without a last line that is half written."""
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()]


BY_ITSELF = (-signal.SIGABRT, -signal.SIGSEGV, -signal.SIGBUS, -signal.SIGFPE, -signal.SIGILL)


class Process:
    """A child whose output goes to a file, unless it is asked for otherwise."""

    def __init__(self, name, argv, log, stdin=subprocess.DEVNULL, stdout=None):
        self.name, self.log = name, pathlib.Path(log)
        self.file = open(log, "ab")
        self.child = subprocess.Popen(argv, stdin=stdin, stdout=stdout or self.file, stderr=self.file)

    def running(self):
        return self.child.poll() is None

    def tell(self, number):
        self.child.send_signal(number)

    def end(self, number=signal.SIGTERM, seconds=10):
        """Sends the signal and waits; a process that does not go is killed, which fails the scenario."""
        if self.running():
            self.child.send_signal(number)
        try:
            self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise AssertionError(f"{self.name} did not end within {seconds} s of signal {number}") from None
        finally:
            self.file.close()
        return self.child.returncode

    def text(self):
        return self.log.read_text(errors="replace")

    def tell_of_bad_end(self):
        """What no second run of the scenario may forgive (scripts/count_tests.py)."""
        if self.child.returncode in BY_ITSELF:
            print(f"{self.name} ended by signal {-self.child.returncode}: {self.text()[-2000:]}")
        elif "Sanitizer" in self.text() or "internal error:" in self.text():
            print(f"{self.name} did what it may not: {self.text()[-5000:]}")


class Lab:
    def __init__(self, hawser, srt_end, links=4, ipv6=False, link_kbps=LINK_KBPS, server_address="127.0.0.1",
                 latency_ms=LATENCY_MS):
        self.hawser, self.srt_end = hawser, srt_end
        self.link_numbers, self.ipv6, self.link_kbps = list(range(1, links + 1)), ipv6, link_kbps
        self.latency_ms = latency_ms  # of SRT
        self.server_address = server_address  # of the SRT server, in the receiver's namespace
        self.sender_ns, self.router_ns, self.receiver_ns = (f"hawser-{os.getpid()}-{end}" for end in ("s", "x", "r"))
        self.stack = contextlib.ExitStack()
        self.processes = []
        self.sources, self.sink = [], None
        self.run_count = 0

    # The network ------------------------------------------------------------------------------------------------
    def source_address(self, link):
        return f"fd77:{link}::1" if self.ipv6 else f"10.77.{link}.1"

    def gateway_address(self, link):
        return f"fd77:{link}::2" if self.ipv6 else f"10.77.{link}.2"

    @property
    def receiver_address(self):
        return "fd99::2" if self.ipv6 else "10.99.0.2"

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hawser-e2e-")))
            for name in (self.sender_ns, self.router_ns, self.receiver_ns):
                try:
                    ip("netns", "add", name)
                except subprocess.CalledProcessError as error:
                    raise Skip(f"no network namespace: {error.stderr.strip()}") from None
                stack.callback(ip, "netns", "del", name)
            stack.callback(self._end_processes)
            self._build()
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()

    def _end_processes(self):
        for process in reversed(self.processes):
            if process.running():
                process.child.kill()
                process.child.wait()
            process.tell_of_bad_end()

    def _build(self):
        for name in (self.sender_ns, self.router_ns, self.receiver_ns):
            ip("-n", name, "link", "set", "lo", "up")
            for setting in ("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1", "net.ipv4.conf.all.rp_filter=0",
                            "net.ipv4.conf.default.rp_filter=0", "net.ipv6.conf.all.keep_addr_on_down=1"):
                subprocess.run(["ip", "netns", "exec", name, "sysctl", "-qw", setting], check=True)
        self._pair(self.router_ns, "xr", self.receiver_ns, "rx")
        if self.ipv6:
            self._address(self.router_ns, "xr", "fd99::1/64")
            self._address(self.receiver_ns, "rx", "fd99::2/64")
        else:
            self._address(self.router_ns, "xr", "10.99.0.1/24")
            self._address(self.receiver_ns, "rx", "10.99.0.2/24")
        ip("-n", self.receiver_ns, "route", "add", "default", "via", "fd99::1" if self.ipv6 else "10.99.0.1")
        for link in self.link_numbers:
            self._pair(self.sender_ns, f"u{link}", self.router_ns, f"x{link}")
            self._address(self.router_ns, f"x{link}", f"{self.gateway_address(link)}/{self._prefix}")
            for name, device in ((self.sender_ns, f"u{link}"), (self.router_ns, f"x{link}")):
                try:
                    self._tbf("add", name, device, self.link_kbps)
                except subprocess.CalledProcessError as error:
                    raise Skip(f"no tbf shaper: {error.stderr.strip()}") from None
            self.plug(link)

    def _tbf(self, verb, namespace, device, kbps):
        subprocess.run(["tc", "-n", namespace, "qdisc", verb, "dev", device, "root", "tbf", "rate", f"{kbps}kbit",
                        "burst", "4kb", "latency", "200ms"], check=True, capture_output=True, text=True)

    def shape(self, kbps, links=None):
        """What each uplink, or each of `links`, carries from now on towards the receiver."""
        for link in links or self.link_numbers:
            self._tbf("change", self.sender_ns, f"u{link}", kbps)

    @property
    def _prefix(self):
        return 64 if self.ipv6 else 24

    def _pair(self, one_ns, one, other_ns, other):
        ip("-n", one_ns, "link", "add", one, "type", "veth", "peer", "name", other, "netns", other_ns)
        ip("-n", one_ns, "link", "set", one, "up")
        ip("-n", other_ns, "link", "set", other, "up")

    def _address(self, name, device, address):
        ip("-n", name, "address", "add", address, "dev", device, *(["nodad"] if self.ipv6 else []))

    def plug(self, link):
        """Gives the uplink its address, its way out and, where it had been unplugged, its carrier."""
        family = ["-6"] if self.ipv6 else []
        ip("-n", self.sender_ns, "link", "set", f"u{link}", "up")
        self._address(self.sender_ns, f"u{link}", f"{self.source_address(link)}/{self._prefix}")
        ip("-n", self.sender_ns, *family, "route", "replace", "default", "via", self.gateway_address(link), "dev",
           f"u{link}", "table", str(100 + link), *([] if self.ipv6 else ["onlink"]))
        ip("-n", self.sender_ns, *family, "rule", "add", "from", self.source_address(link), "table", str(100 + link))

    def unplug(self, link):
        """As when a modem is pulled: the address goes away with the device's state."""
        family = ["-6"] if self.ipv6 else []
        ip("-n", self.sender_ns, *family, "rule", "del", "from", self.source_address(link), "table", str(100 + link))
        ip("-n", self.sender_ns, "address", "del", f"{self.source_address(link)}/{self._prefix}", "dev", f"u{link}")
        ip("-n", self.sender_ns, "link", "set", f"u{link}", "down")

    def cut(self, link):
        """As when the radio is lost: everything is in place at the sender, and nothing comes through."""
        ip("-n", self.router_ns, "link", "set", f"x{link}", "down")

    def restore(self, link):
        ip("-n", self.router_ns, "link", "set", f"x{link}", "up")

    def swallow(self, link, verb="add"):
        """As when the network behind the radio is lost: not even the carrier tells. IPv4 only."""
        for words in (["iif", f"x{link}"], ["to", f"10.77.{link}.0/24"]):
            ip("-n", self.router_ns, "rule", verb, *words, "blackhole")

    def let_through(self, link):
        self.swallow(link, "del")

    def set_mtu(self, link, mtu):
        ip("-n", self.sender_ns, "link", "set", f"u{link}", "mtu", str(mtu))
        ip("-n", self.router_ns, "link", "set", f"x{link}", "mtu", str(mtu))

    def narrow_path(self, link, mtu):
        """As when a tunnel lies behind the modem: the sender's own device knows nothing of it, and the router refuses
        what is larger, with an ICMP message that names the MTU."""
        family = ["-6"] if self.ipv6 else []
        table = str(100 + link)
        ip("-n", self.router_ns, *family, "route", "add", self.receiver_address, "dev", "xr", "table", table,
           "mtu", str(mtu))
        ip("-n", self.router_ns, *family, "rule", "add", "iif", f"x{link}", "to", self.receiver_address, "table", table)

    def bytes_sent(self, link):
        """By the sender's side on the uplink's device, since it was made."""
        path = f"/sys/class/net/u{link}/statistics/tx_bytes"
        return int(subprocess.run(["ip", "netns", "exec", self.sender_ns, "cat", path], check=True, capture_output=True,
                                  text=True).stdout)

    def socket_in(self, namespace, family=socket.AF_INET, kind=socket.SOCK_DGRAM):
        """A socket that stays in the namespace, for what a scenario scripts itself."""
        libc = ctypes.CDLL(None, use_errno=True)
        new_net = 0x40000000  # CLONE_NEWNET
        with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{namespace}") as there:
            assert libc.setns(there.fileno(), new_net) == 0, os.strerror(ctypes.get_errno())
            try:
                return self.stack.enter_context(socket.socket(family, kind))
            finally:
                assert libc.setns(home.fileno(), new_net) == 0, os.strerror(ctypes.get_errno())

    def page(self, namespace, path):
        """What is served over HTTP there, at METRICS_PORT."""
        script = f"import urllib.request as r; print(r.urlopen('http://127.0.0.1:{METRICS_PORT}{path}', timeout=5).read().decode(), end='')"
        words = ["ip", "netns", "exec", namespace, sys.executable, "-c", script]
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout

    # The processes ----------------------------------------------------------------------------------------------
    def spawn(self, name, namespace, argv, **streams):
        process = Process(name, ["ip", "netns", "exec", namespace, *map(str, argv)], self.folder / f"{name}.log", **streams)
        self.processes.append(process)
        return process

    def write_uplinks(self, links):
        path = self.folder / "uplinks"
        path.write_text("".join(self.source_address(link) + "\n" for link in links))
        return path

    def start_recv(self, *options):
        self.recv = self.spawn("recv", self.receiver_ns,
                               [self.hawser, "recv", SRTLA_PORT, self.server_address, SRT_OUT_PORT, *options])
        return self.recv

    def start_send(self, *options, links=None, receiver=None):
        uplinks = self.write_uplinks(links or self.link_numbers)
        self.send = self.spawn("send", self.sender_ns,
                               [self.hawser, "send", SRT_IN_PORT, receiver or self.receiver_address, SRTLA_PORT, uplinks, *options])
        return self.send

    def start_sink(self):
        self.sink = self._stream_end("sink", self.receiver_ns, ["sink", self.server_address, SRT_OUT_PORT, self.latency_ms])
        return self.sink

    def start_source(self, local_port=0):
        source = self._stream_end("source", self.sender_ns,
                                  ["source", "127.0.0.1", SRT_IN_PORT, self.latency_ms, BITRATE_KBPS], [local_port])
        self.sources.append(source)
        return source

    def start_encoder(self, *words):
        """encoder.py with these words, and the source that sends what it makes."""
        script = pathlib.Path(__file__).with_name("encoder.py")
        self.encoder = self.spawn("encoder", self.sender_ns, [sys.executable, script, *words], stdout=subprocess.PIPE)
        source = self._stream_end("source", self.sender_ns,
                                  ["source", "127.0.0.1", SRT_IN_PORT, self.latency_ms, "stdin"],
                                  stdin=self.encoder.child.stdout)
        self.encoder.child.stdout.close()
        self.sources.append(source)
        return source

    def end_encoder(self):
        self.sources[-1].process.end()
        self.encoder.child.kill()
        self.encoder.child.wait()

    def _stream_end(self, kind, namespace, before, after=(), **streams):
        self.run_count += 1
        name = f"{kind}{self.run_count}"
        log, stream = self.folder / f"{name}.payloads", self.folder / f"{name}.ts"
        process = self.spawn(name, namespace, [self.srt_end, *before, log, stream, *after], **streams)
        return Stream(process, log, stream)

    def start_all(self, *options):
        """A stream that runs: returns when payloads come out at the far end."""
        self.start_sink()
        self.start_recv(*options)
        self.start_send(*options)
        self.start_source()
        self.wait_flowing(10)

    def wait_flowing(self, seconds, count=100):
        """Until `count` payloads that are sent from now on have come out; what SRT still holds says nothing."""
        begun = time.monotonic()
        wait("payloads at the far end",
             lambda: compare(self.sources, self.sink, self.latency_ms, begun).received >= count, seconds)

    def wait_streamed(self, seconds):
        """Lets the stream run, while everything that should run does."""
        until = time.monotonic() + seconds
        wait("the time to pass", lambda: self.check_running() or time.monotonic() >= until, seconds + 5)

    def check_running(self):
        for process in (self.recv, self.send):
            assert process.running(), f"{process.name} ended with {process.child.returncode}: {process.text()[-800:]}"

    def finish_whole(self, seconds):
        """What is sent from now on, for so long, comes out whole and on time; then the stream ends."""
        begun = time.monotonic()
        self.wait_streamed(seconds)
        self.finish()
        outcome = compare(self.sources, self.sink, self.latency_ms, begun)
        print(f"at the end: {outcome}")
        assert outcome.share >= 0.999, "99.9 % whole and on time"

    def finish(self):
        """Ends the stream from its beginning to its end, so that everything sent can arrive."""
        for source in self.sources:
            if source.process.running():
                source.process.end()
        self.check_running()
        self.sink.process.end()
        # Both ends leave when asked to.
        self.send.end()
        self.recv.end()


def starved_s(process):
    """How long the most starved thread of a running process had work and no CPU; 0 where the kernel does not say."""
    try:
        threads = pathlib.Path(f"/proc/{process.child.pid}/task").glob("*/schedstat")
        return max(int(thread.read_text().split()[1]) for thread in threads) / 1e9
    except (OSError, ValueError, IndexError):
        return 0


def run_once(lab, scenario, arguments):
    """What failed, if anything, and for which share of the time the most starved program had waited for a CPU by then."""
    begun, disturbance = time.monotonic(), 0
    try:
        with lab:
            try:
                scenario(lab, *arguments)
            except BaseException:
                starved = max(map(starved_s, lab.processes), default=0)
                disturbance = starved / (time.monotonic() - begun)
                for process in lab.processes:
                    print(f"--- {process.name}:\n{process.text()[-3000:]}")
                raise
    except AssertionError as error:
        return error, disturbance
    print(f"passed in {time.monotonic() - begun:.1f} s")
    return None, 0


def main(scenario, place=Lab, **layout):
    """Runs one scenario from the command line: SCRIPT HAWSER SRT_END [ARGUMENT...]. `place`: where."""
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("hawser", type=os.path.abspath, help="the program under test")
    parser.add_argument("srt_end", type=os.path.abspath, help="tests/e2e/srt_end.cc, built")
    parser.add_argument("arguments", nargs="*", help="of the scenario")
    words = parser.parse_args()
    missing = [tool for tool in ("ip", "tc", "ffmpeg") if shutil.which(tool) is None]
    reason = "needs root, for network namespaces" if os.geteuid() != 0 else f"missing: {', '.join(missing)}" if missing else ""
    # A test runner that has waited too long sends this: the namespaces and processes must not outlive the run.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to stop"))
    try:
        if reason:
            raise Skip(reason)
        # What is on time is measured against the clock: a run that missed a bound while one of its programs waited for a
        # CPU a good part of the time says nothing, and is done again.
        for attempt in range(RUNS_MAX):
            lab = place(words.hawser, words.srt_end, **layout)
            error, disturbance = run_once(lab, scenario, words.arguments)
            if error is None:
                return
            if disturbance < DISTURBED_SHARE or attempt == RUNS_MAX - 1:
                raise error
            print(f"disturbed: a program waited for a CPU {100 * disturbance:.0f} % of the time; again ({error})", flush=True)
    except Skip as skip:
        print(f"skipped: {skip}")
        sys.exit(SKIPPED)
