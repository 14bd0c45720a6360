#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`hawser radio record` against the stand-in radiod: what is in the files, how long they are, where they are cut, and
what a restart, a full disk and standard output make of them. Needs root. Arguments: HAWSER STAND_IN."""
import calendar
import json
import math
import os
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import time

from program import HAWSER, Running, check, finish, refuses, run
from radio_program import RADIO, enter_namespace, radiod

TONE_HZ = 1500  # a carrier at 1 MHz, received at 998.5 kHz
LEVEL = 0.25


def samples_of(path):
    """Format tag, rate, channels and the samples of a WAV file, full scale 1."""
    with open(path, "rb") as file:
        data = file.read()
    check("RIFF's length is the file's", data[:4] == b"RIFF" and struct.unpack_from("<I", data, 4)[0] == len(data) - 8, path)
    at, found = 12, {}
    while at + 8 <= len(data):
        size = struct.unpack_from("<I", data, at + 4)[0]
        found[data[at:at + 4]] = data[at + 8:at + 8 + size]
        at += 8 + size
    tag, channels, rate = struct.unpack_from("<HHI", found[b"fmt "])
    body = found[b"data"]
    if tag == 1:
        values = [v / 32768 for v in struct.unpack(f"<{len(body) // 2}h", body)]
    else:
        values = list(struct.unpack(f"<{len(body) // 4}f", body))
    return tag, rate, channels, values


def level_at(values, rate, hz):
    """Amplitude of a tone, and of what is left of the samples without it."""
    n = len(values)
    re_ = sum(v * math.cos(2 * math.pi * hz * i / rate) for i, v in enumerate(values)) * 2 / n
    im = sum(v * math.sin(2 * math.pi * hz * i / rate) for i, v in enumerate(values)) * 2 / n
    total = 2 * sum(v * v for v in values) / n
    amplitude = math.hypot(re_, im)
    return amplitude, math.sqrt(max(0.0, total - amplitude * amplitude))


def is_tone(values, rate, rest=0.01):
    amplitude, other = level_at(values[:rate // 2], rate, TONE_HZ)
    return abs(amplitude - LEVEL) < 0.02 and other < rest


def files_in(folder, ending):
    found = []
    for where, _, names in os.walk(folder):
        found += [os.path.join(where, name) for name in names if name.endswith(ending)]
    return sorted(found)


def events(said):
    return [json.loads(line) for line in said.splitlines() if line.startswith("{")]


class Folder:
    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="hawser-radio-")
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path)


def command_line():
    refuses("no period", 2, "'ft9' is no period", "radio", "record", "-r", RADIO, "--cut", "ft9")
    refuses("standard output is not cut", 2, "standard output takes one channel", "radio", "record", "-r", RADIO, "--stdout", "--ft8")
    refuses("--align without periods", 2, "--align needs the periods", "radio", "record", "-r", RADIO, "--align")
    refuses("a lifetime that nobody keeps", 2, "at least 50 blocks", "radio", "record", "-r", RADIO, "-f", "1m0", "--lifetime", "10")
    refuses("a channel that is not there", 1, "99: .* has no such channel", "radio", "record", "-r", RADIO, "99")


def every_encoding():
    """All at once, from one pair of sockets."""
    wanted = {"s16be": 1, "s16le": 1, "f32le": 3, "f32be": 3, "f16le": 3, "f16be": 3, "mulaw": 1, "alaw": 1, "opus": 1}
    for number, encoding in enumerate(wanted, 100):
        code, said = run("radio", "tune", "-r", RADIO, "-s", str(number), "-f", "998500", "-m", "usb", "-e", encoding)
        check(f"a channel of {encoding}", code == 0, said)
    run("radio", "tune", "-r", RADIO, "-s", "200", "-f", "998500", "-m", "iq", "-e", "f32le")
    with Folder() as folder:
        code, said = run("radio", "record", "-r", RADIO, "--json", "-x", "1", "--format", "wav", "-d", folder, "--name", "{ssrc}")
        check("all channels are recorded", code == 0, said)
        for number, encoding in enumerate(wanted, 100):
            path = f"{folder}/{number}.wav"
            check(f"a file of {encoding}", os.path.exists(path), said)
            tag, rate, channels, values = samples_of(path)
            check(f"{encoding} is PCM or float", tag == wanted[encoding] and channels == 1, f"{tag} {channels}")
            check(f"{encoding} lasts a second", rate == (48000 if encoding == "opus" else 12000) and len(values) == rate, f"{rate} {len(values)}")
            # An encoder for speech and music comes near it, after its first frames.
            heard = is_tone(values[rate // 4:], rate, 0.05) if encoding == "opus" else is_tone(values, rate)
            check(f"{encoding} is the tone", heard, f"{level_at(values[:rate // 2], rate, TONE_HZ)}")
        _, rate, channels, values = samples_of(f"{folder}/200.wav")
        check("I and Q are both there", channels == 2 and len(values) == 2 * rate and is_tone(values[::2], rate) and is_tone(values[1::2], rate))
        quality = [e for e in events(said) if e["event"] == "quality"]
        check("the figures of each are told", len(quality) == 10 and all(q["lost"] == 0 and q["seconds"] == 1 and q["gaps"] == 0 for q in quality), said)


def ogg_opus():
    with Folder() as folder:
        code, said = run("radio", "record", "-r", RADIO, "-x", "1", "--format", "opus", "-d", folder, "100")
        check("what is no Opus is not made to be", code == 1 and "does not send Opus" in said, said)
        code, said = run("radio", "record", "-r", RADIO, "-x", "1", "-d", folder, "--name", "o", "108")
        check("Opus goes into Ogg by itself", code == 0 and os.path.exists(f"{folder}/o.opus"), said)
        if shutil.which("ffprobe") is None:
            return
        probe = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "stream=codec_name,channels,duration", "-of", "json", f"{folder}/o.opus"],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        stream = json.loads(probe.stdout)["streams"][0] if probe.returncode == 0 else {}
        check("ffprobe reads it", stream.get("codec_name") == "opus" and abs(float(stream.get("duration", 0)) - 1) < 0.03, probe.stdout)
        decoded = subprocess.run(["ffmpeg", "-v", "error", "-i", f"{folder}/o.opus", "-f", "s16le", "-ar", "48000", "-ac", "1", "-"],
                                 stdout=subprocess.PIPE, check=False).stdout
        values = [v / 32768 for v in struct.unpack(f"<{len(decoded) // 2}h", decoded)]
        check("and it is the tone", len(values) > 40000 and is_tone(values[12000:], 48000, 0.05), f"{len(values)}")


def standard_output():
    done = subprocess.run([HAWSER, "radio", "record", "-r", RADIO, "--stdout", "--format", "raw", "-x", "1", "100"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=20, check=False)
    values = [v / 32768 for v in struct.unpack(f"<{len(done.stdout) // 2}h", done.stdout)]
    check("one channel to standard output", done.returncode == 0 and len(values) == 12000 and is_tone(values, 12000), done.stderr)
    # The reader goes away: an end in good time, with a word.
    with subprocess.Popen([HAWSER, "radio", "record", "-r", RADIO, "--stdout", "100"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        child.stdout.read(2000)
        child.stdout.close()
        try:
            code = child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            code = None
        check("a reader that goes away ends it", code == 1 and b"Broken pipe" in child.stderr.read(), code)


def standard_output_changes():
    """Another kind of samples cannot go into the same stream: its end is told."""
    run("radio", "tune", "-r", RADIO, "-s", "301", "-f", "998500", "-m", "usb")
    with subprocess.Popen([HAWSER, "radio", "record", "-r", RADIO, "--stdout", "--format", "raw", "301"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        check("it flows", len(child.stdout.read(2000)) == 2000)
        run("radio", "set", "-r", RADIO, "301", "output.encoding", "f32")
        said = child.communicate(timeout=20)[1]
        check("a change of samples ends standard output with a word", child.returncode == 1 and b"301: the kind of samples has changed" in said, f"{child.returncode} {said}")
    run("radio", "remove", "-r", RADIO, "301")


def commands():
    """--exec: a command for each channel, with what a file would have on its input."""
    with tempfile.TemporaryDirectory() as folder:
        run("radio", "tune", "-r", RADIO, "-s", "500", "-f", "998k5", "-m", "usb")
        code, said = run("radio", "record", "-r", RADIO, "500", "-x", "1", "--json", "--exec", f"cat > '{folder}/$s-$r-$c-$f-$h.wav'; echo $$HOME-$d")
        name = os.path.join(folder, "500-12000-1-s16le-998500.0.wav")
        check("the command's letters are the channel's", code == 0 and os.listdir(folder) == [os.path.basename(name)], f"{said} {os.listdir(folder)}")
        check("the shell has the rest, and nothing of the network's", os.environ["HOME"] + "-stand-in\n" in said, said)
        check("its end is told", any(e["event"] == "command" and e["ssrc"] == 500 and e["seconds"] == 1 for e in events(said)), said)
        if os.path.exists(name):
            with open(name, "rb") as file:
                data = file.read()
            values = [v / 32768 for v in struct.unpack("<12000h", data[-24000:])]
            check("it was given the audio", data[:4] == b"RIFF" and is_tone(values, 12000), len(data))
        code, said = run("radio", "record", "-r", RADIO, "500", "-x", "1", "--exec", "cat > /dev/null; exit 3")
        check("one that fails is told", code == 1 and "ended with 3" in said, said)
        # Many that go on after their input has ended: nobody waits for one after the other, and each is told.
        for number in range(510, 514):
            run("radio", "tune", "-r", RADIO, "-s", str(number), "-f", "998k5", "-m", "usb")
        begun = time.monotonic()
        code, said = run("radio", "record", "-r", RADIO, "510", "511", "512", "513", "-x", "0.5", "--json", "--exec", "cat > /dev/null; exec sleep 12 > /dev/null 2>&1", seconds=30)
        took = time.monotonic() - begun
        told = [e for e in events(said) if e["event"] == "command"]
        check("commands that go on are told, all after the same time", code == 0 and len(told) == 4 and all(e.get("running") for e in told) and took < 11, f"{took} {said}")
    refuses("a command gets one stream", 2, "a command gets one stream", "radio", "record", "-r", RADIO, "500", "--exec", "cat", "--cut", "ft8")


def stuck_command():
    """A command that takes nothing holds up no other's, is ended, and makes the whole a failure."""
    with Folder() as folder:
        for number in (530, 531):
            run("radio", "tune", "-r", RADIO, "-s", str(number), "-f", "998k5", "-m", "iq", "-R", "48000", "-e", "f32le")
        code, said = run("radio", "record", "-r", RADIO, "530", "531", "-x", "9", "--json", "--format", "raw",
                         "--exec", f"if [ $s = 530 ]; then exec sleep 60; else cat > '{folder}/$s'; fi", seconds=40)
        told = events(said)
        failed = [e for e in told if e["event"] == "failed"]
        check("the stuck one is ended and named", code == 1 and len(failed) == 1 and failed[0]["ssrc"] == 530 and "exec sleep 60" in failed[0]["text"]
              and "took nothing of its input for 5 s" in failed[0]["text"] and "disk" not in said, said)
        quality = {e["ssrc"]: e for e in told if e["event"] == "quality"}
        check("what it lost is in its figures, and the other lost nothing", quality[530]["dropped_seconds"] > 1 and quality[531]["dropped_seconds"] == 0, said)
        with open(f"{folder}/531", "rb") as file:
            values = struct.unpack("<864000f", file.read())
        check("the other has all of its audio, without silence", max(sum(1 for v in values[i:i + 96] if v == 0) for i in range(0, len(values), 96)) < 48, len(values))
        for number in (530, 531):
            run("radio", "remove", "-r", RADIO, str(number))


