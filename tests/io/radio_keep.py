#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`hawser radio keep`, `watch` and `list` without a radiod, the cache, and channels kept inside `hawser send`, against
stand-ins in a network namespace. Arguments: HAWSER STAND_IN. Needs root."""
import json
import os
import signal
import socket
import subprocess
import tempfile
import time

from program import Running, check, finish, free_port, refuses, run, wait_code
from radio_program import RADIO, enter_namespace, radiod

folder = tempfile.TemporaryDirectory()
FILE = os.path.join(folder.name, "channels.toml")
CACHE = os.path.join(folder.name, "cache", "radio.json")

# The short lifetime makes the keeper look every third of a second.
TWO = """
[[channel]]
name = "ft8"
ssrc = 14074
frequency = "14m074"
preset = "usb"
samprate = 12000
lifetime = 50
filter.low_edge = 100

[[channel]]
ssrc = 5000
frequency = 5e6
preset = "am"
lifetime = 50
squelch.open = 10.5
"""
ONE = TWO[:TWO.index("[[channel]]", 20)]


def put(text, path=FILE):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def events(running, wanted, seconds=15, after=0):
    """Lines of JSON until `wanted` answers true for one of them; that one, or None. `after`: lines that do not count."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        lines = [json.loads(line) for line in running.read().splitlines() if line.startswith("{") and line.endswith("}")]
        for line in lines[after:]:
            if wanted(line):
                return line
        time.sleep(0.02)
    return None


def told(running):
    return len([line for line in running.read().splitlines() if line.startswith("{")])


def field(ssrc, path):
    return run("radio", "query", str(ssrc), "--field", path)[1].strip()


