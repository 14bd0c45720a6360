#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Uplinks by interface: they join when they come, are left when they go, keep their place when they are renumbered, and
the picture does not suffer. Argument: `named`, or `auto` for every interface with a default route: those are followed
when they come back under another name. With `healthy` one of them carries the picture alone and stays as it is:
whatever becomes of the others, two of which share an address at last, nothing is lost."""
import re
import shutil
import subprocess
import time

from lab import BITRATE_KBPS, LATENCY_MS, ip, json_lines, main, wait
from stream import compare

LATE, PULLED, RENUMBERED, FLAPPING = 4, 2, 1, 3
HEALTHY, SWALLOWED, REMOVED = 1, 2, 3  # of `healthy`
SILENT, GONE = "connection failed", "its interface is gone, or has no carrier"
SOON = 1.0  # seconds from a link's address and route to data on it; 0.1 to 0.3 were seen


def route(lab, link):
    """A way out for a socket that is bound to the device: modems that are set up by DHCP have it."""
    ip("-n", lab.sender_ns, "route", "replace", "default", "via", lab.gateway_address(link), "dev", f"u{link}", "metric",
       str(1000 + link), "onlink")


def pull(lab, link):
    ip("-n", lab.sender_ns, "link", "del", f"u{link}")


def put_back(lab, link, address):
    """The modem is there again, as another device of that name; its address comes a moment later, the route last."""
    lab._pair(lab.sender_ns, f"u{link}", lab.router_ns, f"x{link}")
    lab._address(lab.router_ns, f"x{link}", f"{lab.gateway_address(link)}/24")
    for namespace, device in ((lab.sender_ns, f"u{link}"), (lab.router_ns, f"x{link}")):
        lab._tbf("add", namespace, device, lab.link_kbps)
    lab._address(lab.sender_ns, f"u{link}", f"{address}/24")
    route(lab, link)


def carries(lab, link, seconds):
    before = lab.bytes_sent(link)
    wait(f"data on link {link}", lambda: lab.bytes_sent(link) > before + 20_000, seconds)


def data_on(lab, link, seconds):
    """Time until data leaves by it."""
    begun = time.monotonic()
    carries(lab, link, seconds)
    took = time.monotonic() - begun
    assert took < SOON, f"data on link {link} took {took:.2f} s"
    return took


def comes_back_renamed(lab, link, name):
    """The modem is pulled and comes back with the MAC address that it had, and another name."""
    path = ["ip", "netns", "exec", lab.sender_ns, "cat", f"/sys/class/net/u{link}/address"]
    mac = subprocess.run(path, check=True, capture_output=True, text=True).stdout.strip()
    pull(lab, link)
    wait("word of the loss", lambda: lab.send.text().count(f"uplink u{link}: its interface is gone") > 0, 2)
    lab.wait_streamed(1)
    lab._pair(lab.sender_ns, name, lab.router_ns, f"x{link}")
    ip("-n", lab.sender_ns, "link", "set", name, "address", mac)
    lab._address(lab.router_ns, f"x{link}", f"{lab.gateway_address(link)}/24")
    lab._address(lab.sender_ns, name, f"{lab.source_address(link)}/24")
    ip("-n", lab.sender_ns, "route", "replace", "default", "via", lab.gateway_address(link), "dev", name, "metric",
       str(1000 + link), "onlink")
    wait("word of its name", lambda: f"uplink u{link} is called {name} now" in lab.send.text(), 2)

    def sent():
        words = ["ip", "netns", "exec", lab.sender_ns, "cat", f"/sys/class/net/{name}/statistics/tx_bytes"]
        return int(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    wait(f"data on {name}", lambda: sent() > 20_000, 5)


def flaps(lab, link, log):
    """It comes and goes three times in a few seconds: the third time it is held back, which is an event."""
    for _ in range(3):
        gone = lab.send.text().count(f"uplink u{link}: its interface is gone")
        ip("-n", lab.sender_ns, "link", "set", f"u{link}", "down")
        wait("word of the loss", lambda gone=gone: lab.send.text().count(f"uplink u{link}: its interface is gone") > gone, 2)
        ip("-n", lab.sender_ns, "link", "set", f"u{link}", "up")
        route(lab, link)
        lab.wait_streamed(0.7)
    held = wait("the event", lambda: [e for e in json_lines(log) if e["kind"] == "uplink_held_back"], 3)
    assert len(held) == 1 and held[0]["uplink"] == f"u{link}" and "comes and goes: held back" in held[0]["text"], held
    before = lab.bytes_sent(link)
    lab.wait_streamed(2)
    assert lab.bytes_sent(link) - before < 5000, "it carries nothing meanwhile"


def start(lab, uplinks):
    """A picture that flows by all links but the late one; answers the sender's event log."""
    # The packets of a device-bound socket find their way by device, whatever address they end up with.
    for link in lab.link_numbers:
        route(lab, link)
    pull(lab, LATE)
    lab.start_sink()
    lab.start_recv()
    path = lab.folder / "by-interface"
    path.write_text(uplinks)
    lab.write_uplinks = lambda links: path
    log = lab.folder / "events"
    lab.start_send("--event-log", log, "--event-samples", 0)
    lab.start_source()
    lab.wait_flowing(10)
    return log


def comes(lab):
    put_back(lab, LATE, lab.source_address(LATE))
    print(f"link {LATE} came: data after {data_on(lab, LATE, 5) * 1000:.0f} ms")