def slow_command():
    """One that catches up only when too much has waited for it ends well itself; what it missed makes the whole a failure."""
    run("radio", "tune", "-r", RADIO, "-s", "532", "-f", "998k5", "-m", "iq", "-R", "96000", "-e", "f32le")
    slow = "i=0; while [ $i -lt 20 ]; do dd bs=4096 count=1 status=none > /dev/null; sleep 0.5; i=$((i+1)); done; exec cat > /dev/null"
    code, said = run("radio", "record", "-r", RADIO, "532", "-x", "10", "--json", "--format", "raw", "--exec", slow, seconds=40)
    told = events(said)
    dropped = [e for e in told if e["event"] == "dropped"]
    check("what a slow command missed is told, and who was slow", dropped and all("does not keep up" in e["text"] and e["ssrc"] == 532 for e in dropped), said)
    check("it ended well, and that alone is no success", code == 1 and [e["event"] for e in told].count("command") == 1 and not [e for e in told if e["event"] == "failed"], f"{code} {said}")
    run("radio", "remove", "-r", RADIO, "532")


def deaf_command():
    """One that neither takes anything nor ends when it is told to is killed, and the record ends in good time."""
    run("radio", "tune", "-r", RADIO, "-s", "533", "-f", "998k5", "-m", "iq", "-R", "96000", "-e", "f32le")
    begun = time.monotonic()
    code, said = run("radio", "record", "-r", RADIO, "533", "-x", "4", "--json", "--format", "raw", "--exec", "trap '' TERM; exec sleep 60 > /dev/null 2>&1", seconds=40)
    failed = [e for e in events(said) if e["event"] == "failed"]
    check("it is killed, and named", code == 1 and len(failed) == 1 and "took nothing of its input for 5 s; it was ended by signal 9" in failed[0]["text"]
          and time.monotonic() - begun < 20, f"{code} {said}")
    run("radio", "remove", "-r", RADIO, "533")


