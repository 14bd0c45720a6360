#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`hawser radio` create, powers and monitor against the stand-in radiod, in a network namespace. Needs root.
Arguments: HAWSER STAND_IN."""
import datetime
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

from program import HAWSER, Running, check, finish, refuses, run
from radio_program import RADIO, cache_home, enter_namespace, radiod


def create():
    refuses("no frequency", 2, "needs its frequency", "radio", "create", "-r", RADIO, "-m", "usb")
    code, said = run("radio", "create", "-r", "239.108.155.32,lo", "-f", "997k0", "-m", "iq", "-R", "16000", "-e", "f32le", "--json")
    made = json.loads(said)
    # What ka9q-python 3.14.2 put on the wire for it.
    check("the number is ka9q-python's", code == 0 and made["channel"]["ssrc"] == 1857452879 and not made["reused"], said)
    check("what was made is told", made["channel"]["frequency"] == 997000 and made["output"]["samprate"] == 16000, said)
    code, said = run("radio", "create", "-r", RADIO, "-f", "997k0", "-m", "iq", "-R", "16000", "-e", "f32le")
    check("the same again is the same channel", code == 0 and said.startswith("1857452879 ") and "was there" in said, said)
    same = ["radio", "create", "-r", RADIO, "-f", "997k0", "-m", "iq", "-R", "16000", "-e", "f32le"]
    lifetime = lambda: int(run("radio", "query", "-r", RADIO, "1857452879", "--field", "channel.lifetime")[1])
    code, said = run(*same, "--lifetime", "5000")
    check("which takes the lifetime that it is wanted for", code == 0 and "was there" in said and 4000 < lifetime() <= 5000, said)
    code, said = run(*same)
    check("or none", code == 0 and "was there" in said and lifetime() == 0, said)
    code, said = run("radio", "create", "-r", RADIO, "-f", "996k0", "-m", "usb", "-R", "24000", "-e", "opus-voip", "--json")
    voip = json.loads(said) if code == 0 else {}
    check("Opus for voice is Opus and its application", voip and voip["output"]["encoding"] == "opus"
          and voip["opus"]["application"] == "voip", said)
    code, said = run("radio", "create", "-r", RADIO, "-f", "996k0", "-m", "usb", "-R", "24000", "-e", "opus-voip")
    check("and found again", code == 0 and "was there" in said, said)
    run("radio", "remove", "-r", RADIO, str(voip["channel"]["ssrc"]))
    code, said = run("radio", "create", "-r", RADIO, "-f", "997k0", "-m", "iq", "-R", "16000", "-e", "f32le", "--new")
    check("another one has the next number", code == 0 and said.startswith("1857452880 "), said)
    run("radio", "set", "-r", RADIO, "1857452879", "channel.frequency", "5m0")
    run("radio", "set", "-r", RADIO, "1857452880", "channel.frequency", "6m0")
    code, said = run("radio", "create", "-r", RADIO, "-f", "997k0", "-m", "iq", "-R", "16000", "-e", "f32le")
    check("numbers of others are left alone", code == 0 and said.startswith("1857452881 "), said)
    code, said = run("radio", "create", "-r", RADIO, "-s", "1857452879", "-f", "7m0", "-m", "usb")
    check("a number in use is told, and not touched", code == 1 and "1857452879 is there already: iq, 5000000 Hz" in said, said)
    check("it is as it was", run("radio", "query", "-r", RADIO, "1857452879", "--field", "channel.frequency")[1] == "5000000\n")
    code, said = run("radio", "create", "-r", RADIO, "-s", "77", "-f", "7m0", "-m", "usb", "-R", "12345")
    check("what radiod does not take is told", code == 1 and "output.samprate is 12400" in said, said)


def powers():
    refuses("an odd count of bins", 2, "is to be even", "radio", "powers", "-r", RADIO, "-f", "1m0", "-b", "15")
    for kind in ([], ["--bytes"]):
        code, said = run("radio", "powers", "-r", RADIO, "-f", "996k0", "-w", "500", "-b", "32", "-c", "3", "-i", "0.2", *kind)
        lines = [line.split(", ") for line in said.splitlines()]
        check("so many lines", code == 0 and len(lines) == 3 and all(len(line) == 5 + 32 for line in lines), said)
        at, first, last, width, count = lines[0][:5]
        check("time, edges, width and count", re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", at)
              and (first, last, width, count) == ("988000", "1003500", "500", "32"), said)
        db = [float(v) for v in lines[2][5:]]
        peak = db.index(max(db))
        # The stand-in's carrier is at 1 MHz.
        check("the peak is the carrier's", 988000 + 500 * peak == 1000000 and max(db) - sorted(db)[-2] > 40, db)
        seconds = [float(line[0][17:23]) for line in lines]
        check("as far apart as was asked", all(0.1 < (b - a) % 60 < 0.6 for a, b in zip(seconds, seconds[1:])), seconds)
    refuses("an overlap of all", 2, "cannot be the one's before", "radio", "powers", "-r", RADIO, "-f", "1m0", "--overlap", "1")
    code, said = run("radio", "powers", "-r", RADIO, "-f", "1m0", "-c", "1", "-s", "4321", "--window", "gaussian", "--shape", "2.5", "--overlap", "0.75")
    told = [run("radio", "query", "-r", RADIO, "4321", "--field", f"spectrum.{field}")[1] for field in ("window_type", "shape", "overlap")]
    check("window, shape and overlap are radiod's", code == 0 and told == ["gaussian\n", "2.5\n", "0.75\n"], (said, told))
    for leap_seconds in (18, 118):
        begun = time.time()
        code, said = run("radio", "powers", "-r", RADIO, "-f", "1m0", "-b", "4", "-c", "1", "--leap-seconds", str(leap_seconds))
        at = datetime.datetime.fromisoformat(said.split(",")[0].replace("Z", "+00:00")).timestamp() + leap_seconds - 18
        check(f"UTC with {leap_seconds} leap seconds", code == 0 and begun - 0.1 < at < time.time() + 0.1, f"{begun} {said}")
    code, said = run("radio", "powers", "-r", RADIO, "-f", "1m0", "-b", "4", "-c", "1", "--json")
    line = json.loads(said)
    check("as JSON", code == 0 and line["start"] == 998000 and line["db"].index(max(line["db"])) == 2, said)


def numbers():
    """Users with other wishes do not retune each other's channel."""
    wishes = ([], ["-a", "4"], ["--window", "hann"], ["-C", "100"], ["--bytes"], ["--shape", "9"], ["--overlap", "0.5"], ["-a", "4"])
    said = [run("radio", "powers", "-r", RADIO, "-f", "993k0", "-w", "500", "-b", "32", "-c", "1", "-i", "60", *wish) for wish in wishes]
    code, listed = run("radio", "list", "-r", RADIO, "--json")
    found = [c["channel"]["ssrc"] for c in json.loads(listed) if c["channel"]["frequency"] == 993000]
    check("each shape has a channel of its own", all(code == 0 for code, _ in said) and len(found) == 7, (said, found))


