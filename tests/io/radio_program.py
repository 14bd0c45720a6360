# SPDX-License-Identifier: MIT
"""`hawser radio` and the stand-in radiod, for the scripts beside this one: a network namespace with multicast on
loopback, with mounts of its own, and a stand-in that runs in it. The scripts' arguments are HAWSER STAND_IN. Needs root."""
import contextlib
import ctypes
import os
import subprocess
import sys
import tempfile

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