def cuts():
    with Folder() as folder:
        code, said = run("radio", "record", "-r", RADIO, "--json", "--cut", "1.5", "--align", "-x", "3.5", "-d", folder, "100")
        told = [e for e in events(said) if e["event"] == "file"]
        check("files of whole periods", code == 0 and [round(e["seconds"], 3) for e in told] == [1.5, 1.5, 0.5], said)
        check("each is named after its boundary", all(re.fullmatch(r"\d{8}T\d{6}Z_998500_usb\.wav", os.path.basename(e["path"])) for e in told), said)
        names = files_in(folder, ".wav")
        lengths = [len(samples_of(n)[3]) for n in names]
        check("whole periods are whole", lengths == [18000, 18000, 6000], lengths)
        # The stand-in's tone goes on without a jump: what is on both sides of a cut belongs together.
        both = samples_of(names[0])[3][-3000:] + samples_of(names[1])[3][:3000]
        check("nothing is missing at a cut", is_tone(both, 12000), level_at(both, 12000, TONE_HZ))
    with Folder() as folder:
        # The first file begins at its boundary with silence, so that each has its whole length.
        started = time.time()
        code, said = run("radio", "record", "-r", RADIO, "--json", "--cut", "2", "-x", "3", "-d", folder, "100")
        names = files_in(folder, ".wav")
        values = samples_of(names[0])[3]
        silent = next(i for i, v in enumerate(values) if v != 0) / 12000
        begun = time.strptime(os.path.basename(names[0])[:15], "%Y%m%dT%H%M%S")
        offset = time.mktime(begun) - time.timezone + silent - started
        check("a first period is filled", len(values) == 24000 and begun.tm_sec % 2 == 0, f"{names} {len(values)}")
        check("its silence ends when the recording began", 0 <= offset < 1.5, f"{offset}")
    with Folder() as folder:
        with Running("radio", "record", "-r", RADIO, "--ft8", "--subdirs", "-d", folder, "100", "101") as recording:
            recording.wait_for("101: ")
            time.sleep(0.7)
            check("an interrupt ends it well", recording.end(signal.SIGINT) == 0, recording.read())
        names = files_in(folder, ".wav")
        check("both files are there, in folders of their day", len(names) == 2 and all(re.search(r"/10[01]/\d{4}/\d+/\d+/", n) for n in names), names)
        # No more than what was going on is written after the end.
        check("FT8 begins at a quarter minute", all(begin_of(n) % 15 == 0 for n in names), names)
        check("no hidden file is left", not [n for _, _, files in os.walk(folder) for n in files if n.startswith(".")])


