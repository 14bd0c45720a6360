# SPDX-License-Identifier: MIT
"""The program under test at its command line, for the scripts beside this one that need no network of their own:
running it, waiting for what it says, and counting what was as wanted. The first argument of the script is HAWSER."""
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

HAWSER = os.path.abspath(sys.argv[1])
results = []
skipped = []
# What the program remembers is this script's own, not the user's, nor that of the script beside it.
_cache = tempfile.TemporaryDirectory()
os.environ["XDG_CACHE_HOME"] = _cache.name
os.environ["STATE_DIRECTORY"] = _cache.name + "/state"


def tell_of_bad_end(code, said):
    """What no check may pass over, and no second run of the script forgive (scripts/count_tests.py)."""
    by_itself = (-signal.SIGABRT, -signal.SIGSEGV, -signal.SIGBUS, -signal.SIGFPE, -signal.SIGILL)
    if code in by_itself or "Sanitizer" in said or "internal error:" in said:
        results.append(False)
        print(f"FAILED: hawser {f'ended by signal {-code}' if code in by_itself else 'did what it may not'}\n{said[-5000:]}")


def run(*arguments, name="hawser", seconds=20, preexec=None):
    """Exit code and everything said."""
    done = subprocess.run([name, *arguments], executable=HAWSER, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=seconds, preexec_fn=preexec)
    # Libraries end the process before main() where they are denied memory.
    if preexec is None:
        tell_of_bad_end(done.returncode, done.stdout)
    return done.returncode, done.stdout


def check(title, condition, said=""):
    results.append(bool(condition))
    if not condition:
        print(f"FAILED: {title}\n{said}")


def skip(title, why):
    """What this machine does not let the script try; it counts as skipped."""
    skipped.append(title)
    print(f"skipped: {title}: {why}")


def refuses(title, code, pattern, *arguments, name="hawser"):
    got, said = run(*arguments, name=name)
    check(title, got == code and re.search(pattern, said), f"exit {got}, wanted {code} and /{pattern}/ in:\n{said}")


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return str(s.getsockname()[1])


class Running:
    """A hawser that runs until the block ends; read() takes in what it has said so far, wait_for() reads its lines with a
    deadline."""

    def __init__(self, *arguments, name="hawser", preexec=None, executable=HAWSER):
        self.child = subprocess.Popen([name, *arguments], executable=executable, stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=preexec)
        os.set_blocking(self.child.stdout.fileno(), False)
        self.said = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.child.kill()
        tell_of_bad_end(self.child.wait(), self.read())

    def read(self):
        self.said += (self.child.stdout.read() or b"").decode()
        return self.said

    def wait_for(self, pattern, seconds=10, after=0):
        """`after`: so many characters of what was said do not count."""
        wanted = re.compile(pattern, re.M)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = wanted.search(self.read(), after)
            if found:
                return found
            time.sleep(0.02)
        return None

    def end(self, signal_number, seconds=5):
        self.child.send_signal(signal_number)
        return self.child.wait(seconds)


def wait_code(running, seconds):
    try:
        return running.child.wait(seconds)
    except subprocess.TimeoutExpired:
        return None


def in_namespaces(title, flags, *arguments):
    """This script again in namespaces of its own, where what it prints is this one's and it has to end well. Where there are
    none to be had it is skipped."""
    probe = subprocess.run(["unshare", *flags, "true"], capture_output=True, text=True, check=False)
    if probe.returncode != 0:
        skip(title, f"no namespaces: {probe.stderr.strip()}")
        return
    inner = subprocess.run(["unshare", *flags, sys.executable, sys.argv[0], HAWSER, *arguments], capture_output=True, text=True, check=False)
    print(inner.stdout, end="")
    skipped.extend(line for line in inner.stdout.splitlines() if line.startswith("skipped: "))
    check(title, inner.returncode == 0, inner.stderr)


def finish():
    """Ends the script with the line that the runner counts."""
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed" + (f", {len(skipped)} skipped" if skipped else ""))
    sys.exit(0 if all(results) else 1)
