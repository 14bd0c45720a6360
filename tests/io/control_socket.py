#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The control socket of the real program, and the commands that use it: each method of both ends, subscriptions, slow and
half-open clients, giant lines, thousands of connections, restarts. Needs no root. Arguments: HAWSER."""
import json
import os
import pty
import re
import resource
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time

from control_client import Control, code, ended
from program import HAWSER, Running, check, finish, free_port, in_namespaces, refuses, run, skip

CLIENTS_MAX = 128


def until(condition, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def send_words(folder, path, uplinks=("127.0.0.2", "127.0.0.3"), receiver=None):
    file = os.path.join(folder, "ips")
    with open(file, "w") as f:
        f.write("".join(u + "\n" for u in uplinks))
    return ["send", free_port(), "127.0.0.1", receiver or free_port(), file, "--control", path]


def sender_methods(folder):
    path = os.path.join(folder, "send.sock")
    with Running(*send_words(folder, path)) as sender:
        check("the socket is there when the sender runs", sender.wait_for("waiting for an SRT caller"), sender.said)
        c = Control(path)
        status = c.ask("get_status")
        check("get_status has the peer's fields", ended(status) and status["result"].get("mode") == "adaptive"
              and status["result"].get("quality_enabled") is True and status["result"].get("stall_deselect") is True
              and status["result"].get("stall_min_in_flight") == 32 and status["result"].get("stall_ack_stale_ms") == 3000
              and status["result"].get("conn_timeout_ms") == 4000, status)
        # The uplinks come when the receiver's name has been looked up.
        until(lambda: c.ask("get_stats")["result"]["total_links"] == 2)
        stats = c.ask("get_stats")["result"]
        peer_fields = {"ip", "label", "connected", "timed_out", "window", "in_flight", "rtt_ms", "nak_count",
                       "bitrate_bytes_per_sec", "rtt_min_ms", "base_score", "quality_multiplier", "stall_gated"}
        check("get_stats has the peer's fields", stats["total_links"] == 2 and stats["active_links"] == 0
              and all(peer_fields <= set(link) for link in stats["links"])
              and {"mode", "quality_enabled", "total_window", "total_in_flight"} <= set(stats), stats)
        check("and ours", {"counters", "pump", "safe_bitrate"} <= set(stats) and "bytes_out" in stats["links"][0], stats)
        for mode in ("classic", "enhanced", "adaptive"):
            said = c.ask("set_mode", {"mode": mode})
            check(f"set_mode {mode}", ended(said) and said["result"] == {"mode": mode}
                  and c.ask("get_status")["result"]["mode"] == mode and c.ask("get_stats")["result"]["mode"] == mode, said)
        check("a mode that is none", code(c.ask("set_mode", {"mode": "best"})) == -32602)
        for method, field in (("set_quality", "quality_enabled"), ("set_stall_deselect", "stall_deselect")):
            for enabled in (False, True):
                said = c.ask(method, {"enabled": enabled})
                check(method, ended(said) and said["result"] == {"enabled": enabled}
                      and c.ask("get_status")["result"][field] is enabled, said)
            check(f"{method} with a number", code(c.ask(method, {"enabled": 1})) == -32602)
        for asked, set_to in ((2500, 2500), (1, 1000), (10**9, 60000)):
            said = c.ask("set_conn_timeout", {"ms": asked})
            check("set_conn_timeout answers what was set", ended(said) and said["result"] == {"ms": set_to}, said)
        check("the timeout is kept", c.ask("get_status")["result"]["conn_timeout_ms"] == 60000)
        check("a timeout that is no number", code(c.ask("set_conn_timeout", {"ms": -5})) == -32602)
        check("version", c.ask("version")["result"].get("program") == "hawser")
        methods = {row["method"] for row in c.ask("rpc.methods")["result"]["methods"]}
        check("rpc.methods lists them", {"get_status", "get_stats", "set_mode", "set_quality", "set_stall_deselect",
              "set_conn_timeout", "subscribe", "unsubscribe", "links.list", "links.add", "links.remove", "log.recent",
              "reload", "version", "rpc.methods", "rpc.clients", "links.set", "budgets.list", "budgets.reset", "budgets.set"}
              <= methods, methods)
        check("the log says who did what", sender.wait_for(r"selection: classic \(uid \d+, pid \d+\)"), sender.said)
        check("log.recent has it too", any("selection: classic" in l["text"]
                                           for l in c.ask("log.recent")["result"]["lines"]))
        limits_by_name(c)
        links_by_name(c, folder, sender)
        c.close()
        check("a clean end", sender.end(signal.SIGTERM) == 0, sender.read())
        check("takes the socket with it", not os.path.exists(path))


def limits_by_name(c):
    def link(name):
        return next((l for l in c.ask("get_stats")["result"]["links"] if l["name"] == name), {})

    def budget(name):
        return next((b for b in c.ask("budgets.list")["result"]["budgets"] if b["link"] == name), {})

    state = os.environ["STATE_DIRECTORY"]
    os.makedirs(state, exist_ok=True)
    with open(state + "/budgets.json", "w", encoding="utf-8") as file:
        json.dump({"format": "hawser budgets", "version": 1, "links": {"127.0.0.2": {
            "from": None, "used_bytes": 7_000_000, "told_percent": 0, "billing_day": 1}}}, file)
    counted = budget("127.0.0.2").get("used_bytes", 0)
    said = c.ask("links.set", {"name": "127.0.0.2", "priority": 2, "cap": "8M", "budget": 50_000_000, "at_limit": "stop"})
    used = budget("127.0.0.2").get("used_bytes", 0)
    check("the first budget finds what an earlier run used, and adds it", 7_000_000 + counted <= used < 8_000_000, (counted, used))
    check("links.set answers the whole policy", ended(said) and said["result"]["policy"] == {
        "priority": 2, "cap_bits_per_second": 8_000_000, "budget_bytes": 50_000_000, "billing_day": 1, "at_limit": "stop",
        "metered": False, "dns": []}, said)
    said = c.ask("links.set", {"name": "127.0.0.2", "dns": "10.64.0.1 10.64.0.2:5353"})
    check("name servers too", ended(said) and said["result"]["policy"]["dns"] == ["10.64.0.1", "10.64.0.2:5353"], said)
    for servers in (["10.64.0.3"], ["10.64.0.1", "10.64.0.2:5353"], []):
        said = c.ask("links.set", {"name": "127.0.0.2", "dns": servers})
        check(f"as a list too, which is how they are answered: {servers}", ended(said) and said["result"]["policy"]["dns"] == servers, said)
    check("it counts at once", until(lambda: link("127.0.0.2").get("priority") == 2
                                     and link("127.0.0.2")["rate_cap_bits_per_second"] == 8_000_000), link("127.0.0.2"))
    check("and for that link alone", link("127.0.0.3")["priority"] == 1)
    for given, expected in (({"priority": 9}, "1 to 4"), ({"cap": "8 apples"}, "is no rate"), ({"cap": 8}, "from 100 kbit"),
                            ({"budget": -1}, "no amount"), ({"at_limit": "explode"}, "demote or stop"),
                            ({"billing_day": 32}, "1 to 31"), ({"metered": "yes"}, "true or false"), ({"dns": "far"}, "is no name server"),
                            ({"dns": ["10.64.0.1", "far"]}, "is no name server"), ({"priority": ["1"]}, "1 to 4"), ({}, "or cap")):
        said = c.ask("links.set", {"name": "127.0.0.2", **given})
        check(f"links.set with {given}", code(said) == -32602 and expected in said["error"]["message"], said)
    check("links.set of a link that is not there", code(c.ask("links.set", {"name": "127.0.0.9", "priority": 2})) == -32000)
    c.ask("subscribe", {"topic": "events"})
    check("budgets.set", ended(c.ask("budgets.set", {"link": "127.0.0.2", "used": "48MB"})))
    warned = c.event("events.update", lambda e: e["event"] == "budget_warning")
    check("a budget nearly used up is an event", warned is not None and warned["params"]["data"]["name"] == "127.0.0.2"
          and "95 %" in warned["params"]["data"]["text"], warned)
    c.ask("budgets.set", {"link": "127.0.0.2", "used": 50_000_000})
    told = c.event("events.update", lambda e: e["event"] == "budget_used_up")
    check("and so is its end", told is not None and "it stops" in told["params"]["data"]["text"], told)
    check("the uplink is stopped", until(lambda: link("127.0.0.2").get("limit") == "stopped"), link("127.0.0.2"))
    row = budget("127.0.0.2")
    check("budgets.list", row.get("state") == "stopped" and row["used_bytes"] >= 50_000_000 and row["used_percent"] >= 100, row)
    check("budgets.reset", ended(c.ask("budgets.reset", {"link": "127.0.0.2"})))
    check("what is used is kept from then on", until(lambda: os.path.exists(state + "/budgets.lock") and "127.0.0.3" in
          open(state + "/budgets.json", encoding="utf-8").read(), 15))
    check("takes its place again", until(lambda: link("127.0.0.2").get("priority") == 2), link("127.0.0.2"))
    check("budgets.reset of none", code(c.ask("budgets.reset", {"link": "nobody"})) == -32000)
    check("budgets.set of nonsense", code(c.ask("budgets.set", {"link": "127.0.0.2", "used": "much"})) == -32602)
    check("and it hears no more", ended(c.ask("unsubscribe", {"subscription_id": "events"})))
    c.events.clear()


def links_by_name(c, folder, sender):
    def names():
        return [link["name"] for link in c.ask("links.list")["result"]["links"]]

    check("links.list", until(lambda: names() == ["127.0.0.2", "127.0.0.3"]), names())
    check("links.add", c.ask("links.add", {"uplink": "127.0.0.4"}).get("result") == {"name": "127.0.0.4"})
    check("it is there", until(lambda: "127.0.0.4" in names()), names())
    check("a link twice", "already" in c.ask("links.add", {"uplink": "127.0.0.4"})["error"]["message"])
    check("a link that is none", code(c.ask("links.add", {"uplink": "300.1.1.1"})) == -32602)
    check("links.remove", ended(c.ask("links.remove", {"name": "127.0.0.2"})))
    check("it is gone", until(lambda: names() == ["127.0.0.3", "127.0.0.4"]), names())
    check("a link that is not there", code(c.ask("links.remove", {"name": "127.0.0.9"})) == -32000)
    check("reload", ended(c.ask("reload")))
    check("brings the file's link back and keeps the added one",
          until(lambda: sorted(names()) == ["127.0.0.2", "127.0.0.3", "127.0.0.4"]), names())
    for name in ("127.0.0.2", "127.0.0.3"):
        c.ask("links.remove", {"name": name})
    last = c.ask("links.remove", {"name": "127.0.0.4"})
    check("the last link stays", code(last) == -32000 and "last uplink" in last["error"]["message"], last)
    os.rename(os.path.join(folder, "ips"), os.path.join(folder, "away"))
    refused = c.ask("reload")
    check("a bad reload is refused with its reason", code(refused) == -32000
          and "No such file" in refused["error"]["message"], refused)
    check("and the links stay", until(lambda: names() == ["127.0.0.4"]), names())
    os.rename(os.path.join(folder, "away"), os.path.join(folder, "ips"))


def receiver_methods(folder):
    path, port = os.path.join(folder, "recv.sock"), free_port()
    with Running("recv", port, "127.0.0.1", free_port(), "--listen", "127.0.0.1", "--control", path) as receiver, \
            tempfile.TemporaryDirectory() as other:
        check("the receiver runs", receiver.wait_for("waiting for SRTLA senders"), receiver.said)
        c = Control(path)
        check("a receiver's get_status", c.ask("get_status")["result"].get("role") == "receiver")
        check("subscribe to events", ended(c.ask("subscribe", {"topic": "events"})))
        with Running(*send_words(other, os.path.join(other, "sock"), receiver=port)):
            event = c.event("events.update", lambda d: d["event"] == "receiver_link_added" and d["link"] == 1)
            check("a receiver tells of links as they come", event, receiver.read())
            groups = c.ask("groups.list")["result"]["groups"]
            check("groups.list", len(groups) == 1 and groups[0]["links"] == 2, groups)
            stats = c.ask("get_stats")["result"]
            check("a receiver's get_stats", len(stats["groups"]) == 1 and len(stats["groups"][0]["links"]) == 2, stats)
            got, said = run("status", "-s", path)
            check("hawser status of a receiver", got == 0 and "1 of 200 groups" in said and "127.0.0.2" in said, said)
        check("reload looks the server up again", ended(c.ask("reload")))
        check("a sender's method is none of a receiver's", code(c.ask("set_mode", {"mode": "classic"})) == -32601)
        c.close()


def bad_input(path):
    c = Control(path)
    c.send('{"jsonrpc":"2.0","id":1,"method":"get_status"\n')
    check("malformed JSON", code(c.line()) == -32700)
    c.send("x" * 200_000 + "\n")
    check("a giant line", code(c.line()) == -32600)
    check("and the next one is answered", ended(c.ask("version")))
    c.send('[{"jsonrpc":"2.0","id":1,"method":"version"},{"jsonrpc":"2.0","method":"version"},7]\n')
    batch = c.line()
    check("a batch", isinstance(batch, list) and len(batch) == 2 and ended(batch[0]) and code(batch[1]) == -32600, batch)
    c.send("[" * 60_000 + "\n")
    check("deep nesting", code(c.line()) == -32700)
    c.send(b'\xff\xfe{}\n')
    check("bytes that are no UTF-8", code(c.line()) == -32700)
    check("an unknown method", code(c.ask("fly")) == -32601)
    check("an unknown topic", code(c.ask("subscribe", {"topic": "weather"})) == -32602)
    c.send('{"jsonrpc":"2.0","id":1,"method":"version"}')
    c.socket.shutdown(socket.SHUT_WR)
    check("a half-closed client gets its answer, and the end", ended(c.line()) and c.line() is None)
    c.close()


def subscriptions(path, sender):
    c, actor = Control(path), Control(path)
    for topic in ("stats", "events", "log", "log"):
        check(f"subscribe {topic}", c.ask("subscribe", {"topic": topic}).get("result") == {"subscription_id": topic})
    first, second = c.event("stats.update"), c.event("stats.update")
    check("stats come each second, as get_stats answers them", first and second and "links" in second["params"]["data"]
          and 500 <= second["params"]["data"]["monotonic_ms"] - first["params"]["data"]["monotonic_ms"] <= 1500,
          [e["params"]["data"]["monotonic_ms"] if e else None for e in (first, second)])
    # Pushed events, from the moment of what they tell: both stamps are of one machine's CLOCK_MONOTONIC.
    delays = []
    for i in range(40):
        actor.ask("links.add", {"uplink": f"127.0.1.{i + 1}"})
        event = c.event("events.update", lambda d: d["event"] == "uplink_opened" and d.get("name") == f"127.0.1.{i + 1}")
        if event:
            delays.append(time.monotonic() * 1000 - event["params"]["data"]["monotonic_ms"])
        actor.ask("links.remove", {"name": f"127.0.1.{i + 1}"})
    delays.sort()
    # The stamp is cut to a millisecond; a loaded machine and a sanitizer delay some.
    check("events arrive within 10 ms of what they tell, half of them at least", len(delays) == 40 and delays[20] < 10, delays)
    print(f"event delay: median {delays[len(delays) // 2]:.1f} ms, most {delays[-1]:.1f} ms" if delays else "no events")
    lines = [c.event("log.update", lambda d: "127.0.1.40 added" in d["text"])]
    check("log lines come as they are logged", lines[0] and lines[0]["params"]["data"]["level"] == "info", lines)
    check("unsubscribe", c.ask("unsubscribe", {"subscription_id": "log"})["result"] == {"removed": True}
          and c.ask("unsubscribe", {"subscription_id": "log"})["result"] == {"removed": False})
    c.events.clear()
    actor.ask("set_quality", {"enabled": True})
    c.ask("version")
    check("nothing comes of what is unsubscribed", not any(e["method"] == "log.update" for e in c.events), c.events)
    slow_reader(path, actor, sender)
    c.close()
    actor.close()


def slow_reader(path, actor, sender):
    """It reads nothing while 2000 log lines are pushed; then it gets the newest, and how many it lost."""
    slow = Control(path)
    slow.ask("subscribe", {"topic": "log"})
    slowest = 0
    for _ in range(40):
        before = time.monotonic()
        for _ in range(50):
            actor.send(json.dumps({"jsonrpc": "2.0", "method": "set_quality", "params": {"enabled": True}}) + "\n")
        actor.ask("version")
        slowest = max(slowest, time.monotonic() - before)
        sender.read()  # what it logs goes to a pipe, too
    actor.ask("set_quality", {"enabled": False})
    got, lost, last = 0, 0, None
    while last is None or "quality off" not in last["params"]["data"]["text"]:
        event = slow.line()
        if event is None:
            break
        if event["method"] == "events.lost":
            lost += event["params"]["count"]
        else:
            got, last = got + 1, event
    check("a slow reader gets the newest, and the count of what it lost", lost > 0 and got + lost == 2001, (got, lost))
    check("and delays nobody", slowest < 5, slowest)
    slow.close()


def crowds(path, pid):
    """10,000 one after another, then 1000 at once, of whom all beyond the bound are told why."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    before = len(os.listdir(f"/proc/{pid}/fd"))
    start = time.monotonic()
    for _ in range(10_000):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        s.connect(path)
        s.close()
    took = time.monotonic() - start
    check("10,000 connections one after another leave nothing behind",
          until(lambda: len(os.listdir(f"/proc/{pid}/fd")) <= before, 30), os.listdir(f"/proc/{pid}/fd"))
    print(f"10,000 connections in {took:.1f} s")
    crowd = []
    for _ in range(1000):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        s.connect(path)  # waits for a place in the queue, which it would not with a timeout
        s.settimeout(10)
        crowd.append(s)
    refused, served = 0, 0
    request = b'{"jsonrpc":"2.0","id":1,"method":"version"}\n'
    for s in crowd:
        try:
            s.sendall(request)
        except OSError:
            pass
    for s in crowd:
        try:
            reply = json.loads(s.makefile("rb").readline() or b"{}")
        except (OSError, ValueError):
            reply = {}
        served += "result" in reply
        refused += code(reply) == -32002
    check("1000 at once: those within the bound are served, the others told why",
          served >= CLIENTS_MAX - 8 and served + refused == 1000, (served, refused))
    # Who is refused reads why before the other end has closed its descriptor.
    check("and no more descriptors than the bound are held",
          until(lambda: len(os.listdir(f"/proc/{pid}/fd")) <= before + CLIENTS_MAX), len(os.listdir(f"/proc/{pid}/fd")) - before)
    for s in crowd:
        s.close()
    check("then all is as before", until(lambda: len(os.listdir(f"/proc/{pid}/fd")) <= before), before)
    c = Control(path)
    check("and a new client is served", ended(c.ask("version")))
    c.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def deaf_subscribers(path):
    """All places are taken by subscribers of whom but one reads nothing. After ten seconds a newcomer gets a place of theirs."""
    clients = []
    while len(clients) < CLIENTS_MAX:
        client = Control(path)
        if "result" not in (client.ask("subscribe", {"topic": "stats"}) or {}):
            break
        clients.append(client)
    listener = clients[0]
    check("all places are taken", len(clients) >= CLIENTS_MAX - 8, len(clients))
    end = time.monotonic() + 11.5
    heard = 0
    while time.monotonic() < end:
        heard += listener.event("stats.update", seconds=1) is not None
    check("who reads hears them all", heard >= 9, heard)
    newcomers = [Control(path) for _ in range(4)]
    check("newcomers take the places of those who do not", all("result" in (n.ask("version") or {}) for n in newcomers))
    check("and not of the one who does", listener.event("stats.update", seconds=3) is not None)
    for c in clients + newcomers:
        c.close()