def periods():
    for mode, period in (("--ft4", 7.5), ("--wspr", 120)):
        with Folder() as folder, Running("radio", "record", "-r", RADIO, mode, "-d", folder, "100") as recording:
            recording.wait_for("100: ")
            time.sleep(0.3)
            check("an interrupt ends it well too", recording.end(signal.SIGINT) == 0, recording.read())
            names = files_in(folder, ".wav")
            # The names have whole seconds: half a second is cut off.
            check(f"{mode} begins at a multiple of {period} s", names and all((begin_of(n) + 0.5) % period < 1 for n in names), names)


def begin_of(path):
    return calendar.timegm(time.strptime(os.path.basename(path)[:16], "%Y%m%dT%H%M%SZ"))


def leap_seconds():
    """Files are named by UTC, which is behind radiod's time by as many as are told."""
    for count in (18, 118):
        with Folder() as folder:
            begun = time.time()
            code, said = run("radio", "record", "-r", RADIO, "100", "--leap-seconds", str(count), "-x", "0.5", "-d", folder, "--name", "%Y-%m-%dT%H:%M:%S")
            named = [os.path.splitext(os.path.basename(path))[0] for path in files_in(folder, ".wav")]
            check("one file", code == 0 and len(named) == 1, said)
            at = calendar.timegm(time.strptime(named[0], "%Y-%m-%dT%H:%M:%S")) + count - 18
            check(f"UTC with {count} leap seconds", begun - 1.5 < at < time.time() + 0.5, f"{begun} {named}")


