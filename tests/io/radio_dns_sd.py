#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Radiods that announce themselves by DNS-SD, found through a private avahi daemon, in network and mount namespaces of
their own. Arguments: HAWSER STAND_IN. Needs root, avahi-daemon, avahi-utils and dbus."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

from program import Running, check, finish, run
from radio_program import Far, enter_mounts, enter_namespace, radiod

folder = tempfile.TemporaryDirectory()

BUS = """<busconfig><type>system</type><listen>unix:path=/run/bus</listen><policy context="default"><allow user="*"/><allow own="*"/>
<allow send_destination="*"/><allow receive_sender="*"/><allow send_type="method_call"/></policy></busconfig>"""
AVAHI = """[server]
host-name=here
use-ipv6=no
allow-interfaces=lo,near0,near1
"""


def put(name, text):
    path = os.path.join(folder.name, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def without_daemon():
    begun = time.monotonic()
    code, said = run("radio", "list", "--cache", "none")
    check("without avahi's daemon it says so at once", code == 1 and "no radiod found" in said and time.monotonic() - begun < 10, said)
    return "built without" not in said


def wait_for(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


def stale(publish):
    """An announcement that outlived its radiod, and whose name belongs to another: it takes nothing from who answers."""
    group = "239.221.39.234"  # of test.local
    publish("test.local", "239.1.2.9", "outlived")
    with Running("radio", "watch", "--interval", "0.2", "-r", "test,lo") as watching:
        check("where nobody answers the announcement is tried", watching.wait_for("nobody answers at " + group + ":5006; trying 239.1.2.9:5006", 20), watching.said)
        with radiod("--status", "test"):
            run("radio", "tune", "-r", group + ",lo", "-s", "7074", "-f", "7m074", "--cache", "none")
            check("it is in the list of all", wait_for(lambda: "outlived" in run("radio", "list")[1], 20))
            code, said = run("radio", "list", "-r", "test,lo")
            check("which makes nobody believe it", code == 0 and "7074000" in said and "trying" not in said, said)
            # The watch asks at the other one meanwhile.
            with Running("radio", "dump", "-r", "test,lo") as dumping:
                heard = wait_for(lambda: run("radio", "list", "-r", group + ",lo", "--cache", "none") and f"-> {group}:5006" in dumping.read(), 20)
                check("dump listens at both", heard, dumping.said)
            check("what goes on asks again where it was", watching.wait_for("7074 appeared", 40), watching.said)


def two_networks(publish):
    """Radiods of one name, and so of one group, on networks of their own."""
    with Far(0, "--status", "hf"), Far(1, "--status", "hf"):
        for number, ssrc in enumerate(("1001", "1002")):
            code, said = run("radio", "tune", "-r", f"hf,near{number}", "-s", ssrc, "-f", "1m0", "--cache", "none")
            check(f"the one on near{number}", code == 0, said)
        publish("hf.local", "239.135.38.120", "twins")

        def rows():
            code, said = run("radio", "list", "--json", "--cache", "none")
            told = json.loads(said.splitlines()[-1]) if code == 0 else []
            return sorted((r["interface"], r["channels"]) for r in told if r["group"] == "239.135.38.120:5006")
        check("both are listed", wait_for(lambda: rows() == [("near0", 1), ("near1", 1)], 20), rows())
        for number, ssrc in enumerate(("1001", "1002")):
            code, said = run("radio", "list", "-r", f"hf,near{number}")
            check(f"each by its own interface, near{number}", code == 0 and ssrc in said and len(said.splitlines()) == 2, said)


def dns_sd():
    os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = "unix:path=/run/bus"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    started = []
    try:
        started.append(subprocess.Popen(["dbus-daemon", "--config-file=" + put("bus.conf", BUS), "--nofork", "--nopidfile"], **quiet))
        if not wait_for(lambda: os.path.exists("/run/bus")):
            print("skipped: no private bus")
            sys.exit(77)
        os.makedirs("/run/avahi-daemon", exist_ok=True)
        started.append(subprocess.Popen(["avahi-daemon", "-f", put("avahi.conf", AVAHI), "--no-drop-root", "--no-chroot", "--no-rlimits"], **quiet))
        # They may be here before the daemon (-f).
        def publish(host, group, name):
            started.append(subprocess.Popen(["avahi-publish-address", "-f", "-R", host, group], **quiet))
            started.append(subprocess.Popen(["avahi-publish-service", "-f", "-H", host, name, "_ka9q-ctl._udp", "5006", "TTL=0"], **quiet))
        publish("siglo.local", "239.108.155.32", "HF radio")
        publish("gone.local", "239.1.2.3", "stale")
        with radiod("--status", "siglo"):
            run("radio", "tune", "-r", "239.108.155.32,lo", "-s", "14074", "-f", "14m074", "--cache", "none")

            def listed():
                code, said = run("radio", "list", "--json")
                return {r["name"]: r for r in json.loads(said.splitlines()[-1])} if code == 0 else {}
            check("both that are announced are found", wait_for(lambda: set(listed()) == {"siglo.local", "gone.local"}, 20), listed())
            found = listed()
            check("with what they say", found.get("siglo.local", {}).get("description") == "HF radio" and found["siglo.local"]["group"] == "239.108.155.32:5006"
                  and found["siglo.local"]["interface"] == "lo" and found["siglo.local"]["found_by"] == "dns-sd", found)
            check("one answers, one does not", found["siglo.local"]["channels"] == 1 and found["gone.local"]["channels"] == 0, found)
            code, said = run("radio", "list")
            check("as a table", code == 0 and "HF radio" in said and "silent" in said and "DNS-SD" in said, said)
            # A name that no resolver knows, announced at another group than radiod computes of it.
            group = "239.135.38.120"  # of hf.local
            publish("odd.local", group, "odd one")
            with radiod("--status", "hf"):
                run("radio", "tune", "-r", group + ",lo", "-s", "7074", "-f", "7m074", "--cache", "none")
                check("the third is announced", wait_for(lambda: "odd.local" in listed(), 20))
                code, said = run("radio", "list", "-r", "odd,lo", "--cache", "none")
                check("it is found where it is announced", code == 0 and "7074000" in said and "by DNS-SD" in said, said)
                with Running("radio", "dump", "-c", "1", "-r", "odd,lo") as dumping:
                    heard = wait_for(lambda: run("radio", "list", "-r", group + ",lo", "--cache", "none") and dumping.child.poll() is not None, 20)
                    check("dump listens where it is announced", heard and dumping.child.returncode == 0 and group in dumping.read(), dumping.read())
            stale(publish)
            two_networks(publish)
            for child in started[:2]:
                child.kill()
                child.wait()
            code, said = run("radio", "list")
            check("later the cache knows them", code == 0 and "siglo.local" in said and "were not found: avahi" in said, said)
    finally:
        for child in started:
            child.kill()
            child.wait()


missing = [p for p in ("dbus-daemon", "avahi-daemon", "avahi-publish-address") if shutil.which(p) is None]
if missing:
    print(f"skipped: {', '.join(missing)} not there (avahi-daemon, avahi-utils, dbus)")
    sys.exit(77)
enter_namespace()
enter_mounts({})
if not without_daemon():
    print("skipped: hawser was built without avahi")
    sys.exit(77)
dns_sd()
finish()
