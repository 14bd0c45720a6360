#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Uplinks by interface: they join when they come, are left when they go, keep their place when they are renumbered, and
the picture does not suffer. Argument: `named`, or `auto` for every interface with a default route."""
import re
import time

from lab import LATENCY_MS, ip, main, wait
from stream import compare

LATE, PULLED, RENUMBERED = 4, 2, 1
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
    lab.start_send()
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
    assert len(re.findall("Added connection", lab.send.text())) == 4, "one place for each"
    assert "Removed connection" not in lab.send.text(), "and none was given up"
    lab.finish_whole(3)


if __name__ == "__main__":  # perf/hot-plug uses its parts
    main(scenario)