def sweeps():
    """The scale of byte bins is another in each sweep, which is no change."""
    cache = os.path.join(cache_home.name, "sweeps.json")
    with Running("radio", "powers", "-r", RADIO, "-f", "994k0", "-w", "500", "-b", "32", "-i", "0.2", "--bytes", "--cache", "none") as powers, \
            Running("radio", "watch", "-r", RADIO, "--interval", "0.5", "--cache", cache) as watching:
        def more_sweeps(count):
            return powers.wait_for(r"(?:.*\n){%d}" % count, 20, len(powers.said))
        check("sweeps are told", more_sweeps(5) and watching.wait_for("appeared:  994000 Hz"), powers.said + watching.said)
        # What is learned of the other channels is written, at most once a second and sooner or later: a second and more
        # goes by without a word.
        def written():
            return os.stat(cache).st_ino, os.stat(cache).st_mtime_ns
        deadline = time.monotonic() + 20
        while not os.path.exists(cache) and time.monotonic() < deadline:
            time.sleep(0.1)
        check("a cache is written", os.path.exists(cache), watching.said)
        stretches = 0
        before = None
        while written() != before and stretches < 6:
            before = written()
            stretches += 1
            check("they go on", more_sweeps(10), powers.said)
        check("they are not written to the cache", written() == before, open(cache).read())
        check("nor told as changes", "changed" not in watching.read() and "spectrum.base" not in watching.said, watching.said)


def monitor():
    code, said = run("radio", "monitor", "-r", RADIO, "--once")
    rows = said.splitlines()
    check("a table at once", code == 0 and rows[0].split()[0] == "SSRC" and len(rows) > 3, said)
    wide = [row for row in rows if row.split()[0] == "77"][0].split()
    check("its packets are counted", float(wide[8]) > 20 and wide[10:] == ["0", "0"], said)
    code, said = run("radio", "monitor", "-r", RADIO, "--once", "--no-streams")
    check("or not", code == 0 and "- " in said.splitlines()[1], said)
    with subprocess.Popen([HAWSER, "radio", "monitor", "-r", RADIO, "-i", "0.5"], stdout=subprocess.PIPE, text=True) as child:
        lines = [json.loads(child.stdout.readline()) for _ in range(3)]
        child.send_signal(signal.SIGINT)
        check("lines of JSON without a terminal", child.wait(10) == 0 and all(len(line["channels"]) > 3 for line in lines))
    counted = [c["stream"]["packets"] for line in lines for c in line["channels"] if c["channel"]["ssrc"] == 77]
    check("packets go on", len(counted) == 3 and counted[2] > counted[1], counted)