def short_and_idle():
    """What pcmrecord has beside: files that are too short, files that end when nothing comes, and names with the sender."""
    run("radio", "tune", "-r", RADIO, "-s", "520", "-f", "998k5", "-m", "usb")
    with Folder() as folder:
        code, said = run("radio", "record", "-r", RADIO, "--json", "--cut", "1", "--align", "--mintime", "0.8", "-x", "2.5", "--prefix-source", "-d", folder, "520")
        names = files_in(folder, ".wav")
        short = [e for e in events(said) if e["event"] == "too_short"]
        check("a file that is too short is not kept, and told", code == 0 and len(names) == 2 and len(short) == 1 and round(short[0]["seconds"], 3) == 0.5, f"{names} {said}")
        check("names begin with the sender", all(os.path.basename(n).startswith("127.0.0.1_") for n in names), names)
        check("nothing hidden is left", not [n for n in os.listdir(folder) if n.startswith(".")], os.listdir(folder))
    with Folder() as folder:
        with Running("radio", "record", "-r", RADIO, "--json", "--timeout", "1", "-d", folder, "520") as recording:
            recording.wait_for("started")
            time.sleep(0.6)
            run("radio", "set", "-r", RADIO, "520", "channel.frequency", "0")
            check("a file ends when nothing comes", recording.wait_for('"file"', 10), recording.read())
            run("radio", "set", "-r", RADIO, "520", "channel.frequency", "998k5")
            time.sleep(1)
            check("and the recording goes on", recording.end(signal.SIGTERM) == 0, recording.read())
        names = files_in(folder, ".wav")
        check("in another file, without the silence", len(names) == 2 and all(is_tone(samples_of(n)[3][-2400:], 12000) and 0.2 * 12000 < len(samples_of(n)[3]) < 3 * 12000 for n in names),
              f"{names} {recording.said}")
    with subprocess.Popen([HAWSER, "radio", "record", "-r", RADIO, "--stdout", "--format", "raw", "--timeout", "1", "520"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        child.stdout.read(2000)
        run("radio", "set", "-r", RADIO, "520", "channel.frequency", "0")
        child.communicate(timeout=20)
        check("standard output ends when nothing comes", child.returncode == 0, child.returncode)
    refuses("--mintime is of files", 2, "are of files", "radio", "record", "-r", RADIO, "520", "--stdout", "--mintime", "1")
    run("radio", "remove", "-r", RADIO, "520")


def made_for_it():
    with Folder() as folder:
        code, said = run("radio", "record", "-r", RADIO, "--json", "-f", "998k5", "-m", "usb", "-R", "16000", "-e", "f32", "-x", "1", "-d", folder, "--name", "made")
        check("a channel is made to be recorded", code == 0 and len(samples_of(f"{folder}/made.wav")[3]) == 16000, said)
        number = events(said)[0]["ssrc"]
        listed = json.loads(run("radio", "list", "-r", RADIO, "--json")[1])
        made = [c for c in listed if c["channel"]["ssrc"] == number]
        check("it ends by itself", made and 0 < made[0]["channel"]["lifetime"] <= 500, made)


def changes():
    """The channel is moved, and changed, while it is recorded."""
    run("radio", "tune", "-r", RADIO, "-s", "300", "-f", "998500", "-m", "usb")
    with Folder() as folder:
        with Running("radio", "record", "-r", RADIO, "--json", "-d", folder, "--name", "c", "300") as recording:
            recording.wait_for("started")
            time.sleep(0.5)
            run("radio", "set", "-r", RADIO, "300", "output.dest", "239.7.7.7")
            time.sleep(0.5)
            run("radio", "set", "-r", RADIO, "300", "output.encoding", "mulaw")
            time.sleep(0.5)
            run("radio", "set", "-r", RADIO, "300", "output.encoding", "f32")
            time.sleep(0.8)
            check("a changing channel is recorded on", recording.end(signal.SIGTERM) == 0, recording.read())
        names = [e["path"] for e in events(recording.said) if e["event"] == "file"]
        check("another kind of samples is another file", len(names) == 2, f"{names} {recording.said}")
        tag, rate, _, values = samples_of(names[0])
        check("G.711 and another group go on in the first", tag == 1 and len(values) > 1.3 * rate and is_tone(values[-rate // 2 - 200:], rate, 0.02), f"{tag} {len(values)}")
        quality = [e for e in events(recording.said) if e["event"] == "quality"][0]
        check("next to nothing is lost on the way", quality["lost_ticks"] < 1200 and quality["epochs"] == 3, quality)


def full_disk():
    with Folder() as folder:
        os.mkdir(f"{folder}/small")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", f"{folder}/small"], check=True)
        os.mkdir(f"{folder}/200")
        os.symlink(f"{folder}/small", f"{folder}/103")  # 48 kB a second, 24 for the other
        with Running("radio", "record", "-r", RADIO, "--json", "-d", folder, "--name", "{ssrc}/full", "103", "200") as recording:
            told = recording.wait_for('"failed".*No space left on device', 30)
            check("a full disk is told", told, recording.read())
            time.sleep(0.5)
            check("the rest goes on", recording.child.poll() is None)
            check("the end says that it failed", recording.end(signal.SIGINT) == 1, recording.read())
        seconds = {e["ssrc"]: e["seconds"] for e in events(recording.said) if e["event"] == "file"}
        check("the other is whole", seconds.get(200, 0) > 2 and len(samples_of(f"{folder}/200/full.wav")[3]) > 40000, recording.said)
        kept = samples_of(f"{folder}/103/full.wav")
        check("what had room is kept", len(kept[3]) > 10000, len(kept[3]))
        subprocess.run(["umount", f"{folder}/small"], check=True)


def restart():
    """A radiod dies in the middle of a recording and another one comes: the channel is made again, the time is kept."""
    with Folder() as folder, Running("radio", "record", "-r", RADIO, "--json", "-f", "998500", "-m", "usb", "-d", folder, "--name", "r", "--lifetime", "50") as recording:
        with radiod():
            check("it is recorded", recording.wait_for("started"), recording.read())
            time.sleep(1)
        time.sleep(0.3)
        with radiod():
            end = time.monotonic() + 15
            while "998500" not in run("radio", "list", "-r", RADIO)[1] and time.monotonic() < end:
                time.sleep(0.1)
            time.sleep(1.5)
            check("it ends well", recording.end(signal.SIGTERM) == 0, recording.read())
        names = files_in(folder, ".wav")
        check("the recording goes on in its file", len(names) == 1, f"{names} {recording.said}")
        _, rate, _, values = samples_of(names[0])
        middle = [i for i, v in enumerate(values) if v == 0]
        check("the time without a radiod is silence", len(middle) > 0.3 * rate, f"{len(middle)} of {len(values)}")
        check("before and after it is the tone", is_tone(values[:6000], rate) and is_tone(values[-6000:], rate), f"{len(values)}")
        quality = [e for e in events(recording.said) if e["event"] == "quality"][0]
        check("another sender was followed", quality["takeovers"] == 1 and abs(quality["seconds"] - len(values) / rate) < 0.001, quality)


enter_namespace()
with radiod():
    command_line()
    every_encoding()
    ogg_opus()
    standard_output()
    standard_output_changes()
    commands()
    stuck_command()
    slow_command()
    deaf_command()
    cuts()
    periods()
    leap_seconds()
    short_and_idle()
    made_for_it()
    changes()
    full_disk()
restart()
finish()
