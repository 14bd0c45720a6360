#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""hawser sim at its command line: a recorded bad trip is replayed, the figures are the same twice, and whatever is wrong
in a scenario or a recording is named with file, line and key. Needs no root. Arguments: HAWSER."""
import json
import os
import shutil
import subprocess
import tempfile
import xml.dom.minidom

from program import HAWSER, check, finish, refuses, run

SCENARIO = """
about = "the bus to the station"
seconds = 5
load = 80
latency = 1000

[[link]]
name = "operator A"
trace = "a.up"
offset = 1
delay = 25
queue = 600
loss = 0.01
down = { trace = "a.down" }

[[link]]
name = "operator B"
trace = "b.rates"
delay = 40
jitter = 5

[[link.outage]]
kind = "dark"
start = 2
length = 1.5
way = "up"
"""


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as f:
        f.write(text)
    return path


def recorded(folder):
    """Opportunities in milliseconds with a fade, and rates by the second."""
    write(folder, "a.up", "".join(f"{t}\n" for t in range(0, 20000, 4) if not 9000 < t < 10500))
    write(folder, "a.down", "".join(f"{t}\n" for t in range(0, 20001, 2)))
    write(folder, "b.rates", "# seconds kbit/s\n0 2000\n3 400\n4 3000\n9 1500\n20 0\n")
    return write(folder, "bus.toml", SCENARIO)


def numbers(*arguments):
    done = subprocess.run([HAWSER, "sim", *arguments, "--json"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=120)
    check(f"sim {' '.join(arguments)} exits well and says nothing beside", done.returncode == 0 and not done.stderr, done.stderr)
    return done.stdout


def replay(folder):
    bus = recorded(folder)
    said = numbers(bus, "--seeds", "2", "--select", "classic,enhanced", "--receiver", "plain,hawser")
    report = json.loads(said)
    check("each selector, receiver and seed has its trip", len(report["runs"]) == 8 and len(report["cells"]) == 4, said[:400])
    for one in report["runs"]:
        check("the trip connected and delivered", one["connected"] and one["on_time"] > 0.3, str(one)[:300])
        check("the outage took its toll on the second link", one["links"][1]["up"]["dropped_outage"] > 0, str(one)[:300])
        check("the way back stayed open", one["links"][1]["down"]["dropped_outage"] == 0)
        check("nobody beats the oracle by more than the grace it is not given", one["on_time"] <= one["omniscient"] + 0.03, str(one)[:300])
    check("the same trips a second time, and on one processor, come to the same",
          numbers(bus, "--seeds", "2", "--select", "classic,enhanced", "--receiver", "plain,hawser", "--jobs", "1") == said)

    svg = os.path.join(folder, "bus.svg")
    code, table = run("sim", bus, "--seconds", "4", "--plot", svg, "--load", "60,90", seconds=60)
    check("the table names what was run", code == 0 and table.count("bus") == 6 and "adaptive" in table, table)
    check("the plot is well-formed", xml.dom.minidom.parse(svg).documentElement.tagName == "svg")
    refuses("a plot that cannot be written", 1, "cannot write /no/such/folder", "sim", "a-equal", "--seconds", "1", "--plot",
            "/no/such/folder/x.svg")


def built_in(folder):
    code, names = run("sim", "--list")
    check("--list names the built-in scenarios", code == 0 and names.count("\n") >= 6 and "c-cellular" in names, names)
    code, text = run("sim", "--show", "d-lossy")
    check("--show prints one that can be run as a file", code == 0)
    mine, theirs = numbers(write(folder, "mine.toml", text), "--seconds", "2"), numbers("d-lossy", "--seconds", "2")
    check("and comes to the same", mine.replace('"mine"', '"d-lossy"') == theirs)


def recording(folder):
    """A flight recording: a small one of those that the fuzzer begins with."""
    corpus = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fuzz", "corpus", "recording")
    path = os.path.join(folder, "trip.pcapng")
    shutil.copy(os.path.join(corpus, "classic"), path)
    code, table = run("sim", path)
    check("a recording runs with each selector", code == 0 and table.count("\ntrip ") == 3, table)
    code, said = run("sim", path, "--write", os.path.join(folder, "made"))
    check("and is written", code == 0 and os.path.join(folder, "made", "trip.toml") in said, said)
    check("to what runs as it did", run("sim", os.path.join(folder, "made", "trip.toml"))[1].splitlines()[-3:] == table.splitlines()[-3:])
    refuses("files that are there", 1, "trip-1-one.rates is there already", "sim", path, "--write", os.path.join(folder, "made"))
    refuses("another scenario to write", 2, "--write takes recordings .*not a-equal", "sim", "a-equal", "--write", folder)
    refuses("a recording that is none", 1, r"bus.pcapng: at byte 0: this is no pcapng file", "sim",
            write(folder, "bus.pcapng", "seven\n"))
    refuses("a recording that is missing", 1, "cannot read .*none.pcapng: No such file", "sim", os.path.join(folder, "none.pcapng"))
    shutil.copy(os.path.join(corpus, "classic_torn"), path)
    code, table = run("sim", path)
    check("a torn one says so", code == 0 and "the file ends within a block; what came before is used" in table, table)


def bad_words(folder):
    bus = recorded(folder)
    refuses("no scenario", 2, "no SCENARIO given", "sim")
    refuses("an unknown scenario", 1, "there is no scenario 'zebra'", "sim", "zebra")
    refuses("a missing file", 1, "cannot read .*none.toml: No such file", "sim", "./none.toml")
    refuses("a bad selector", 2, "--select", "sim", "a-equal", "--select", "fastest")
    refuses("a bad load", 2, "--load", "sim", "a-equal", "--load", "0")
    refuses("no seeds", 2, "--seeds", "sim", "a-equal", "--seeds", "0")
    refuses("an unknown built-in scenario to show", 2, "no built-in scenario 'zebra'", "sim", "--show", "zebra")
    for title, change, pattern in (
            ("a wrong key", ("delay = 40", "dealy = 40"), r"bus\.toml:19: link 2: dealy: there is no such key here"),
            ("a wrong value", ("loss = 0.01", "loss = 1.5"), r"bus\.toml:13: link 1: loss: a number of a share between 0 and 1"),
            ("a wrong word", ('kind = "dark"', 'kind = "dim"'), r"bus\.toml:23: link 2: outage: kind: 'dim' is none of"),
            ("no TOML", ("[[link]]", "[[link]"), r"bus\.toml:7: "),
            ("a missing recording", ("a.up", "c.up"), r"bus\.toml:9: link 1: trace: cannot read .*c\.up: No such file")):
        write(folder, "bus.toml", SCENARIO.replace(*change))
        refuses(title, 1, pattern, "sim", bus)
    recorded(folder)
    write(folder, "a.up", "0\n7\nseven\n")
    refuses("a bad recording", 1, r"bus\.toml:9: link 1: trace: .*a\.up:3: 'seven' is no number", "sim", bus)


with tempfile.TemporaryDirectory() as work:
    replay(work)
    built_in(work)
    recording(work)
    bad_words(work)
finish()
