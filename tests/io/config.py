#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The configuration file as an operator meets it: checked, run by both ends, read again by SIGHUP and over the control
socket, and refused whole when anything of it is wrong, while what ran goes on. Needs no root. Arguments: HAWSER."""
import json
import os
import signal
import socket
import tempfile

from program import Running, check, finish, free_port, refuses, run


def write(path, text):
    with open(path, "w") as f:
        f.write(text)


def checked(folder):
    path = os.path.join(folder, "checked.toml")
    code, sample = run("check", "--sample")
    write(path, sample)
    check("the sample is printed", code == 0 and "[sender]" in sample and "[receiver]" in sample)
    code, said = run("check", "-c", path)
    check("the sample is good", code == 0 and "listen = \"127.0.0.1:5000\"" in said and "mode = \"adaptive\"" in said, said)
    check("and says which uplinks there are", "# Its uplinks" in said or "# There is no such uplink" in said, said)
    refuses("a file that is not there", 1, "/no/such.toml: No such file", "check", "-c", "/no/such.toml")
    write(path, "[sender]\nlisten = 5000\nreceiver = \"far:5000\"\nuplinks = \"auto\"\nuplinks_file = \"/no/ips\"\n")
    refuses("a file that names one that is not there", 1, "/no/ips", "check", "-c", path)
    write(path, "[sender]\nlisten = 5000\nreceiver = \"far:5000\"\n")
    refuses("a file that lacks a key", 1, "checked.toml: .*no uplinks|uplinks is missing", "check", "-c", path)
    write(path, "[sender]\nlisten = 5000\nreciever = \"far:5000\"\n")
    refuses("a misspelt key", 1, "checked.toml:3: sender: reciever: there is no such key here; 'receiver' is one", "check", "-c", path)
    write(path, "[sender]\nlisten = 5000\nreceiver = \"far:5000\"\nuplinks = [\"lo\"]\n[[sender.link]]\nuplink = \"lo\"\n"
                "priority = 2\nrate_cap = \"8M\"\nbudget = \"5GB\"\n")
    code, said = run("check", "-c", path)
    check("rules are shown with their uplink", code == 0 and "lo " in said and "priority 2, at most 8 Mbit/s, 5 GB a month" in said, said)
    named = "[sender]\nlisten = 5000\nreceiver = \"far:5000\"\nuplinks = [\"lo\"]\nlookups = \"{}\"\n[[sender.link]]\nuplink = \"lo\"\ndns = [\"10.64.0.1\", \"10.64.0.2:54\"]\n"
    write(path, named.format("auto"))
    code, said = run("check", "-c", path)
    check("and whom it asks for names", code == 0 and "names from 10.64.0.1 10.64.0.2:54" in said, said)
    write(path, named.format("auto").replace("far:", "192.0.2.1:"))
    code, said = run("check", "-c", path)
    check("of an address nobody is asked", code == 0 and "names from" not in said, said)
    write(path, named.format("system"))
    refuses("name servers that nobody asks", 1, "checked.toml: link: dns is for lookups by uplinks", "check", "-c", path)
    write(path, named.format("magic"))
    refuses("lookups of another kind", 1, "checked.toml:5: sender: lookups: one of these was expected: \"auto\", \"system\", \"links\"", "check", "-c", path)
    write(path, named.format("auto").replace("10.64.0.2:54", "dns.example"))
    refuses("a name server by its name", 1, "checked.toml:8: sender.link 1: dns: 'dns.example' is no name server", "check", "-c", path)
    good = "[sender]\nlisten = 5000\nreceiver = \"far:5000\"\nuplinks = [\"lo\"]\n"
    write(path, good + "[sender.pump]\ncpu = 1023\n")
    refuses("a processor that this machine lacks", 1, "checked.toml: pump: cpu: 1023 is no processor", "check", "-c", path)
    write(path, good + "[sender.control]\nsocket = \"/no/such/folder/control\"\n")
    code, said = run("check", "-c", path)
    check("a folder that is not there is noted", code == 0 and "note: control: socket: /no/such/folder: No such file" in said, said)
    write(path, good + "[sender.control]\ngroup = \"root\"\n")
    code, said = run("check", "-c", path)
    check("a group for no socket is noted: a service has its own", code == 0 and "note: control: group: the file names no socket" in said, said)
    write(path, good + f"[sender.control]\nsocket = \"{folder}/control\"\ngroup = \"{os.getegid()}\"\n")
    code, said = run("check", "-c", path)
    check("a group by its number", code == 0 and "control: group" not in said, said)
    write(path, good + "[sender.control]\nsocket = \"/tmp/c\"\ngroup = \"no such group\"\n")
    refuses("a group that there is none of", 1, "control: group: there is no group no such group", "check", "-c", path)
    write(path, good + "[sender.control]\ngroup = \"root\"\n")
    refuses("where there is none it is refused", 78, "checked.toml: control: group is for a socket", "send", "-c", path)
    write(path, good.replace("5000", free_port(), 1).replace("far", "127.0.0.1") + "[sender.control]\ngroup = \"root\"\n")
    os.environ["RUNTIME_DIRECTORY"] = folder
    with Running("send", "-c", path) as send:
        check("and a service takes it", send.wait_for("waiting for an SRT caller") and os.path.exists(os.path.join(folder, "control")), send.said)
        send.end(15)
    os.environ.pop("RUNTIME_DIRECTORY")
    write(path, good)
    refuses("a bitrate that no file is to hold", 78, "encoder: .*need a bitrate_file", "send", "-c", path, "--bitrate-max", "800000")
    bitrate = os.path.join(folder, "bitrate")
    write(path, good.replace("5000", free_port(), 1).replace("far", "127.0.0.1") + f"[sender.encoder]\nbitrate_file = \"{bitrate}\"\n")
    with Running("send", "-c", path, "--bitrate-max", "800000") as send:
        check("which the file names", send.wait_for("waiting for an SRT caller") and os.path.exists(bitrate), send.said)
    duplicates(folder, good)
    obstacles(folder, good)
    ports(folder)
    refuses("recv with a file for send alone", 78, "checked.toml: it has nothing on this role", "recv", "-c", path)
    if not os.path.exists("/etc/hawser/hawser.toml"):  # which would run
        refuses("send without words or file", 2, "SRT_LISTEN_PORT is required", "send")
    write(path, "[sender]\nlisten = \"nowhere:1\"\n")
    refuses("send with a bad file", 78, "checked.toml:2: sender: listen", "send", "-c", path)


def duplicates(folder, good):
    """Settings may stand behind the second one that the first one lacks."""
    path = os.path.join(folder, "twice.toml")
    for uplinks in (["127.0.0.2", "127.0.0.2 metered"], ["127.0.0.2", "lo", " 127.0.0.2"], ["auto", "auto "]):
        write(path, good.replace('["lo"]', json.dumps(uplinks)))
        refuses(f"an uplink twice: {uplinks}", 1, "twice.toml: .*is an uplink already", "check", "-c", path)
    write(os.path.join(folder, "ips"), "127.0.0.2\n")
    write(path, good.replace('["lo"]', f'["127.0.0.2"]\nuplinks_file = "{folder}/ips"'))
    refuses("once in the list and once in the file of uplinks", 1, "'127.0.0.2' is an uplink already", "check", "-c", path)
    refuses("twice on the command line", 1, "'127.0.0.2 metered' is an uplink already",
            "send", free_port(), "127.0.0.1", free_port(), "-u", "127.0.0.2", "-u", "127.0.0.2 metered")


def obstacles(folder, good):
    """What a start would meet is found by check."""
    path = os.path.join(folder, "obstacles.toml")
    write(os.path.join(folder, "file"), "")
    for table, pattern in (("[sender.encoder]\nbitrate_file = \"/no/such/bitrate\"", "encoder: bitrate_file: /no/such: No such file"),
                           (f"[sender.encoder]\nbitrate_file = \"{folder}/file/bitrate\"", "encoder: bitrate_file: .*file: Not a directory"),
                           (f"[sender.encoder]\nbitrate_file = \"{folder}/b\"\nbitrate_signal = \"4194304\"", "encoder: bitrate_signal: there is no process 4194304"),
                           (f"[sender.events]\nto = \"{folder}/file/events\"", "events: to: .*file: Not a directory"),
                           (f"[[sender.link]]\nuplink = \"lo\"\nbudget = \"1GB\"\n[sender.pump]\n", "state_dir: .*file: Not a directory")):
        state = "state_dir" in pattern
        write(path, (good + f"state_dir = \"{folder}/file/state\"\n" if state else good) + table)
        refuses(f"check finds {pattern}", 1, "obstacles.toml: " + pattern, "check", "-c", path)
        refuses(f"so does a start, which may be tried again: {pattern}", 1, "obstacles.toml: " + pattern, "send", "-c", path)
    for text, code, pattern in (("uplinks_file = \"/no/ips\"\n", 1, "/no/ips: No such file"),
                                (f"uplinks_file = \"{folder}/file\"\n", 1, "Failed to parse any IP addresses"),
                                ("[sender.radio]\nchannels = \"/no/channels\"\n", 1, "/no/channels"),
                                ("[sender.encoder]\nbitrate_max = 800000\n", 78, "need a bitrate_file"),
                                ("uplinks = [\"lo\", \"lo\"]\n", 78, "'lo' is there twice"),
                                ("uplinks = [\"a b c d\"]\n", 78, "obstacles.toml:4: sender: uplinks")):
        write(path, (good.replace('uplinks = ["lo"]\n', "") if "uplinks" in text else good) + text)
        refuses(f"a start by {text.strip()}", code, pattern, "send", "-c", path)
    refuses("a start by a file that is not there", 1, "/no/such.toml: No such file", "send", "-c", "/no/such.toml")
    write(path, "[receiver]\nlisten = 5000\nserver = \"far:4001\"\nclient_files = \"/no/such/folder\"\n")
    refuses("recv without its folder", 1, "client_files: there is no folder", "recv", "-c", path)
    write(path, good + "state_dir = \"/var/lib/hawser/send\"\n[sender.encoder]\nbitrate_file = \"/run/hawser/send/bitrate\"\n")
    code, said = run("check", "-c", path)
    check("the units' own folders are made at the start", code == 0, said)


def ports(folder):
    """Addresses that cannot be listened on: of another machine they are a fault, those that somebody has a note; and a
    reload that brings one is refused."""
    path = os.path.join(folder, "ports.toml")
    words = "[{}]\nlisten = \"{}:{}\"\n" + 'receiver = "127.0.0.1:9"\nuplinks = ["127.0.0.2"]\n'
    receiver = "[{}]\nlisten = \"{}:{}\"\nserver = \"127.0.0.1:9\"\n"
    udp, tcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket()
    for taken in (udp, tcp):
        taken.bind(("127.0.0.1", 0))
    tcp.listen()
    udp_port, tcp_port = udp.getsockname()[1], tcp.getsockname()[1]
    for role, text in (("sender", words), ("receiver", receiver)):
        write(path, text.format(role, "192.0.2.77", 5000))
        refuses(f"check finds an address of another machine: {role}", 1, f"ports.toml: {role}: listen: 192.0.2.77:5000: Cannot assign", "check", "-c", path)
        write(path, text.format(role, "127.0.0.1", udp_port) + f"[{role}.metrics]\nlisten = \"127.0.0.1:{tcp_port}\"\n")
        code, said = run("check", "-c", path)
        check(f"and notes ports in use: {role}", code == 0 and f"note: {role}: listen: 127.0.0.1:{udp_port}: Address already in use" in said
              and f"note: metrics: listen: 127.0.0.1:{tcp_port}: Address already in use" in said, said)
        free = free_port()
        write(path, text.format(role, "127.0.0.1", free))
        with Running({"sender": "send", "receiver": "recv"}[role], "-c", path) as running:
            check(f"a {role} begins", running.wait_for("waiting for"), running.said)
            write(path, text.format(role, "127.0.0.1", udp_port))
            running.child.send_signal(signal.SIGHUP)
            check("a reload that brings a port in use is refused", running.wait_for(f"reload refused.*{role}: listen: 127.0.0.1:{udp_port}: Address already in use"), running.said)
            write(path, text.format(role, "0.0.0.0", free))
            running.child.send_signal(signal.SIGHUP)
            check("one for its own port is not", running.wait_for("listen has changed, which counts from the next start on"), running.said)
    udp.close()
    tcp.close()


def file_of(ports, uplinks, mode, more=""):
    return (f"[sender]\nlisten = {ports['srt']}\nreceiver = \"127.0.0.1:{ports['srtla']}\"\nuplinks = {json.dumps(uplinks)}\n"
            f"[sender.selection]\nmode = \"{mode}\"\n[sender.control]\nsocket = \"{ports['control']}\"\n{more}"
            f"[receiver]\nlisten = \"127.0.0.1:{ports['srtla']}\"\nserver = \"127.0.0.1:{ports['server']}\"\n")


def status(path):
    code, said = run("ctl", "-s", path, "config.get")
    return json.loads(said) if code == 0 else {}


def live(folder):
    ports = {"srt": free_port(), "srtla": free_port(), "server": free_port(), "control": os.path.join(folder, "control")}
    path = os.path.join(folder, "hawser.toml")
    write(path, file_of(ports, ["127.0.0.2", "127.0.0.3"], "enhanced"))
    with Running("recv", "-c", path) as recv:
        check("the receiver runs by the file", recv.wait_for("waiting for SRTLA senders"), recv.said)
        with Running("send", "-c", path, "--log-level", "debug") as send:
            check("the sender runs by the file", send.wait_for(r"(?s)connection established.*connection established"), send.said)
            got = status(ports["control"])
            check("what holds is told", got.get("file") == path and got["sender"]["selection"]["mode"] == "enhanced"
                  and got["sender"]["log"]["level"] == "debug" and got["sender"]["encoder"]["bitrate_file"] is None, str(got))

            write(path, file_of(ports, ["127.0.0.3", "127.0.0.4"], "classic", "[sender.pump]\nio = \"epoll\"\n"))
            send.child.send_signal(signal.SIGHUP)
            check("a reload takes uplinks away", send.wait_for("Removed connection via 127.0.0.2"), send.said)
            check("and adds some", send.wait_for("Added connection via 127.0.0.4"), send.said)
            check("which has its predecessor's place, not its end", send.wait_for(r"127\.0\.0\.4.*connection established") and
                  "removed" not in send.read(), send.said)
            check("tells what changed", send.wait_for("reload: sender.selection.mode has changed"), send.said)
            check("and what waits for a start", send.wait_for("reload: sender.pump.io has changed, which counts from the next start on"), send.said)
            got = status(ports["control"])
            check("it holds now", got["sender"]["selection"]["mode"] == "classic" and got["sender"]["pump"]["io"] == "auto", str(got))
            check("the command line goes before the file still", got["sender"]["log"]["level"] == "debug", str(got))

            for text, pattern in ((file_of(ports, ["127.0.0.3"], "fast"), r"hawser.toml:6: sender.selection: mode: one of"),
                                  (file_of(ports, ["127.0.0.300"], "enhanced"), r"hawser.toml:4: sender: uplinks: '127.0.0.300'"),
                                  (file_of(ports, ["127.0.0.3"], "enhanced") + "receiver = 3\n", r"hawser.toml:\d+: receiver: receiver: there is no"),
                                  ("", "neither")):
                mark = len(send.read())
                write(path, text)
                send.child.send_signal(signal.SIGHUP)
                check(f"a bad file is refused: {pattern}", send.wait_for(f"reload refused, everything stays as it is: .*{pattern}", after=mark), send.said[mark:])
            for table in ("[sender.encoder]\nbitrate_file = \"/no/such/bitrate\"\n", "[sender.events]\nto = \"/dev/null/events\"\n",
                          f"[sender.encoder]\nbitrate_file = \"{folder}/b\"\nbitrate_signal = \"4194304\"\n"):
                write(path, file_of(ports, ["127.0.0.4"], "adaptive", table))
                code, said = run("ctl", "-s", ports["control"], "reload")
                check(f"what the next start would refuse is refused now: {table}", code == 1 and "hawser.toml: " in said, said)
            write(path, file_of(ports, ["127.0.0.4"], "adaptive").replace("listen", "state_dir = \"/dev/null/state\"\nlisten", 1))
            code, said = run("ctl", "-s", ports["control"], "reload")
            check("and a folder for the state that cannot be made", code == 1 and "state_dir: /dev/null: Not a directory" in said, said)
            os.unlink(path)
            code, said = run("ctl", "-s", ports["control"], "reload")
            check("over the control socket too", code == 1 and "No such file" in said, said)
            got = status(ports["control"])
            check("what ran goes on", got["sender"]["selection"]["mode"] == "classic" and got["sender"]["uplinks"] == ["127.0.0.3", "127.0.0.4"], str(got))
            check("with its uplinks", "Removed connection via 127.0.0.3" not in send.read(), send.said)

            write(path, file_of(ports, ["127.0.0.3"], "adaptive"))
            code, said = run("ctl", "-s", ports["control"], "reload")
            check("a good one is taken over the control socket", code == 0 and send.wait_for("Removed connection via 127.0.0.4"), said + send.said)
            other = dict(ports, server=free_port())
            write(path, file_of(other, ["127.0.0.3"], "adaptive") + "groups = 7\n")
            recv.child.send_signal(signal.SIGHUP)
            check("the receiver reloads", recv.wait_for("reload: receiver.server has changed") and
                  recv.wait_for("reload: receiver.groups has changed, which counts from the next start on"), recv.said)
            write(path, "[receiver]\nserver = 5\n")
            recv.child.send_signal(signal.SIGHUP)
            check("and refuses a bad file", recv.wait_for("reload refused, everything stays as it is: .*hawser.toml:2: receiver: server"), recv.said)
            check("the sender ends", send.end(signal.SIGTERM) == 0, send.said)
        check("the receiver ends", recv.end(signal.SIGTERM) == 0, recv.said)


with tempfile.TemporaryDirectory() as where:
    checked(where)
    live(where)
finish()
