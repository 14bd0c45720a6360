#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`hawser doctor` in two network namespaces with two links between them: what it finds, and that the commands it prints
mend it. Needs root. Arguments: HAWSER."""
import ctypes
import json
import os
import subprocess
import sys
import tempfile

from program import HAWSER, check, finish, refuses, run

RECEIVER, PORT = "10.99.0.1", "5000"
ODD = b"\xff\x1bodd"  # a name of an interface, by the kernel's law
FAR = f"hawser-doctor-{os.getpid()}"  # the receiver's namespace; the sender's is this process's own


def ip(*words):
    return subprocess.run(["ip", *words], check=False, capture_output=True).returncode == 0


def far(*words):
    return ip("-n", FAR, *words)


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def lay_links():
    if not ip("netns", "add", FAR):
        skip("no network namespace (needs root)")
    # Its name was made where all see it; from here on this process is alone.
    if ctypes.CDLL(None, use_errno=True).unshare(0x40000000) != 0:  # CLONE_NEWNET
        skip("no network namespace (needs root)")
    ok = ip("link", "set", "lo", "up") and far("link", "set", "lo", "up") and far("addr", "add", f"{RECEIVER}/32", "dev", "lo")
    for i in (0, 1):
        ok = (ok and ip("link", "add", f"usb{i}", "type", "veth", "peer", "name", f"r{i}", "netns", FAR)
              and ip("addr", "add", f"10.1.{i}.2/24", "dev", f"usb{i}") and ip("link", "set", f"usb{i}", "up")
              and far("addr", "add", f"10.1.{i}.1/24", "dev", f"r{i}") and far("link", "set", f"r{i}", "up"))
    if not ok or not ip("route", "add", "default", "via", "10.1.0.1", "dev", "usb0"):
        skip("no veth links between namespaces")


def doctor(*uplinks, code=None):
    """What it found, by uplink."""
    got, said = run("doctor", RECEIVER, PORT, "--json", *(word for u in uplinks for word in ("-u", u)))
    if code is not None:
        check(f"exit code {code} for {uplinks}", got == code, said)
    return {row["uplink"]: row for row in json.loads(said)["uplinks"]} if said.startswith("{") else {"": said}


def mend(row):
    """Runs what it prints, word for word."""
    check("commands to run", row["commands"], row)
    for command in row["commands"]:
        done = subprocess.run(command.split(), capture_output=True, text=True, check=False)
        check(f"`{command}` can be run", done.returncode == 0, done.stderr)


def command_line():
    refuses("no receiver", 2, "SRTLA_HOST is required", "doctor")
    refuses("a port that is none", 2, "port", "doctor", RECEIVER, "0")
    refuses("a name that does not exist", 1, "cannot resolve", "doctor", "no.such.host.invalid", PORT, "-u", "10.1.0.2")
    refuses("a file that does not exist", 1, "cannot read the uplink file", "doctor", RECEIVER, PORT, "/nonexistent")


def no_receiver_yet():
    row = doctor("10.1.0.2", code=1)["10.1.0.2"]
    check("a host where nothing listens", row["ailment"] == "port_closed" and "UDP port 5000" in row["text"], row)


def routes():
    rows = doctor("10.1.0.2", "10.1.1.2", code=1)
    good, bad = rows["10.1.0.2"], rows["10.1.1.2"]
    check("the default route's link is well", good["ok"] and good["interface"] == "usb0" and good["round_trip_us"] > 0, good)
    check("the other leaves by the first", bad["ailment"] == "wrong_interface" and "leave by usb0, not by usb1" in bad["text"] and
          bad["interface"] == "usb1", bad)
    mend(bad)
    check("its commands mend it", doctor("10.1.0.2", "10.1.1.2", code=0)["10.1.1.2"]["ok"], rows)
    ip("rule", "del", "from", "10.1.1.2")
    row = doctor("10.1.1.2")["10.1.1.2"]
    check("with the table there only the rule is missing", len(row["commands"]) == 1 and "rule add" in row["commands"][0], row)
    for table in ("20000", *(str(20000 + i) for i in range(1, 200))):
        ip("route", "flush", "table", table)


def devices():
    row = doctor("10.1.1.2%usb1", code=1)["10.1.1.2%usb1"]
    check("a device without a way out", row["ailment"] == "no_route" and "no route leads from usb1" in row["text"], row)
    mend(row)
    rows = doctor("10.1.1.2%usb1")
    check("its command mends it", rows["10.1.1.2%usb1"]["ok"], rows)
    subprocess.run(["sysctl", "-qw", "net.ipv4.conf.usb1.rp_filter=1"], check=True)
    row = doctor("10.1.1.2%usb1", code=1)["10.1.1.2%usb1"]
    check("strict filtering is named", row["ailment"] == "replies_dropped" and "rp_filter" in row["text"], row)
    mend(row)
    check("and mended", doctor("10.1.1.2%usb1")["10.1.1.2%usb1"]["ok"], row)


def policy_routes():
    """An interface whose way out is in a table of its own, by a rule for its address: as routers and modem managers have it."""
    ip("route", "del", "default", "dev", "usb1")
    ip("route", "add", "default", "via", "10.1.1.1", "dev", "usb1", "table", "100")
    ip("rule", "add", "from", "10.1.1.2", "lookup", "100")
    for uplink in ("usb1", "10.1.1.2%usb1", "10.1.1.2"):
        row = doctor(uplink, code=0).get(uplink, {})
        check(f"{uplink} with a rule for its address is well", row.get("ok") and row["interface"] == "usb1", row)
    ip("rule", "del", "from", "10.1.1.2")
    row = doctor("usb1", code=1).get("usb1", {})
    check("without the rule it is not", row.get("ailment") == "no_route", row)
    ip("route", "flush", "table", "100")
    mend(row)


def automatic():
    """`auto` means what it means to hawser send."""
    made = (ip("link", "add", "docker0", "type", "veth", "peer", "name", "d0") and ip("addr", "add", "172.17.0.1/16", "dev", "docker0")
            and ip("link", "set", "docker0", "up") and ip("link", "set", "d0", "up"))
    check("an interface that auto leaves out", made)
    check("is not looked at", "docker0" not in doctor("auto") and "usb0" in doctor("auto"), doctor("auto"))
    check("unless it is named", "docker0" in doctor("docker0"))
    _, said = run("doctor", RECEIVER, PORT)
    check("nor where nothing is named", "docker0" not in said and "usb0" in said, said)
    _, said = run("doctor", RECEIVER, PORT, "-u", "auto", "--auto-include", "usb1")
    check("patterns are those of hawser send", "usb0" not in said and "usb1" in said, said)
    _, said = run("doctor", RECEIVER, PORT, "-u", "auto", "--auto-exclude", "usb*", "--auto-exclude", "docker*")
    check("and leave nothing where nothing fits", "no uplinks to look at" in said, said)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "hawser.toml")
        write(path, f'[sender]\nlisten = 9000\nreceiver = "{RECEIVER}:{PORT}"\nuplinks = ["auto"]\nauto_exclude = ["docker*", "usb1"]\n')
        _, said = run("doctor", "-c", path)
        check("a configuration file says it all", "usb0" in said and "usb1" not in said and "docker0" not in said, said)
        _, said = run("doctor", "-c", path, "-u", "usb1")
        check("and the line goes before it", "usb0" not in said and "usb1" in said, said)
        write(path, '[receiver]\nlisten = 5000\nserver = "127.0.0.1:4001"\n')
        refuses("a file of a receiver", 1, r"has no \[sender\]", "doctor", "-c", path)
    ip("link", "del", "docker0")


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def interfaces():
    _, said = run("doctor", RECEIVER, PORT)
    check("without a list every interface is looked at", said.count("\n") == 2 and "usb0" in said and "usb1" in said, said)
    row = doctor("10.1.1.2%wwan7")["10.1.1.2%wwan7"]
    check("an interface that is not there", row["ailment"] == "no_interface" and "there are usb0, usb1" in row["text"], row)
    odd = (ip("link", "add", ODD, "type", "veth", "peer", "name", "odd") and ip("addr", "add", "10.7.7.7/24", "dev", ODD) and ip("link", "set", "odd", "up")
           and ip("link", "set", ODD, "up"))
    check("an interface of an odd name", odd)
    row = doctor("10.1.1.2%wwan7").get("10.1.1.2%wwan7", {})
    check("a name that is no text does not end it", "there are usb0, usb1, " in row.get("text", "") and "\ufffd" in row.get("text", ""), row)
    _, said = run("doctor", RECEIVER, PORT)
    check("and is told, where it cannot be an uplink", "is not looked at" in said and "\x1b" not in said, said)
    ip("link", "del", ODD)
    row = doctor("10.5.5.5")["10.5.5.5"]
    check("an address that is not there", row["ailment"] == "no_address", row)
    ip("addr", "add", "10.1.0.2/24", "dev", "usb1")
    row = doctor("10.1.0.2")["10.1.0.2"]
    check("an address that two have", row["ailment"] == "shared_address" and "10.1.0.2%usb1" in row["text"], row)
    ip("addr", "del", "10.1.0.2/24", "dev", "usb1")
    ip("link", "set", "usb1", "down")
    row = doctor("10.1.1.2%usb1")["10.1.1.2%usb1"]
    check("an interface that is off", row["ailment"] == "interface_down" and row["commands"] == ["ip link set usb1 up"], row)
    mend(row)


def silence():
    far("route", "add", "blackhole", "10.1.1.2/32")
    ip("route", "add", "default", "via", "10.1.1.1", "dev", "usb1", "metric", "300")
    row = doctor("10.1.1.2%usb1")["10.1.1.2%usb1"]
    check("a way that brings nothing back", row["ailment"] == "no_answer" and "leaves by usb1" in row["text"], row)


lay_links()
try:
    command_line()
    no_receiver_yet()
    receiver = subprocess.Popen(["ip", "netns", "exec", FAR, HAWSER, "recv", "--listen", RECEIVER, PORT, "127.0.0.1",
                                 "4001"],
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = 100
        while not doctor("10.1.0.2").get("10.1.0.2", {}).get("ok") and end > 0:
            end -= 1
        routes()
        devices()
        policy_routes()
        automatic()
        interfaces()
        silence()
    finally:
        receiver.kill()
        receiver.wait()
finally:
    subprocess.run(["ip", "netns", "del", FAR], check=False)
finish()