def automatic_uplinks(folder):
    """Those that `auto` has found, and `auto` itself, can be taken away too. In a network of its own, with two interfaces."""
    path = os.path.join(folder, "auto.sock")
    for i in (0, 1):
        for words in (f"link add u{i} type veth peer name p{i}", f"addr add 10.3.{i}.2/24 dev u{i}", f"link set u{i} up", f"link set p{i} up",
                      f"route add default via 10.3.{i}.1 dev u{i} metric {100 + i}"):
            if subprocess.run(["ip", *words.split()], capture_output=True, check=False).returncode != 0:
                skip("uplinks of auto", "no interfaces can be made")
                return
    with Running("send", free_port(), "10.3.0.1", free_port(), "-u", "auto", "--control", path, "--auto-include", "u*") as sender:
        c = Control(path) if sender.wait_for("waiting for an SRT caller") else None
        names = lambda: sorted(one["name"] for one in c.ask("links.list")["result"]["links"])
        check("auto finds both", until(lambda: names() == ["u0", "u1"]), names())
        check("its events are told", "result" in c.ask("subscribe", {"topic": "events"}))
        told = lambda kind: c.event("events.update", lambda d: d["event"] == kind and d["name"] == "u1")
        subprocess.run(["ip", "link", "set", "u1", "down"], check=True)
        gone = told("uplink_gone")
        check("that one is gone", gone and "has no carrier" in gone["params"]["data"]["text"], gone)
        check("and has no socket then", gone and gone["params"]["data"].get("state") == "no socket", gone)
        subprocess.run(["ip", "link", "set", "u1", "up"], check=True)
        subprocess.run(["ip", "route", "add", "default", "via", "10.3.1.1", "dev", "u1", "metric", "101"], check=True)
        check("and back", told("uplink_back"))
        check("one of them is removed", c.ask("links.remove", {"name": "u0"}).get("result") == {"removed": "u0"} and until(lambda: names() == ["u1"]), names())
        check("and stays away", not until(lambda: "u0" in names(), 1.5), names())
        check("the last one stays", code(c.ask("links.remove", {"name": "u1"})) == -32000 and names() == ["u1"], names())
        check("auto itself is the last then", code(c.ask("links.remove", {"name": "auto"})) == -32000)
        check("a removed one can be named", "result" in c.ask("links.add", {"uplink": "u0"}) and until(lambda: names() == ["u0", "u1"]), names())
        check("and auto be taken away beside it", "result" in c.ask("links.remove", {"name": "auto"}) and until(lambda: names() == ["u0"]), names())
        check("and be added, and taken away again", "result" in c.ask("links.add", {"uplink": "auto"}) and until(lambda: names() == ["u0", "u1"])
              and "result" in c.ask("links.remove", {"name": "auto"}) and until(lambda: names() == ["u0"]), names())
        check("a reload has what the command line says", "result" in c.ask("reload") and until(lambda: names() == ["u0", "u1"]), names())
        check("nor is it named any more", "result" in c.ask("links.remove", {"name": "u0"}) and "result" in c.ask("reload") and until(lambda: names() == ["u0", "u1"]), names())
        check("an address of one takes its place", "result" in c.ask("links.add", {"uplink": "10.3.0.2"}) and until(lambda: names() == ["10.3.0.2", "u1"]), names())
        check("is removed", "result" in c.ask("links.remove", {"name": "10.3.0.2"}) and until(lambda: names() == ["u1"]), names())
        check("and does not come back by its interface", not until(lambda: names() != ["u1"], 1.5), names())
        for words in ("link set u0 down", "link set u0 name u7", "link set u7 up", "route add default via 10.3.0.1 dev u7 metric 100"):
            subprocess.run(["ip", *words.split()], check=True)
        check("nor by that interface's next name", not until(lambda: names() != ["u1"], 1.5), names())
        check("which a reload takes back", "result" in c.ask("reload") and until(lambda: names() == ["u1", "u7"]), names())
        c.close()


