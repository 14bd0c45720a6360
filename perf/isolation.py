# SPDX-License-Identifier: MIT
"""Pairs of runs of `hawser send` under bench_send, seconds apart, one alone and one with a burden on its control plane:
what that costs the packet pump of the same process. Shared by the commands perf/*-isolation, each of which brings its
burden. Told for each run: the pump's CPU per packet (its own thread's, by the scheduler), its longest turn (its own
counter), and loss. In a network namespace of its own, so as root. Table on stderr, one line of JSON on stdout.
"""
import argparse
import ctypes
import glob
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def arguments(description):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hawser", default=os.path.join(HERE, "../build/hawser"))
    parser.add_argument("--bench", default=os.path.join(HERE, "../build/perf/wire/bench_send"))
    parser.add_argument("--rate", type=int, default=1000, help="packets/s (default 1000, of 10 Mbit/s)")
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("more", nargs="*", help="further arguments of bench_send, behind --")
    return parser


def enter_namespace():
    if ctypes.CDLL(None, use_errno=True).unshare(0x40000000) != 0:  # CLONE_NEWNET
        print("no network namespace (needs root)", file=sys.stderr)
        sys.exit(77)
    for words in (["link", "set", "lo", "up"], ["link", "set", "lo", "multicast", "on"]):
        subprocess.run(["ip", *words], check=True)


def pump_cpu_ns():
    """Of the thread that pumps, whichever process of this namespace's it is in."""
    for comm in glob.glob("/proc/[0-9]*/task/*/comm"):
        try:
            with open(comm, encoding="utf-8") as name:
                if name.read().strip() != "hawser-pump":
                    continue
            if os.readlink(comm.split("/task")[0] + "/ns/net") != os.readlink("/proc/self/ns/net"):
                continue
            with open(comm.replace("comm", "schedstat"), encoding="utf-8") as stat:
                return int(stat.read().split()[0])
        except OSError:
            continue
    return None


def run(options, folder, more_words, tell):
    """One run; `more_words` are the program's further arguments, `tell(figures)` picks of its own JSON what else to keep."""
    log = os.path.join(folder, "log")
    if os.path.exists(log):
        os.remove(log)
    command = f"{options.hawser} send {{srt_port}} {{host}} {{port}} {{ips}} {more_words}"
    words = [options.bench, "--command", command, "--loads", str(options.rate), "--seconds", str(options.seconds),
             "--repeat", "1", "--log", log, "--signal", str(int(signal.SIGUSR1)), *options.more]
    bench = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    cpu = 0
    while bench.poll() is None:
        cpu = pump_cpu_ns() or cpu
        time.sleep(0.02)
    out, err = bench.communicate()
    if bench.returncode != 0:
        sys.exit(err)
    with open(log, encoding="utf-8", errors="replace") as text:
        told = [json.loads(line) for line in text.read().splitlines() if line.startswith("{")]
    if not told:
        sys.exit("the program told no figures")
    own = told[-1]
    return {"cpu_us": cpu / 1e3 / own["pump"]["packets"], "turn_max_us": own["pump"]["turn_max_us"],
            "lost": json.loads(out)["results"][0]["lost"], **tell(own)}


def spread(values):
    middle = statistics.median(values)
    return middle, statistics.median(abs(v - middle) for v in values)


def compare(bench, options, one_run, burden, more):
    """`one_run(folder, is_burdened)`, in pairs whose order alternates; `burden` names what the second of a pair has, `more`
    the keys that tell how much it had of it."""
    runs = {False: [], True: []}
    with tempfile.TemporaryDirectory() as folder:
        for pair in range(options.pairs):
            for is_burdened in ([False, True] if pair % 2 == 0 else [True, False]):
                runs[is_burdened].append(one_run(folder, is_burdened))
    answer = {"bench": bench, "rate": options.rate, "pairs": options.pairs}
    for is_burdened, name in ((False, "alone"), (True, burden)):
        rows = runs[is_burdened]
        told = answer[name.replace(" ", "_")] = {key: spread([r[key] for r in rows]) for key in ("cpu_us", "turn_max_us")}
        told["turn_max_us_all"] = [r["turn_max_us"] for r in rows]
        told["lost"] = sum(r["lost"] for r in rows)
        for key in more if is_burdened else ():
            told[key] = [r[key] for r in rows]
        print(f"  {name:11s} pump CPU {told['cpu_us'][0]:6.2f} +- {told['cpu_us'][1]:.2f} us/packet   longest turn "
              f"{told['turn_max_us'][0]:7.0f} +- {told['turn_max_us'][1]:.0f} us {told['turn_max_us_all']}   lost "
              f"{told['lost']}", *(f"  {key} {told[key]}" for key in (more if is_burdened else ())), file=sys.stderr)
    ratios = [b["cpu_us"] / a["cpu_us"] for a, b in zip(runs[False], runs[True])]
    answer["cpu_ratio"] = {"median": statistics.median(ratios), "all": ratios}
    print(f"  CPU per packet {burden} over alone, pair by pair: median {statistics.median(ratios):.3f} ({min(ratios):.3f} to "
          f"{max(ratios):.3f})", file=sys.stderr)
    print(json.dumps(answer))
    return 0