def shared_data():
    """Another radiod's statuses on the data group that both send to are no channels of the one that is looked at."""
    with radiod("--status", "other.local"):
        for group in (RADIO, "other.local,lo"):
            run("radio", "tune", "-r", group, "-s", "77", "-f", "7m0", "-m", "usb")
        run("radio", "tune", "-r", "other.local,lo", "-s", "4711", "-f", "7m1", "-m", "usb")
        check("the other is there", "4711" in run("radio", "list", "-r", "other.local,lo")[1])
        with subprocess.Popen([HAWSER, "radio", "monitor", "-r", RADIO, "-i", "0.5", "--streams"], stdout=subprocess.PIPE, text=True) as child:
            lines = [json.loads(child.stdout.readline()) for _ in range(6)]
            child.send_signal(signal.SIGINT)
            child.wait(10)
        senders = {c["from"] for line in lines for c in line["channels"]}
        numbers = {c["channel"]["ssrc"] for line in lines for c in line["channels"]}
        check("only the channels of the radiod that was named", len(senders) == 1 and 4711 not in numbers, f"{senders} {numbers}")
        check("nor is anything told of a restart or a clash", not [line["notice"] for line in lines if "notice" in line], lines[-1])


def many_channels():
    """Unasked, no more streams are followed than a looker-on should, however many channels come later."""
    for number in range(9000, 9003):
        run("radio", "tune", "-r", RADIO, "-s", str(number), "-f", "998k5", "-m", "usb")
    with subprocess.Popen([HAWSER, "radio", "monitor", "-r", RADIO, "-i", "0.5"], stdout=subprocess.PIPE, text=True) as child:
        few = [json.loads(child.stdout.readline()) for _ in range(3)][-1]
        for number in range(9003, 9020):
            run("radio", "tune", "-r", RADIO, "-s", str(number), "-f", "998k5", "-m", "usb")
        many = [json.loads(child.stdout.readline()) for _ in range(60)]
        child.send_signal(signal.SIGINT)
        child.wait(10)
    def followed(line):
        return sum(1 for c in line["channels"] if "stream" in c)
    check("the streams of a few are followed", followed(few) == 3, followed(few))
    check("those of many are not", len(many[-1]["channels"]) == 20 and followed(many[-1]) == 0 and max(map(followed, many)) <= 16, [followed(line) for line in many])


def one_number():
    """Two radiods with one number: the packets are in the row of whose they are."""
    with radiod():
        run("radio", "tune", "-r", RADIO, "-s", "5", "-f", "998k5", "-m", "usb")
        with subprocess.Popen([HAWSER, "radio", "monitor", "-r", RADIO, "-i", "0.5"], stdout=subprocess.PIPE, text=True) as child:
            line = [json.loads(child.stdout.readline()) for _ in range(5)][-1]
            child.send_signal(signal.SIGINT)
            child.wait(10)
        rows = [c for c in line["channels"] if c["channel"]["ssrc"] == 5]
        check("one of two rows with one number has the stream", len(rows) == 2 and sum(1 for c in rows if "stream" in c) == 1, rows)