def commands(folder, path):
    got, said = run("status", "-s", path)
    check("hawser status", got == 0 and "127.0.0.2" in said and "sender to" in said, said)
    got, said = run("status", "--json", "--socket", path)
    both = json.loads(said) if got == 0 else {}
    check("hawser status --json tells settings and links", both.get("role") == "sender" and [one["label"] for one in both["links"]] == ["127.0.0.2", "127.0.0.3"], said)
    for words, pattern in ((("--watch",), r"(?s)127\.0\.0\.2.*127\.0\.0\.2"), (("--watch", "--json"), r'(?s)"links".*\n.*"links".*\n')):
        with Running("status", *words, "-s", path) as watcher:
            check(f"hawser status {words} tells each second", watcher.wait_for(pattern, 6), watcher.said)
            check("and ends by Ctrl-C with code 0", watcher.end(signal.SIGINT) == 0, watcher.read())
    got, said = run("top", "--once", "-s", path)
    check("hawser top --once", got == 0 and "127.0.0.3" in said and "\033" not in said, said)
    got, said = run("ctl", "set_mode", '{"mode": "classic"}', "-s", path)
    check("hawser ctl", got == 0 and json.loads(said) == {"mode": "classic"}, said)
    got, said = run("ctl", "set_mode", '{"mode": "best"}', "-s", path)
    check("hawser ctl says what is wrong", got == 1 and "classic, enhanced or adaptive" in said, said)
    refuses("hawser ctl with no JSON", 2, "PARAMS is no JSON object", "ctl", "set_mode", "mode", "-s", path)
    refuses("no socket named", 2, "no control socket named", "status")
    refuses("a socket that is not there", 1, "No such file", "status", "-s", os.path.join(folder, "none"))
    refuses("an unknown flag", 2, "--fast", "top", "--fast")
    for command in ("status", "top", "ctl", "log"):
        got, said = run(command, "--help")
        check(f"{command} --help", got == 0 and "HAWSER_CONTROL" in said, said)
    os.environ["HAWSER_CONTROL"] = path
    got, said = run("log")
    check("hawser log, the socket from the environment", got == 0 and "selection: classic (" in said, said)
    del os.environ["HAWSER_CONTROL"]
    refuses("a live socket is refused", 1, "another process serves it", *send_words(folder, path))


