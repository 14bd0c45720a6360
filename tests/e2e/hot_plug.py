#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Uplinks by interface: they join when they come, are left when they go, keep their place when they are renumbered, and
the picture does not suffer. Argument: `named`, or `auto` for every interface with a default route: those are followed
when they come back under another name."""
import re
import subprocess
import time

from lab import LATENCY_MS, ip, json_lines, main, wait
from stream import compare

LATE, PULLED, RENUMBERED, FLAPPING = 4, 2, 1, 3
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


def data_on(lab, link, seconds):
    """Time until data leaves by it."""
    begun, before = time.monotonic(), lab.bytes_sent(link)
    wait(f"data on link {link}", lambda: lab.bytes_sent(link) > before + 20_000, seconds)
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


def scenario(lab, kind):
    # The packets of a device-bound socket find their way by device, whatever address they end up with.
    for link in lab.link_numbers:
        route(lab, link)
    pull(lab, LATE)
    lab.start_sink()
    lab.start_recv()
    path = lab.folder / "by-interface"
    path.write_text("auto\n" if kind == "auto" else "".join(f"u{link}\n" for link in lab.link_numbers))
    lab.write_uplinks = lambda links: path
    log = lab.folder / "events"
    lab.start_send("--event-log", log, "--event-samples", 0)
    lab.start_source()
    lab.wait_flowing(10)
    begun = time.monotonic()

    put_back(lab, LATE, lab.source_address(LATE))
    print(f"link {LATE} came: data after {data_on(lab, LATE, 5) * 1000:.0f} ms")

    pull(lab, PULLED)
    wait("word of the loss", lambda: re.search(f"uplink u{PULLED}: its interface is gone", lab.send.text()), 2)
    lab.wait_streamed(3)
    put_back(lab, PULLED, "10.77.2.9")
    print(f"link {PULLED} came back with another address: data after {data_on(lab, PULLED, 5) * 1000:.0f} ms")
    wait("word of its return", lambda: re.search(f"uplink u{PULLED} is back", lab.send.text()), 2)

    ip("-n", lab.sender_ns, "address", "add", "10.77.1.50/24", "dev", f"u{RENUMBERED}")
    ip("-n", lab.sender_ns, "address", "del", lab.source_address(RENUMBERED) + "/24", "dev", f"u{RENUMBERED}")
    # Its other address went with the first one, as a secondary of it; DHCP gives it again.
    ip("-n", lab.sender_ns, "address", "replace", "10.77.1.50/24", "dev", f"u{RENUMBERED}")
    route(lab, RENUMBERED)
    print(f"link {RENUMBERED} was renumbered: data after {data_on(lab, RENUMBERED, 5) * 1000:.0f} ms")

    outcome = compare(lab.sources, lab.sink, LATENCY_MS, begun, time.monotonic() - 1)
    print(f"through all of it: {outcome}")
    assert outcome.share >= 0.99, "99 % on time while links come, go and are renumbered"
    if kind == "auto":
        comes_back_renamed(lab, PULLED, "modem0")
    else:
        flaps(lab, FLAPPING, log)
    assert len(re.findall("Added connection", lab.send.text())) == 4, "one place for each"
    assert "Removed connection" not in lab.send.text(), "and none was given up"
    lab.finish_whole(3)


if __name__ == "__main__":  # perf/hot-plug uses its parts
    main(scenario)