def goes_and_comes(lab, link):
    pull(lab, link)
    wait("word of the loss", lambda: re.search(f"uplink u{link}: its interface is gone", lab.send.text()), 2)
    lab.wait_streamed(3)
    put_back(lab, link, f"10.77.{link}.9")
    print(f"link {link} came back with another address: data after {data_on(lab, link, 5) * 1000:.0f} ms")
    wait("word of its return", lambda: re.search(f"uplink u{link} is back", lab.send.text()), 2)


def is_renumbered(lab, link):
    address = f"10.77.{link}.50/24"
    ip("-n", lab.sender_ns, "address", "add", address, "dev", f"u{link}")
    ip("-n", lab.sender_ns, "address", "del", lab.source_address(link) + "/24", "dev", f"u{link}")
    # Its other address went with the first one, as a secondary of it; DHCP gives it again.
    ip("-n", lab.sender_ns, "address", "replace", address, "dev", f"u{link}")
    route(lab, link)
    print(f"link {link} was renumbered: data after {data_on(lab, link, 5) * 1000:.0f} ms")


def shares_an_address(lab, link, other):
    """The link gets the address that the other one has, as modems of one make give it. The router tells by the
    connection whose answer it is."""
    if shutil.which("nft") is None:
        print("skipped: two links with one address: missing: nft")
        return
    rules = (f"table ip twins {{\nchain before {{\ntype filter hook prerouting priority mangle\n"
             f"iifname x{link} ct mark set {link}\niifname xr meta mark set ct mark\n}}\n}}")
    subprocess.run(["ip", "netns", "exec", lab.router_ns, "nft", rules], check=True, capture_output=True, text=True)
    ip("-n", lab.router_ns, "rule", "add", "fwmark", str(link), "table", str(200 + link))
    ip("-n", lab.router_ns, "route", "add", f"10.77.{other}.0/24", "dev", f"x{link}", "table", str(200 + link))
    ip("-n", lab.sender_ns, "address", "flush", "dev", f"u{link}")
    ip("-n", lab.sender_ns, "address", "add", f"10.77.{other}.9/24", "dev", f"u{link}")
    route(lab, link)
    for one in (link, other):
        print(f"link {one} of two with one address: data after {data_on(lab, one, 5) * 1000:.0f} ms")


def keep_their_places(lab):
    assert len(re.findall("Added connection", lab.send.text())) == 4, "one place for each"
    assert "Removed connection" not in lab.send.text(), "and none was given up"


def are_lost(lab, *losses):
    """Links that carry, each taken in its own way for longer than the sender waits for a silent one, and given back."""
    for link, _, _, _ in losses:
        carries(lab, link, 5)
    said_before = len(lab.send.text())
    for link, take, _, _ in losses:
        take(link)
    lab.wait_streamed(5)
    for link, _, give_back, word in losses:
        # Silence is looked for once a second.
        wait(f"word of link {link}", lambda said=f"uplink u{link}: {word}": said in lab.send.text()[said_before:], 3)
        give_back(link)
    for link, _, _, _ in losses:
        carries(lab, link, 12)


def one_healthy(lab):
    lab.shape(2 * BITRATE_KBPS, [HEALTHY])
    log = start(lab, "auto\n")
    begun = time.monotonic()

    def until_now(what):
        print(f"{what}, until now: {compare(lab.sources, lab.sink, LATENCY_MS, begun, time.monotonic() - 1)}")

    comes(lab)
    are_lost(lab, (SWALLOWED, lab.swallow, lab.let_through, SILENT))
    until_now(f"link {SWALLOWED} was silent")
    goes_and_comes(lab, REMOVED)
    is_renumbered(lab, LATE)
    flaps(lab, SWALLOWED, log)
    until_now(f"link {SWALLOWED} flapped and is held back")
    are_lost(lab, (LATE, lab.cut, lab.restore, GONE), (REMOVED, lab.swallow, lab.let_through, SILENT))
    until_now(f"links {LATE} and {REMOVED} were lost, which left none but the healthy one")
    shares_an_address(lab, LATE, REMOVED)
    comes_back_renamed(lab, REMOVED, "modem0")
    keep_their_places(lab)
    lab.wait_streamed(1)
    lab.finish()
    carried = [lab.bytes_sent(link) for link in (HEALTHY, SWALLOWED, LATE)]
    outcome = compare(lab.sources, lab.sink, LATENCY_MS, begun)
    print(f"through all of it: {outcome}; bytes by links {HEALTHY}, {SWALLOWED}, {LATE}: {carried}")
    assert outcome.received == outcome.sent, f"{outcome.sent - outcome.received} lost"
    assert outcome.share >= 0.999, "99.9 % on time"


def scenario(lab, kind):
    if kind == "healthy":
        return one_healthy(lab)
    log = start(lab, "auto\n" if kind == "auto" else "".join(f"u{link}\n" for link in lab.link_numbers))
    begun = time.monotonic()
    comes(lab)
    goes_and_comes(lab, PULLED)
    is_renumbered(lab, RENUMBERED)
    outcome = compare(lab.sources, lab.sink, LATENCY_MS, begun, time.monotonic() - 1)
    print(f"through all of it: {outcome}")
    assert outcome.share >= 0.99, "99 % on time while links come, go and are renumbered"
    if kind == "auto":
        comes_back_renamed(lab, PULLED, "modem0")
    else:
        flaps(lab, FLAPPING, log)
    keep_their_places(lab)
    return lab.finish_whole(3)


if __name__ == "__main__":  # perf/hot-plug uses its parts
    main(scenario)