def live_view(path):
    """hawser top on a terminal of its own: shows the links, ends by `q`, by a signal, and leaves the terminal as it was."""
    import termios
    for end in ("q", signal.SIGTERM, signal.SIGINT):
        main, side = pty.openpty()
        before = termios.tcgetattr(side)
        child = subprocess.Popen(["hawser", "top", "-s", path], executable=HAWSER, stdin=side, stdout=side, stderr=side)
        seen = b""
        deadline = time.monotonic() + 15
        while b"127.0.0.2" not in seen and time.monotonic() < deadline:
            if select.select([main], [], [], 0.1)[0]:
                seen += os.read(main, 65536)
        check("hawser top shows the links", b"127.0.0.2" in seen and b"\033[?1049h" in seen, seen[-500:])
        check("and takes the terminal", termios.tcgetattr(side)[3] != before[3])
        if end == "q":
            os.write(main, b"q")
        else:
            child.send_signal(end)
        done = until(lambda: child.poll() is not None)
        while select.select([main], [], [], 0.1)[0]:
            seen += os.read(main, 65536)
        check(f"ends by {end}", done and child.returncode == 0, child.returncode)
        check("and gives the terminal back", termios.tcgetattr(side) == before and b"\033[?25h\033[?1049l" in seen,
              seen[-200:])
        if not done:
            child.kill()
            child.wait()
        os.close(main)
        os.close(side)