def gone(ssrc, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if run("radio", "query", str(ssrc))[0] == 1:
            return True
    return False


def bad_files():
    for text, said in [("[[channel]\n", r"channels.toml:1: .*"),
                       ("\n[[channel]]\npreset = 'am'\n", r"channels.toml:2: channel 1: frequency = ... is missing"),
                       ("[[channel]]\nfrequency = 'loud'\n", r"channels.toml:2: channel 1: frequency: that is no value of it"),
                       ("[[channel]]\nfrequency = 1e6\ncolour = 1\n", r"channels.toml:3: channel 1: colour: there is no such field"),
                       ("[[channel]]\nfrequency = 1e6\npresett = 'am'\n", r"channels.toml:3: channel 1: presett: there is no such field; 'preset' is one"),
                       ("[[channel]]\nfrequency = 1e6\nname = 'x'\nagc.hangtme = 1\n", r"channels.toml:4: channel 1 \(x\): agc.hangtme: there is no such field; 'agc.hangtime' is one"),
                       ("[[channel]]\nfrequency = 1e6\ndta = 'hf-pcm'\n", r"channels.toml:3: channel 1: dta: there is no such field; 'data' is one"),
                       ("[[channel]]\nfrequency = 1e6\ndata = 'hf pcm'\n", r"channels.toml:3: channel 1: data: that is no value of it"),
                       ("[[radio]]\nradio = 'hf'\ninterfce = 'lo'\n", r"channels.toml:3: radio 1: interfce: there is no such key here; 'interface' is one"),
                       ("[[channel]]\nfrequency = 1e6\noutput.level = 1\n", r"channels.toml:3: channel 1: output.level: radiod lets nobody"),
                       ("[[channel]]\npreset = 'am'\nfrequency = 0\n", r"channels.toml:3: channel 1: frequency: it has to be above 0 Hz"),
                       ("[[channel]]\nname = 'x'\nchannel.frequency = -7e6\n", r"channels.toml:3: channel 1 \(x\): channel.frequency: it has to be above 0 Hz"),
                       ("[[channel]]\nfrequency = 1e6\nlifetime = 49\n", r"channels.toml:3: channel 1: lifetime: it takes at least 50 blocks"),
                       ("[[channel]]\nfrequency = 1e6\nssrc = 0\n", r"channels.toml:3: channel 1: ssrc: a number of an SSRC between"),
                       ("[[channel]]\nfrequency = 1e6\n[[channel]]\nfrequency = 1e6\n", r"channel 1 has the number \d+ too"),
                       ("[[channel]]\nfrequency = 1e6\nradio = 'vhf'\n", r"no \[\[radio\]\] has the name 'vhf'"),
                       ("[[radio]]\nname = 'hf'\n", r'channels.toml:1: radio 1: radio: radio = "NAME" is missing'),
                       ("[[radio]]\nname = 'a'\nradio = 'hf'\n[[radio]]\nname = 'b'\nradio = 'hf.local:5006'\n", r"channels.toml:6: radio 2: radio: 'hf.local:5006' is radio 1 \(a\) already"),
                       ("[[radio]]\nradio = '239.1.2.3,lo'\n[[radio]]\nname = 'b'\nradio = '239.1.2.3'\ninterface = 'lo'\n", r"channels.toml:5: radio 2: radio: '239.1.2.3' is radio 1 \(239.1.2.3,lo\) already"),
                       ("speed = 3\n", r"channels.toml:1: speed: there is no such key here")]:
        put(text)
        refuses(f"a bad file: {text!r}", 1, said, "radio", "keep", FILE)
    refuses("a radiod that is none", 2, "'hf:0x' names no radiod", "radio", "keep", "-r", "hf:0x", FILE)
    refuses("a file that is not there", 1, "No such file", "radio", "keep", FILE + ".not")
    del os.environ["RADIO"]
    put(ONE)
    refuses("no radiod named", 1, "no radiod is named, here or with -r", "radio", "keep", FILE)
    os.environ["RADIO"] = RADIO


def keep():
    put(TWO)
    with Running("radio", "keep", "--json", FILE) as keeping:
        with radiod() as first:
            check("both channels are made", events(keeping, lambda e: e["event"] == "active" and e.get("name") == "ft8" and not e["reused"])
                  and events(keeping, lambda e: e["event"] == "active" and e["ssrc"] == 5000), keeping.said)
            check("with any field of the file", field(14074, "filter.low_edge") == "100" and field(5000, "squelch.open") == "10.5", keeping.said)
            before = told(keeping)
            run("radio", "set", "5000", "squelch.open", "3")
            lost = events(keeping, lambda e: e["event"] == "lost", after=before)
            check("what another client changes is told", lost and lost["ssrc"] == 5000 and lost["field"] == "squelch.open" and lost["value"] == "3", keeping.said)
            check("and put right", events(keeping, lambda e: e["event"] == "active" and e["ssrc"] == 5000, after=before) and field(5000, "squelch.open") == "10.5", keeping.said)
            before = told(keeping)
            first.kill()
            first.wait()
        with radiod():
            check("after a restart they are made anew", events(keeping, lambda e: e["event"] == "active" and e["ssrc"] == 14074, after=before)
                  and events(keeping, lambda e: e["event"] == "active" and e["ssrc"] == 5000, after=before), keeping.said)
            before = told(keeping)
            put("[[channel]]\nfrequency = 'loud'\n")
            keeping.child.send_signal(signal.SIGHUP)
            check("a bad file is refused whole", keeping.wait_for(r"reload refused, the channels stay as they are: .*channels.toml:2: channel 1"), keeping.said)
            run("radio", "set", "14074", "filter.low_edge", "300")
            check("and the old one goes on", events(keeping, lambda e: e["event"] == "active" and e["ssrc"] == 14074, after=before), keeping.said)
            before = told(keeping)
            put(ONE)
            keeping.child.send_signal(signal.SIGHUP)
            check("a reload drops what is not there", events(keeping, lambda e: e["event"] == "dropped" and e["ssrc"] == 5000, after=before), keeping.said)
            put(TWO)
            keeping.child.send_signal(signal.SIGHUP)
            check("another takes it up again", events(keeping, lambda e: e["event"] == "active" and e["ssrc"] == 5000, after=before), keeping.said)
            news = [json.loads(line) for line in keeping.read().splitlines() if line.startswith("{")][before:]
            check("and both leave the rest alone", not [e for e in news if e.get("ssrc") == 14074], keeping.said)
            check("an end leaves the channels", keeping.end(signal.SIGTERM) == 0 and field(14074, "channel.ssrc") == "14074", keeping.said)
            put(TWO.replace("lifetime = 50\n", ""))
            with Running("radio", "keep", "--remove", FILE) as text:
                check("told as text", text.wait_for(r"^\S+Z 239.108.155.32,lo: 14074 \(ft8\) active, found in \d+ ms"), text.said)
                put(ONE.replace("lifetime = 50\n", ""))
                text.child.send_signal(signal.SIGHUP)
                check("--remove ends what a reload no longer has", text.wait_for("5000 no longer wanted, removed") and gone(5000), text.said)
                check("and the rest at the end", text.end(signal.SIGTERM, 10) == 0 and text.wait_for(r"14074 \(ft8\) no longer wanted, removed") and gone(14074), text.said)
            put(ONE.replace('lifetime = 50\n', 'output.maxdelay = 9\n'))
            with Running("radio", "keep", FILE) as refused:
                check("what radiod refuses is told by field", refused.wait_for(r"14074 \(ft8\) refused: output.maxdelay stays 5; trying again"), refused.said)


def restarted():
    """Any status of a radiod that was restarted is enough: nobody waits for the next check of a channel, 10 s later."""
    put(ONE.replace("lifetime = 50\n", ""))
    with Running("radio", "keep", "--json", FILE) as keeping:
        with radiod():
            check("it is made", events(keeping, lambda e: e["event"] == "active"), keeping.said)
        with radiod():
            before = told(keeping)
            run("radio", "tune", "-s", "77", "-f", "7m7", "-m", "am")
            check("it is made anew as soon as another channel of the new one is heard",
                  events(keeping, lambda e: e["event"] == "active" and e["ssrc"] == 14074, seconds=5, after=before), keeping.said)


def end_is_the_end():
    """A reload after the end was asked for wants nothing again."""
    put(ONE.replace("lifetime = 50\n", ""))
    with radiod() as child, Running("radio", "keep", "--remove", FILE) as keeping:
        check("it is made", keeping.wait_for("14074 .* active"), keeping.said)
        # The removal waits for its answer meanwhile.
        child.send_signal(signal.SIGSTOP)
        keeping.child.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        put(TWO.replace("lifetime = 50\n", ""))
        keeping.child.send_signal(signal.SIGHUP)
        time.sleep(0.2)
        child.send_signal(signal.SIGCONT)
        check("it ends in order", wait_code(keeping, 10) == 0, keeping.read())
        check("what was removed stays so", gone(14074), keeping.said)
        check("and nothing else is made", run("radio", "query", "5000")[0] == 1, keeping.said)


def unreachable():
    put('[[radio]]\nname = "far"\nradio = "239.1.2.3,hwz"\n[[radio]]\nname = "mute"\nradio = "239.1.2.4,lo"\n'
        + ONE.replace("[[channel]]", '[[channel]]\nradio = "mute"'))
    with Running("radio", "keep", FILE) as keeping:
        check("an interface that is not there is told, and is no end", keeping.wait_for(r"far: 239.1.2.3:5006 on hwz: join: No such device; trying again"), keeping.said)
        check("a radiod that does not answer is told", keeping.wait_for(r"mute: 14074 \(ft8\) no answer; trying again", 15), keeping.said)
        check("it can be ended", keeping.end(signal.SIGINT) == 0, keeping.said)


def watch():
    with Running("radio", "watch", "--json", "--interval", "0.3") as watching, Running("radio", "watch", "77", "--interval", "0.3") as one:
        check("silence is told", events(watching, lambda e: e["event"] == "silent"), watching.said)
        with radiod() as first:
            run("radio", "tune", "-s", "14074", "-f", "14m074", "-m", "usb")
            seen = events(watching, lambda e: e["event"] == "appeared")
            check("a channel that appears", seen and seen["ssrc"] == 14074 and seen["channel"]["channel"]["preset"] == "usb", watching.said)
            check("and that somebody answers", events(watching, lambda e: e["event"] == "answering"), watching.said)
            run("radio", "set", "14074", "filter.low_edge", "250")
            change = events(watching, lambda e: e["event"] == "changed" and e["field"] == "filter.low_edge")
            check("a field that changes, from and to", change and change["now"] == "250" and change["before"] != "250", watching.said)
            first.kill()
            first.wait()
        before = told(watching)
        with radiod():
            run("radio", "tune", "-s", "77", "-f", "7m7", "-m", "am")
            check("what is lost", events(watching, lambda e: e["event"] == "lost" and e["ssrc"] == 14074, after=before - 2), watching.said)
            run("radio", "remove", "77")
            check("what is removed", events(watching, lambda e: e["event"] == "lost" and e["ssrc"] == 77, after=before), watching.said)
            code, said = run("radio", "list")
            check("it creates nothing", code == 1, said)
        check("one channel alone, as text", one.wait_for(r"Z 77 appeared: am 7700000 Hz") and one.wait_for("Z 77 lost") and "14074" not in one.said, one.said)
        check("ends on SIGINT", watching.end(signal.SIGINT) == 0)
    refuses("a field that is none", 2, "there is no field 'colour'", "radio", "watch", "--field", "colour")


def cache():
    os.environ["XDG_CACHE_HOME"] = os.path.join(folder.name, "xdg")
    usual = os.path.join(folder.name, "xdg", "hawser", "radio.json")
    with radiod():
        run("radio", "tune", "-s", "14074", "-f", "14m074", "-m", "usb", "--cache", "none")
        check("no cache where none is wanted", not os.path.exists(usual))
        run("radio", "list", "-r", "siglo,lo")
        with open(usual, encoding="utf-8") as file:
            state = json.load(file)
        check("what was learned is there, and no guess", state["names"] == [] and state["radios"][0]["name"] == "siglo.local" and state["radios"][0]["group"] == "239.108.155.32:5006"
              and state["radios"][0]["channels"][0]["ssrc"] == 14074, state)
        stamp = os.stat(usual).st_mtime_ns
        run("radio", "list", "-r", "siglo,lo")
        check("nothing new, nothing written", os.stat(usual).st_mtime_ns == stamp)
        code, said = run("radio", "list")
        check("asked by its number, it keeps its name", code == 0 and os.stat(usual).st_mtime_ns == stamp, said)
        del os.environ["RADIO"]
        code, said = run("radio", "list")
        check("list without a radiod shows those of the cache", code == 0 and "siglo.local" in said and "cache" in said, said)
        code, said = run("radio", "list", "-o", "127.0.0.9")
        check("-o is heeded there too", code == 0 and "silent" in said, said)
        code, said = run("radio", "list", "--json")
        listed = json.loads(said.splitlines()[-1])
        check("as JSON", listed[0]["name"] == "siglo.local" and listed[0]["channels"] == 1 and listed[0]["found_by"] == "cache", said)
        os.environ["RADIO"] = RADIO
        run("radio", "remove", "14074", "--cache", CACHE)
        put('{"hawser_radio_cache": 1, "radios": [', CACHE)
        code, said = run("radio", "tune", "-s", "7", "-f", "7m0", "--cache", CACHE)
        check("a damaged cache is told once and ignored", code == 0 and said.count("is not used: it is damaged") == 1, said)
        code, said = run("radio", "list", "--cache", CACHE)
        check("and replaced", code == 0 and "damaged" not in said, said)
        put('{"hawser_radio_cache": 99}', CACHE)
        code, said = run("radio", "list", "--cache", CACHE)
        check("a newer hawser's is left alone", code == 0 and "of another version" in said and open(CACHE, encoding="utf-8").read() == '{"hawser_radio_cache": 99}', said)
        code, said = run("radio", "tune", "-s", "8", "-f", "8m0", "--cache", "/proc/nowhere/radio.json")
        check("a place that cannot be written to is no end, and told", code == 0 and said.count("/proc/nowhere/radio.json cannot be written") == 1, said)
    del os.environ["RADIO"]
    code, said = run("radio", "list")
    check("a radiod that is gone is shown as silent", code == 0 and "silent" in said, said)
    code, said = run("radio", "list", "--cache", "none")
    check("nothing known", code == 1 and "no radiod found; name one with -r" in said, said)
    os.environ["RADIO"] = RADIO


def before_there_is_a_service():
    """The receiver's server is still being looked up, so nothing runs but the radio: a signal ends that in order too."""
    put(ONE.replace("lifetime = 50\n", ""))
    conf = os.path.join(folder.name, "resolv.conf")
    put("nameserver 127.0.0.1\n", conf)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 53))
        if subprocess.run(["mount", "--bind", conf, "/etc/resolv.conf"], check=False).returncode != 0:
            return
        with radiod(), Running("recv", free_port(), "slow.example", free_port(), "--radio-channels", FILE, "--radio-remove") as early:
            check("the channel is made meanwhile", early.wait_for(r"14074 \(ft8\) active, made"), early.said)
            check("and is ended by a signal", early.end(signal.SIGTERM, 20) == 0 and gone(14074), early.read())
        subprocess.run(["umount", "/etc/resolv.conf"], check=True)


