#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The include law: which folder may include which, and which system headers each may use.

engine/ is pure. It knows no system call, clock, thread, exception, RTTI or virtual function, so its standard headers
are a list, and a few words are refused. platform/ never knows SRT, except in app/, which joins both.
Quoted includes are written from the root of the tree and name a file that exists.

usage: check_layers.py [ROOT]          checks a tree; prints each offence; exit 1 if there is one
       check_layers.py --self-test     builds small bad trees and insists that each is refused
"""
import pathlib
import re
import sys
import tempfile

# Folder -> folders (or single files) that it may include. A folder may always include itself.
LAYERS = {
    "engine/base": [],
    "engine/wire": ["engine/base"],
    "engine/border": ["engine/base"],
    "engine/link": ["engine/base", "engine/wire", "engine/border"],
    "engine/select": ["engine/base", "engine/border"],
    "engine/bond": ["engine/base", "engine/wire", "engine/border", "engine/link", "engine/select"],
    "engine/pump": ["engine/base", "engine/wire", "engine/border", "engine/link", "engine/select", "engine/bond"],
    "engine/radio": ["engine/base", "engine/wire", "engine/border"],
    "engine/sim": ["engine/base", "engine/wire", "engine/border", "engine/link", "engine/select", "engine/bond",
                   "engine/pump"],
    "platform/linux": ["engine/base", "engine/pump/io.h"],
    "platform/control": ["engine/base", "engine/wire", "engine/radio", "engine/border", "platform/linux"],
    "platform/app": ["engine", "platform"],
    "tests": ["engine", "platform", "tests", "perf"],
    "perf": ["engine", "platform", "tests", "perf"],
}

# Standard headers that neither read a clock nor touch the kernel, start a thread, take the heap by themselves or pull
# in a great deal of text. <cerrno> is for the names of errors that arrive as values. <memory> is for tables sized at start; <cerrno> for the values that completions carry.
PURE = set("""algorithm array bit cerrno climits cmath compare concepts cstddef cstdint cstring initializer_list iterator limits
memory new numeric optional span string_view tuple type_traits utility variant""".split())
# sim/ and radio/ may use the heap.
HEAP = set("deque map queue set string unordered_map unordered_set vector".split())
# <charconv>: radio/ reads and writes the numbers of operators.
EXTRA = {"engine/sim": HEAP, "engine/radio": HEAP | {"charconv"}}
# Single files with a reason of their own.
EXTRA_FILES = {
    "engine/base/check.cc": {"cstdio", "cstdlib"},  # the last words before abort
    "engine/base/spsc.h": {"atomic"},
    "engine/base/latest.h": {"atomic"},
    "engine/border/counters.h": {"atomic"},
}
# Nowhere in the program: they cost compile time or hide allocation, and the house does without.
REFUSED = {"iostream", "regex", "ranges", "random"}
# Words that the engine does without; comments and literals do not count.
REFUSED_WORDS = re.compile(r"\b(virtual|dynamic_cast|typeid|throw|catch|std::function|std::thread|std::mutex)\b")

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')
NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', re.S)


def layer_of(path):
    """The longest folder of LAYERS that holds the path, or None."""
    fitting = [layer for layer in LAYERS if path.startswith(layer + "/")]
    return max(fitting, key=len) if fitting else None


def may_include(layer, target):
    return any(target == allowed or target.startswith(allowed + "/") for allowed in [layer, *LAYERS[layer]])


def check_system_header(path, layer, header):
    if header in REFUSED and not layer in ("tests", "perf"):
        return f"<{header}> is refused everywhere in the program"
    if not layer.startswith("engine/"):
        return None
    if header in PURE | EXTRA.get(layer, set()) | EXTRA_FILES.get(path, set()):
        return None
    return f"<{header}> is not on the list of {layer}"


def check_file(root, path):
    layer = layer_of(path)
    if layer is None:
        yield 1, "is in no known layer"
        return
    text = (root / path).read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), 1):
        found = INCLUDE.match(line)
        if not found:
            continue
        quoted, system = found.groups()
        if system:
            offence = check_system_header(path, layer, system)
            if offence:
                yield number, offence
        elif not (root / quoted).is_file():
            yield number, f'"{quoted}" is no file below the root'
        elif ".." in quoted.split("/") or not may_include(layer, quoted):
            yield number, f"{layer} may not include {quoted}"
    if layer.startswith("engine/"):
        # Newlines inside comments stay, so that line numbers hold.
        bare = NOISE.sub(lambda noise: "\n" * noise.group().count("\n"), text)
        for number, line in enumerate(bare.splitlines(), 1):
            for word in REFUSED_WORDS.findall(line):
                yield number, f"{word} has no place in the engine"


def check_tree(root):
    """All offences as text, and how many files were read."""
    offences, count = [], 0
    for top in ("engine", "platform", "tests", "perf"):
        for file in sorted((root / top).rglob("*")):
            if file.suffix not in (".h", ".cc", ".cpp", ".hpp") or not file.is_file():
                continue
            count += 1
            path = file.relative_to(root).as_posix()
            offences += [f"{path}:{number}: {what}" for number, what in check_file(root, path)]
    return offences, count


# Path, content, and a piece of the complaint; an empty piece means that the file is fine.
SAMPLES = [
    ("engine/wire/a.h", '#include "engine/base/b.h"\n#include <span>\n', ""),
    ("engine/base/a.h", '#include "engine/wire/w.h"\n', "engine/base may not include engine/wire"),
    ("engine/select/a.h", '#include "engine/link/l.h"\n', "engine/select may not include engine/link"),
    ("engine/sim/a.h", '#include "engine/radio/r.h"\n#include <vector>\n', "engine/sim may not include engine/radio"),
    ("engine/bond/a.h", "#include <sys/socket.h>\n", "not on the list"),
    ("engine/bond/a.h", "#include <chrono>\n", "not on the list"),
    ("engine/bond/a.h", "#include <vector>\n", "not on the list"),
    ("engine/link/a.h", "#include <atomic>\n", "not on the list"),
    ("engine/base/spsc.h", "#include <atomic>\n", ""),
    ("engine/link/a.h", "struct A { virtual void f(); };\n", "virtual has no place"),
    ("engine/link/a.h", "/* virtual\n virtual */ // throw\nint x;  // catch\n", ""),
    ("engine/link/a.h", "/* one\n two */\nthrow 1;\n", "a.h:3: throw"),
    ("engine/link/a.h", '#include "link/none.h"\n', "is no file"),
    ("engine/link/a.h", '#include "engine/link/../radio/r.h"\n', "may not include"),
    ("engine/new_folder/a.h", "int x;\n", "in no known layer"),
    ("platform/linux/a.h", '#include "engine/pump/io.h"\n#include <sys/socket.h>\n', ""),
    ("platform/linux/a.h", '#include "engine/pump/pump.h"\n', "platform/linux may not include engine/pump/pump.h"),
    ("platform/linux/a.h", '#include "engine/wire/w.h"\n', "platform/linux may not include engine/wire"),
    ("platform/control/a.h", '#include "engine/pump/io.h"\n', "platform/control may not include engine/pump"),
    ("platform/app/a.h", '#include "engine/pump/pump.h"\n#include "platform/linux/p.h"\n', ""),
    ("platform/app/a.h", "#include <iostream>\n", "refused everywhere"),
    ("platform/app/a.h", '#include "tests/t.h"\n', "platform/app may not include tests"),
    ("tests/a.cc", '#include "engine/bond/b.h"\n#include <random>\n', ""),
]


def self_test():
    passed = 0
    for path, content, complaint in SAMPLES:
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for other in ("engine/base/b.h", "engine/wire/w.h", "engine/link/l.h", "engine/radio/r.h", "engine/bond/b.h",
                          "engine/pump/io.h", "engine/pump/pump.h", "platform/linux/p.h", "tests/t.h"):
                (root / other).parent.mkdir(parents=True, exist_ok=True)
                (root / other).write_text("")
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(content)
            said = "\n".join(check_tree(root)[0])
        if (complaint in said) if complaint else not said:
            passed += 1
        else:
            print(f"sample {path}: {content!r}\n  expected: {complaint or 'no complaint'}\n  said: {said or 'nothing'}")
    print(f"{passed} of {len(SAMPLES)} samples judged rightly")
    return 0 if passed == len(SAMPLES) else 1


def main():
    if "--self-test" in sys.argv[1:]:
        return self_test()
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    offences, count = check_tree(root)
    print("\n".join(offences) if offences else f"{count} files keep the include law")
    if count == 0:
        print(f"no source file below {root}: is it the root of the tree?")
    return 1 if offences or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