def restarts(folder):
    """A sender that is killed leaves its file; the next one takes its place, and a client that waits is back by itself."""
    path = os.path.join(folder, "again.sock")
    with Running(*send_words(folder, path)) as first:
        first.wait_for("waiting for an SRT caller")
        with Running("log", "--follow", "-s", path) as follower:
            until(lambda: "log" in str(run("ctl", "rpc.clients", "-s", path)[1]))
            first.child.kill()
            first.child.wait()
            check("a follower says that the connection is lost", follower.wait_for("trying again"), follower.said)
            check("a killed sender leaves its file", os.path.exists(path))
            with Running(*send_words(folder, path)) as second:
                check("the next one replaces it", second.wait_for("waiting for an SRT caller"), second.said)
                check("the follower comes back", follower.wait_for("hawser: connected", 20), follower.said)
                check("and has what was said meanwhile, once", follower.wait_for("waiting for an SRT caller")
                      and follower.read().count("waiting for an SRT caller") == 1, follower.said)
                until(lambda: '"log"' in run("ctl", "rpc.clients", "-s", path)[1])
                run("ctl", "set_quality", '{"enabled": false}', "-s", path)
                check("and follows again", follower.wait_for(r"quality off \("), follower.said)
            check("a follower ends by Ctrl-C with code 0", follower.end(signal.SIGINT) == 0, follower.read())


def main():
    if len(sys.argv) > 2:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        automatic_uplinks(sys.argv[2])
        finish()
    with tempfile.TemporaryDirectory() as folder:
        sender_methods(folder)
        receiver_methods(folder)
        path = os.path.join(folder, "control.sock")
        with Running(*send_words(folder, path)) as sender:
            sender.wait_for("waiting for an SRT caller")
            bad_input(path)
            subscriptions(path, sender)
            commands(folder, path)
            live_view(path)
            deaf_subscribers(path)
            crowds(path, sender.child.pid)
            check("the sender runs on through all of it", sender.child.poll() is None, sender.read()[-2000:])
            check("and ends as it should", sender.end(signal.SIGTERM) == 0, sender.read()[-2000:])
        restarts(folder)
        in_namespaces("uplinks of auto, in a network of their own", ["-n"], folder)
    finish()


if __name__ == "__main__":
    main()
