#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Two modems of one make, which give the same address and the same gateway, carry the picture together: each socket is
bound to its device. Argument: what an uplink is written as, `interface` or `address` (with the device)."""
import shutil
import subprocess

from lab import Skip, ip, main, wait

OWN, MODEM = "192.168.8.100", "192.168.8.1"


def add_modem(lab, number):
    """A namespace that plays the modem: it translates addresses towards a network of its own."""
    name = f"{lab.sender_ns}-m{number}"
    ip("netns", "add", name)
    lab.stack.callback(ip, "netns", "del", name)
    ip("-n", name, "link", "set", "lo", "up")
    subprocess.run(["ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv4.ip_forward=1"], check=True)
    lab._pair(lab.sender_ns, f"usb{number}", name, "lan")
    lab._pair(name, "wan", lab.receiver_ns, f"r{number}")
    lab._address(lab.sender_ns, f"usb{number}", f"{OWN}/24")
    lab._address(name, "lan", f"{MODEM}/24")
    lab._address(name, "wan", f"10.98.{number}.2/24")
    lab._address(lab.receiver_ns, f"r{number}", f"10.98.{number}.1/24")
    ip("-n", name, "route", "add", "default", "via", f"10.98.{number}.1")
    ip("-n", lab.sender_ns, "route", "add", "default", "via", MODEM, "dev", f"usb{number}", "metric", str(100 + number))
    lab._tbf("add", lab.sender_ns, f"usb{number}", lab.link_kbps)
    rules = "table ip nat {\nchain out {\ntype nat hook postrouting priority 100\noifname wan masquerade\n}\n}"
    done = subprocess.run(["ip", "netns", "exec", name, "nft", rules], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Skip(f"no address translation: {done.stderr.strip()}")


def scenario(lab, kind):
    if shutil.which("nft") is None:
        raise Skip("missing: nft")
    for number in (1, 2):
        add_modem(lab, number)
    path = lab.folder / "twins"
    path.write_text("".join((f"usb{n}\n" if kind == "interface" else f"{OWN}%usb{n}\n") for n in (1, 2)))
    lab.write_uplinks = lambda links: path
    lab.start_sink()
    lab.start_recv("--listen", lab.receiver_address)
    lab.start_send()
    lab.start_source()
    lab.wait_flowing(10)

    def sent(number):
        words = ["ip", "netns", "exec", lab.sender_ns, "cat", f"/sys/class/net/usb{number}/statistics/tx_bytes"]
        return int(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    for number in (1, 2):
        before = sent(number)
        wait(f"data on usb{number}", lambda n=number, b=before: sent(n) > b + 100_000, 10)
    lab.finish_whole(5)


main(scenario, links=1)