def powers_go_on():
    with subprocess.Popen([HAWSER, "radio", "powers", "-r", RADIO, "-f", "1m0", "-b", "4", "-i", "0.3"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        with radiod():
            first = [child.stdout.readline() for _ in range(2)]
        time.sleep(6)
        with radiod():
            after = [child.stdout.readline() for _ in range(2)]
            child.send_signal(signal.SIGTERM)
            said = child.communicate(timeout=10)[1]
        check("powers go on after a radiod's absence", all("998000" in line for line in first + after) and child.returncode == 0, f"{after} {said}")
        check("which is told once", said.count("it is asked again") == 1 and said.count("answers again") == 1, said)


def output_that_is_lost():
    def to_full(*words):
        with open("/dev/full", "w", encoding="ascii") as full:
            return subprocess.run([HAWSER, "radio", *words], stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, text=True, timeout=20, check=False)
    for words in (["list"], ["query", "77"], ["powers", "-f", "1m0", "-c", "1"], ["powers", "-f", "1m0", "-i", "0.2"], ["monitor", "--once"], ["watch"]):
        done = to_full(*words, "-r", RADIO)
        check(f"{words[0]} onto a full disk has failed", done.returncode == 1 and done.stderr.count("No space left on device") == 1, f"{done.returncode} {done.stderr}")
    for words in (["powers", "-f", "1m0", "-i", "0.2"], ["monitor", "-i", "0.5"], ["list", "--watch", "--interval", "0.2"]):
        # SIGPIPE is ignored, as a service manager leaves it.
        with subprocess.Popen([HAWSER, "radio", *words, "-r", RADIO], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, restore_signals=False) as child:
            child.stdout.readline()
            child.stdout.close()
            code = None
            try:
                code = child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
            check(f"{words[0]} whose reader has gone ends without a word", code == 1 and child.stderr.read() == "", code)


class OnTerminal:
    """A monitor with a terminal of its own."""

    def __init__(self, radio=RADIO):
        self.radio = radio

    def __enter__(self):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execv(HAWSER, ["hawser", "radio", "monitor", "-r", self.radio, "-i", "0.5"])
        self.said = b""
        return self

    def size(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def wait_for(self, pattern, seconds=10):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if re.search(pattern, self.said):
                return True
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    self.said += os.read(self.fd, 65536)
                except OSError:  # closed
                    return re.search(pattern, self.said) is not None
        return False

    def press(self, key):
        self.said = b""
        os.write(self.fd, key)

    def echoes(self):
        return termios.tcgetattr(self.fd)[3] & termios.ECHO != 0

    def __exit__(self, *_):
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        os.close(self.fd)


def on_terminal():
    with OnTerminal() as m:
        check("the screen is taken", m.wait_for(rb"(?s)\x1b\[\?1049h.*RTP/s"), m.said[-2000:])
        check("and draws again", m.wait_for(rb"(?s)RTP/s.*RTP/s"), m.said[-2000:])
        check("keys are its own", not m.echoes())
        m.said = b""
        m.size(6, 60)
        check("a small screen cuts", m.wait_for(rb"more   sort"), m.said[-2000:])
        m.size(40, 120)
        m.press(b"n")
        check("sorted by number", m.wait_for(rb"(?s)SSRC.* 77 .*1857452879"), m.said[-2000:])
        m.press(b"r")
        check("and the other way", m.wait_for(rb"(?s)SSRC.*1857452879.* 77 "), m.said[-2000:])
        m.press(b"\x1a")
        check("it goes on where nobody could wake it", m.wait_for(rb"(?s)\x1b\[\?1049l.*\x1b\[\?1049h.*RTP/s"), m.said[-2000:])
        m.press(b"q")
        check("q ends it and gives the screen back", m.wait_for(rb"\x1b\[\?1049l"), m.said[-2000:])
        check("with a good code", os.waitpid(m.pid, 0)[1] == 0)
    for number in (signal.SIGTERM, signal.SIGSEGV, signal.SIGABRT, signal.SIGHUP):
        with OnTerminal() as m:
            m.wait_for(rb"RTP/s")
            os.kill(m.pid, number)
            check(f"{number!r} gives the screen back", m.wait_for(rb"\x1b\[\?1049l"), m.said[-2000:])


def notices():
    """What is told on standard error while the table has the screen stands in its head, and is there after it."""
    def ip(*words):
        return subprocess.run(["ip", *words], check=False).returncode == 0
    check("an interface", ip("link", "add", "passing0", "type", "veth", "peer", "name", "passing1") and ip("link", "set", "passing1", "up") and ip("addr", "add", "10.8.0.1/24", "dev", "passing0") and ip("link", "set", "passing0", "up"))
    with OnTerminal("239.108.155.32,passing0") as m:
        check("the table is there", m.wait_for(rb"(?s)\x1b\[\?1049h.*RTP/s"), m.said[-2000:])
        ip("link", "del", "passing0")
        head = rb"\x1b\[H[^\r\n]*; hawser radio: 239.108.155.32:5006 [^\r\n]*"
        check("a notice stands in its head", m.wait_for(head), m.said[-2000:])
        check("nothing was written into the table", rb"\x1b[J\r\nhawser" not in m.said and rb"\x1b[Jhawser" not in m.said, m.said[-2000:])
        m.press(b"q")
        check("and after it, whole", m.wait_for(rb"(?s)\x1b\[\?1049l.*hawser radio: [^\n]*5006 lost on .*on passing0: send: No such device\r\n"), m.said[-2000:])
        check("with a good code", os.waitpid(m.pid, 0)[1] == 0)


enter_namespace()
with radiod():
    create()
    powers()
    numbers()
    sweeps()
    monitor()
    on_terminal()
    notices()
    output_that_is_lost()
    shared_data()
with radiod():
    many_channels()
with radiod():
    one_number()
powers_go_on()
finish()
