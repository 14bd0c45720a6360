#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A data budget that is used up under a running stream: it is warned of, its uplink goes after all others, and no
payload is late for it. What was used outlives the sender, and is told once."""
import json
import re
import shutil
import subprocess
import time

from lab import LATENCY_MS, METRICS_PORT, main, wait
from stream import compare

BUDGETED = 1
BUDGET_MB = 2


def budgets(lab):
    done = subprocess.run([lab.hawser, "budgets", "--json", "-s", lab.folder / "control"], capture_output=True, text=True)
    return {row["link"]: row for row in json.loads(done.stdout)["budgets"]} if done.returncode == 0 else {}


def told(lab, words):
    return len(re.findall(words, lab.send.text()))


def carries_next_to_nothing(lab, seconds):
    before = lab.bytes_sent(BUDGETED)
    lab.wait_streamed(seconds)
    per_second = (lab.bytes_sent(BUDGETED) - before) / seconds
    # Keepalives, ten a second, and a packet now and then.
    assert per_second < 15_000, f"{per_second:.0f} bytes/s on an uplink that is demoted"


def metrics_are_clean(lab):
    """With samples of a budget and of a session, which no idle bond has."""
    if shutil.which("promtool") is None:
        print("the metrics are not looked at: promtool is not installed")
        return
    for namespace, names in ((lab.sender_ns, ("hawser_uplink_budget_used_up{", "hawser_uplink_rtt_seconds_bucket{")),
                             (lab.receiver_ns, ("hawser_group_received_media_bytes_per_second{", "hawser_link_up{"))):
        text = lab.page(namespace, "/metrics")
        assert all(name in text for name in names), text
        done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True, check=False)
        assert done.returncode == 0 and not (done.stdout + done.stderr).strip(), done.stdout + done.stderr


def scenario(lab):
    account = lab.source_address(BUDGETED)
    options = ["--link", f"{account},budget={BUDGET_MB}MB", "--link", "*,priority=2", "--state-dir", lab.folder / "state",
               "--control", lab.folder / "control", "--metrics", METRICS_PORT]
    lab.start_sink()
    lab.start_recv("--metrics", METRICS_PORT)
    lab.start_send(*options)
    source = lab.start_source()
    lab.wait_flowing(10)
    begun = time.monotonic()
    wait("the budget's end", lambda: told(lab, f"uplink {account}: its budget is used up"), 40)
    # What is counted in a second is more than a twentieth of this budget: 95 % may be passed within one, untold.
    assert told(lab, f"uplink {account}: 75 % of its budget") == 1, "75 % told once"
    assert told(lab, f"uplink {account}: 95 % of its budget") <= 1, "95 % told once"
    assert told(lab, f"uplink {account}: its budget is used up") == 1, "its end told once"
    lab.wait_streamed(1)
    carries_next_to_nothing(lab, 3)
    outcome = compare(lab.sources, lab.sink, LATENCY_MS, begun, time.monotonic() - 1)
    print(f"while the budget was used up: {outcome}")
    assert outcome.share >= 0.995, "99.5 % on time while an uplink is demoted"
    row = budgets(lab)[account]
    assert row["state"] == "demoted" and row["budget_bytes"] == BUDGET_MB * 1_000_000, row
    used = row["used_bytes"]
    assert BUDGET_MB * 1_000_000 <= used < BUDGET_MB * 1_500_000, row

    metrics_are_clean(lab)

    # No next run is to carry the session on: both ends of the stream know at once, where SRT's own idle time is 5 s.
    refused = source.refused()
    lab.send.end()
    wait("both ends of the stream to know", lambda: source.refused() > refused and lab.sink.ends() > 0, 1.5)
    lab.send.log.write_text("")
    lab.start_send(*options)
    wait("its count after a restart", lambda: budgets(lab).get(account, {}).get("used_bytes", 0) >= used, 10)
    lab.wait_flowing(10)
    assert budgets(lab)[account]["state"] == "demoted"
    carries_next_to_nothing(lab, 3)
    assert told(lab, "of its budget|budget is used up") == 0, "told once a month"
    lab.finish_whole(3)


main(scenario)