def by_control_socket():
    """Channels that a running sender keeps: listed, changed, added and removed over its control socket, and their news."""
    put(TWO.replace("lifetime = 50\n", ""))
    control = os.path.join(folder.name, "steered.sock")
    words = ["send", free_port(), "127.0.0.1", free_port(), "--uplink", "127.0.0.1", "--control", control, "--radio-channels", FILE]

    def ask(method, **params):
        code, said = run("ctl", method, json.dumps(params), "-s", control)
        return json.loads(said) if code == 0 else said

    def state(ssrc):
        return next((c["state"] for c in ask("radio.list")["channels"] if c["ssrc"] == ssrc), None)

    def becomes(condition, seconds=10):
        end = time.monotonic() + seconds
        while time.monotonic() < end and not condition():
            time.sleep(0.05)
        return condition()
    with radiod() as stand_in, Running(*words) as sender, socket.socket(socket.AF_UNIX) as news:
        check("both channels are kept", sender.wait_for("14074 .* active") and sender.wait_for("5000 active"), sender.said)
        listed = ask("radio.list")
        check("radio.list tells radiods and channels", listed["wanted"] == 2 and listed["radios"][0]["group"] == "239.108.155.32:5006"
              and listed["radios"][0]["heard_ms_ago"] >= 0 and listed["channels"][0] == {"radio": RADIO, "ssrc": 14074, "name": "ft8",
              "frequency_hz": 14074000.0, "preset": "usb", "samprate_hz": 12000, "state": "active"}, listed)
        news.settimeout(10)
        news.connect(control)
        heard = news.makefile("r")
        news.sendall(b'{"jsonrpc":"2.0","id":1,"method":"subscribe","params":{"topic":"events"}}\n')
        heard.readline()
        said = ask("radio.set", channel="ft8", frequency="14m080", low=150)
        check("radio.set answers the channel as it is wanted", isinstance(said, dict) and said["frequency_hz"] == 14080000 and said["ssrc"] == 14074, said)
        event = {}
        while event.get("event", "") != "radio_active":
            event = json.loads(heard.readline())["params"]["data"]
        check("and that it is so is an event", event["event"] == "radio_active" and event["ssrc"] == 14074 and event["channel"] == "ft8" and event["radio"] == RADIO, event)
        check("at the radiod too", field(14074, "filter.low_edge") == "150" and field(14074, "channel.frequency").startswith("14080000"), sender.said)
        run("radio", "set", "14074", "filter.low_edge", "400")
        check("it is kept so", becomes(lambda: field(14074, "filter.low_edge") == "150", 15), sender.read())
        said = ask("radio.add", name="new", ssrc=7000, frequency="7m0", preset="lsb")
        check("radio.add", isinstance(said, dict) and said["ssrc"] == 7000 and becomes(lambda: state(7000) == "active"), said)
        said = ask("radio.add", frequency=9.5e6, preset="am")
        check("with a number of its own where none is said", isinstance(said, dict) and said["ssrc"] > 0 and becomes(lambda: state(said["ssrc"]) == "active"), said)
        for params, why in (({"channel": "nobody", "low": 1}, "no such channel is kept"), ({"channel": "ft8"}, "or another field of a channel"),
                            ({"low": 1}, "a channel's number, or its name"), ({"channel": 14074, "presett": "am"}, "'preset' is one"),
                            ({"channel": 14074, "frequency": "loud"}, "that is no value of it"), ({"channel": 14074, "frequency": 0}, "above 0 Hz"),
                            ({"channel": 14074, "lifetime": 3}, "at least 50 blocks"), ({"channel": 14074, "low": [1]}, "that is no value of it"),
                            ({"channel": 14074, "name": "x", "low": 1}, "a channel keeps it"), ({"channel": 14074, "ssrc": 5}, "a channel keeps it"),
                            ({"channel": 14074, "radio": "vhf", "low": 1}, "one of the radios' names")):
            said = ask("radio.set", **params)
            check(f"radio.set refuses {params}", isinstance(said, str) and why in said, said)
        for params, why in (({"preset": "am"}, "above 0 Hz"), ({"frequency": 1e6, "ssrc": 7000}, "a channel of the number 7000 is kept"),
                            ({"frequency": 1e6, "ssrc": 0}, "from 1 to 4294967294"), ({"frequency": 1e6, "name": 7}, "text")):
            said = ask("radio.add", **params)
            check(f"radio.add refuses {params}", isinstance(said, str) and why in said, said)
        check("and nothing of that counts", field(14074, "filter.low_edge") == "150" and ask("radio.list")["wanted"] == 4)
        said = ask("radio.remove", channel="new")
        check("radio.remove", isinstance(said, dict) and state(7000) is None and sender.wait_for(r"7000 \(new\) no longer wanted"), said)
        check("the log says who did what", sender.wait_for(r"14074 is to have frequency 14m080, low 150 \(uid \d+"), sender.said)
        ask("reload")
        check("a reload has what the file says", becomes(lambda: field(14074, "channel.frequency").startswith("14074000")) and ask("radio.list")["wanted"] == 2, sender.read())
        stand_in.kill()
        check("it ends in order", sender.end(signal.SIGTERM, 10) == 0, sender.read())
    with Running("send", free_port(), "127.0.0.1", free_port(), "--uplink", "127.0.0.1", "--control", control) as plain:
        plain.wait_for("waiting for an SRT caller")
        check("who keeps no channels has no such methods", isinstance(ask("radio.list"), str) and "radio.list" not in str(ask("rpc.methods")))


