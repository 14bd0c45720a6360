# SPDX-License-Identifier: MIT
"""`hawser radio` and the stand-in radiod, for the scripts beside this one: a network namespace with multicast on
loopback, with mounts of its own, and a stand-in that runs in it. The scripts' arguments are HAWSER STAND_IN. Needs root."""
import contextlib
import ctypes
import os
import subprocess
import sys
import tempfile
import time

from program import check

STAND_IN = os.path.abspath(sys.argv[2])
# Nothing of the machine's own, and nothing left there.
cache_home = tempfile.TemporaryDirectory()
os.environ["XDG_CACHE_HOME"] = cache_home.name
RADIO = "239.108.155.32,lo"


def enter_namespace():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(0x40000000 | 0x00020000) != 0:  # CLONE_NEWNET, CLONE_NEWNS
        print("skipped: no namespaces of the network and of mounts (needs root)")
        sys.exit(77)
    for words in (["mount", "--make-rprivate", "/"], ["ip", "link", "set", "lo", "up"],
                  ["ip", "link", "set", "lo", "multicast", "on"]):
        if subprocess.run(words, check=False).returncode != 0:
            print("skipped: loopback cannot be set up")
            sys.exit(77)


def enter_mounts(files):
    """A /run of our own, for a bus and a daemon, and files with our contents in place of the machine's."""
    commands = [["-t", "tmpfs", "tmpfs", "/run"]]
    for place, text in files.items():
        ours = os.path.join(cache_home.name, place.replace("/", "_"))
        with open(ours, "w", encoding="utf-8") as file:
            file.write(text)
        commands.append(["--bind", ours, place])
    if any(subprocess.run(["mount", *words], check=False).returncode != 0 for words in commands):
        print("skipped: mounts are refused")
        sys.exit(77)


@contextlib.contextmanager
def radiod(*arguments):
    """A stand-in that hears its status group, until the block ends."""
    with subprocess.Popen([STAND_IN, *arguments], stdout=subprocess.PIPE, text=True) as child:
        try:
            check("the stand-in is ready", child.stdout.readline().startswith("ready"))
            yield child
        finally:
            child.kill()


def ip(*words, inside=None):
    prefix = ["nsenter", "-t", str(inside), "-n"] if inside else []
    return subprocess.run([*prefix, "ip", *words], check=False, stderr=subprocess.DEVNULL).returncode == 0


class Far:
    """A network namespace with a stand-in radiod in it, at the other end of a cable: near0 and 10.7.0.1 here, far0 and
    10.7.0.2 there; or of another number."""

    def __init__(self, number=0, *arguments):
        self.number = number
        self.arguments = arguments

    def __enter__(self):
        self.holder = subprocess.Popen(["unshare", "-n", "sleep", "1000"])
        end = time.monotonic() + 5
        own = os.readlink("/proc/self/ns/net")
        while os.readlink(f"/proc/{self.holder.pid}/ns/net") == own and time.monotonic() < end:
            time.sleep(0.01)
        self.plug()
        self.radiod = subprocess.Popen(["nsenter", "-t", str(self.holder.pid), "-n", STAND_IN, "--interface", f"10.7.{self.number}.2", *self.arguments], stdout=subprocess.PIPE, text=True)
        check("the far stand-in is ready", self.radiod.stdout.readline().startswith("ready"))
        return self

    def plug(self):
        holder, number = str(self.holder.pid), self.number
        near, far = f"near{number}", f"far{number}"
        check("the cable is there", ip("link", "add", near, "type", "veth", "peer", "name", far) and ip("link", "set", far, "netns", holder)
              and ip("addr", "add", f"10.7.{number}.1/24", "dev", near) and ip("link", "set", near, "up")
              and ip("addr", "add", f"10.7.{number}.2/24", "dev", far, inside=holder) and ip("link", "set", far, "up", inside=holder))

    def __exit__(self, *_):
        self.radiod.kill()
        self.radiod.wait()
        self.holder.kill()
        self.holder.wait()
        ip("link", "del", f"near{self.number}")
