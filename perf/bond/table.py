# SPDX-License-Identifier: MIT
"""The figures of perf/bond-table: results of runs in, rows and text out. Nothing here starts or reads anything.

on time   payloads handed to the viewer within latency + 300 ms of being sent, of all that the source made, percent;
          the mean with half its 95 % interval (Student's t), least and greatest
oracle    the same for a sender that foresees everything; regret is what is missing to it
against   the difference to the first sender, pair by pair
"""
import collections
import math
import statistics

Cell = collections.namedtuple("Cell", "scenario load latency lossmaxttl receiver")
# Student's t for 95 %, by degrees of freedom from 1.
T95 = [12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18, 2.16, 2.14, 2.13, 2.12, 2.11, 2.10,
       2.09, 2.09, 2.08, 2.07, 2.07, 2.06, 2.06, 2.06, 2.05, 2.05, 2.05, 2.04]


def cell_of(result):
    terms = result["terms"]
    return Cell(result["trip"]["scenario"], *(terms[key] for key in Cell._fields[1:]))


def fault(result):
    """Why a result does not count; empty when it does."""
    trip = result["trip"]
    if not trip["connected"]:
        return "no connection"
    if trip["disturbed"]:
        return "disturbed"
    return ""


def estimate(values):
    """Mean, and half the width of its 95 % interval (none for a single value)."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return mean, None
    t = T95[len(values) - 2] if len(values) - 2 < len(T95) else 1.96
    return mean, t * statistics.stdev(values) / math.sqrt(len(values))


def rounded(value):
    return None if value is None else round(value, 3)


def pair_key(result):
    return result["terms"]["seed"], result["terms"]["repeat"]


def row_of(cell, sender, results, base, simulated):
    good = [r for r in results if not fault(r)]
    faults = collections.Counter(fault(r) for r in results if fault(r))
    row = {**cell._asdict(), "sender": sender, "runs": len(good), "left_out": dict(faults)}
    if not good:
        return row
    trips = [r["trip"] for r in good]
    on_time = {pair_key(r): 100 * r["trip"]["on_time"] for r in good}
    before = {pair_key(r): 100 * r["trip"]["on_time"] for r in base if not fault(r)}

    def mean(of):
        return rounded(statistics.fmean(of(t) for t in trips))

    row["on_time"], row["on_time_95"] = map(rounded, estimate(list(on_time.values())))
    row["on_time_min"], row["on_time_max"] = rounded(min(on_time.values())), rounded(max(on_time.values()))
    row["oracle"] = mean(lambda t: 100 * t["omniscient"])
    row["causal"] = mean(lambda t: 100 * t["causal"])
    row["regret"] = mean(lambda t: 100 * (t["omniscient"] - t["on_time"]))
    pairs = [on_time[key] - before[key] for key in on_time if key in before]
    if base is not results and pairs:
        row["against"], row["against_95"] = map(rounded, estimate(pairs))
    row["wire_overhead"] = mean(lambda t: 100 * t["wire_overhead"])
    row["retransmissions"] = mean(lambda t: 100 * t["retrans_overhead"])
    row["hurt_seconds"] = mean(lambda t: t["hurt_seconds"])
    row["longest_gap_ms"] = rounded(max(t["longest_gap_ms"] for t in trips))
    row["sender_us"] = mean(lambda t: t["sender_us_per_payload"])
    row["receiver_us"] = mean(lambda t: t["receiver_us_per_payload"])
    row["share"] = [rounded(statistics.fmean(s)) for s in zip(*([link["share"] for link in t["links"]] for t in trips))]
    row["ended"] = sum(not t["sender_lived"] or not t["receiver_lived"] for t in trips)
    row["simulated"] = simulated.get((cell, sender))
    return row


def is_bad(row, at_least):
    """What no machine is to blame for."""
    return "no connection" in row["left_out"] or row.get("ended", 0) > 0 or row.get("on_time", at_least) < at_least


def rows(results, order, simulated):
    """One per cell and sender; senders in this order, those it does not name after them."""
    groups = collections.defaultdict(list)
    for result in results:
        groups[cell_of(result), result["terms"]["sender"]].append(result)

    def place(key):
        cell, sender = key
        return (*map(str, cell[:1]), *cell[1:4], cell.receiver,
                order.index(sender) if sender in order else len(order), sender)

    out, first = [], {}
    for cell, sender in sorted(groups, key=place):
        first.setdefault(cell, sender)
        out.append(row_of(cell, sender, groups[cell, sender], groups[cell, first[cell]], simulated))
    return out


def line(result):
    """One run."""
    terms, trip = result["terms"], result["trip"]
    why = f"  {fault(result).upper()}, left out" if fault(result) else ""
    again = f"  (try {result['tries']})" if result["tries"] > 1 else ""
    return (f"{trip['scenario']} {terms['load']:g}% {terms['latency']} ms ttl {terms['lossmaxttl']} {terms['receiver']} "
            f"{terms['sender']} seed {terms['seed']}.{terms['repeat']}: {100 * trip['on_time']:.2f} of "
            f"{100 * trip['omniscient']:.2f}{again}{why}")


def with_interval(mean, half_width, sign=""):
    if mean is None:
        return ""
    return f"{mean:{sign}.2f}" + ("" if half_width is None else f" +-{half_width:.2f}")


COLUMNS = [  # heading, width, what of a row
    ("scenario", -12, lambda r: r["scenario"]),
    ("load", 4, lambda r: f"{r['load']:g}"),
    ("ms", 5, lambda r: r["latency"]),
    ("ttl", 3, lambda r: r["lossmaxttl"]),
    ("receiver", -9, lambda r: r["receiver"]),
    ("sender", -9, lambda r: r["sender"]),
    ("n", 2, lambda r: r["runs"]),
    ("on time %", 14, lambda r: with_interval(r["on_time"], r["on_time_95"])),
    ("least..most", 13, lambda r: f"{r['on_time_min']:.1f}..{r['on_time_max']:.1f}"),
    ("oracle", 6, lambda r: f"{r['oracle']:.2f}"),
    ("causal", 6, lambda r: f"{r['causal']:.2f}"),
    ("regret", 6, lambda r: f"{r['regret']:.2f}"),
    ("against first", 14, lambda r: with_interval(r.get("against"), r.get("against_95"), "+")),
    ("simulated", 9, lambda r: "" if r["simulated"] is None else f"{r['simulated']:.2f}"),
    ("wire %", 6, lambda r: f"{r['wire_overhead']:.1f}"),
    ("again %", 7, lambda r: f"{r['retransmissions']:.1f}"),
    ("hurt s", 6, lambda r: f"{r['hurt_seconds']:.1f}"),
    ("gap ms", 6, lambda r: f"{r['longest_gap_ms']:.0f}"),
    ("CPU us", 6, lambda r: f"{r['sender_us']:.1f}"),
    ("share by link", -13, lambda r: "/".join(f"{100 * s:.0f}" for s in r["share"])),
]


def text(rows_):
    lines = ["  ".join(f"{name:{'<' if width < 0 else '>'}{abs(width)}}" for name, width, _ in COLUMNS)]
    for row in rows_:
        cells = [of(row) if "on_time" in row or i < 7 else "" for i, (_, _, of) in enumerate(COLUMNS)]
        shown = "  ".join(f"{cell:{'<' if width < 0 else '>'}{abs(width)}}"
                          for cell, (_, width, _) in zip(cells, COLUMNS)).rstrip()
        notes = [f"{count} {why}" for why, count in row["left_out"].items()]
        if row.get("ended"):
            notes.append(f"in {row['ended']} the sender or the receiver ended by itself")
        lines.append(shown + ("   left out: " + ", ".join(notes) if notes else ""))
    return "\n".join(lines)