def service():
    put(ONE.replace("lifetime = 50\n", ""))
    for name, words in (("send", ["send", free_port(), "127.0.0.1", free_port(), "--uplink", "127.0.0.1"]),
                        ("recv", ["recv", free_port(), "127.0.0.1", free_port()])):
        control = os.path.join(folder.name, name + ".sock")
        with radiod(), Running(*words, "--control", control, "--radio-channels", FILE, "--radio-remove") as service_running:
            check(f"hawser {name} keeps channels", service_running.wait_for(r"radio 239.108.155.32,lo: 14074 \(ft8\) active, made"), service_running.said)
            put("nonsense\n")
            code, said = run("ctl", "reload", "-s", control)
            check(f"hawser {name}: a reload by the control socket refuses it too, and says why", code == 1 and "channels.toml:1" in said, said)
            put(TWO.replace("lifetime = 50\n", ""))
            code, said = run("ctl", "reload", "-s", control)
            check(f"hawser {name}: and takes up channels", code == 0 and service_running.wait_for("5000 active, made"), service_running.said)
            put("nonsense\n")
            service_running.child.send_signal(signal.SIGHUP)
            check(f"hawser {name} refuses a bad file", service_running.wait_for(r"reload refused, everything stays .*channels.toml:1"), service_running.said)
            put(ONE.replace("lifetime = 50\n", ""))
            check(f"hawser {name} ends in order, and ends them", service_running.end(signal.SIGTERM, 10) == 0 and gone(14074), service_running.said)
    put("nonsense\n")
    refuses("a bad file is no start", 1, "channels.toml:1", "send", free_port(), "127.0.0.1", free_port(), "--uplink", "127.0.0.1", "--radio-channels", FILE)


enter_namespace()
os.environ["RADIO"] = RADIO
for part in (bad_files, keep, restarted, end_is_the_end, unreachable, watch, cache, before_there_is_a_service, by_control_socket, service):
    part()
finish()
