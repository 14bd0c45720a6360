# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Shared by the scripts beside it; sourced with $root set to the top of the tree. Owns the package lists, installing
# what is missing, and running a command whose output matters only when it fails.
# shellcheck disable=SC2034,SC2154  # lists are used by, $root and $logs set by, whoever sources this

# Debian 12 names. What the program is built from:
packages_build=(g++ meson ninja-build pkg-config python3 liburing-dev libavahi-client-dev libc-ares-dev
    libmicrohttpd-dev libmimalloc-dev libmnl-dev libcli11-dev libfmt-dev libogg-dev libopus-dev libspdlog-dev
    nlohmann-json3-dev libsrt-openssl-dev libtomlplusplus-dev)
# What the demo and the end-to-end tests run beside it:
packages_media=(ffmpeg)
# What the tests need beyond that:
packages_test=(catch2 ccache clang-format iproute2 procps shellcheck strace valgrind)
# What only the full test needs:
packages_full=(avahi-daemon avahi-utils clang clang-tidy dbus g++-aarch64-linux-gnu libclang-rt-14-dev llvm nftables
    prometheus qemu-user srt-tools systemd tshark)

say() { printf '%s\n' "$*"; }
die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# quietly LOG COMMAND...: output goes to the log, and to the terminal only after a failure.
quietly() {
    local log=$1
    shift
    mkdir -p "$(dirname "$log")"
    "$@" >"$log" 2>&1 </dev/null && return 0
    local code=$?
    printf -- '--- %s failed (exit %s); the end of %s:\n' "$*" "$code" "$log" >&2
    tail -n 60 "$log" >&2
    return "$code"
}

missing_packages() {
    local package
    for package in "$@"; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || printf '%s\n' "$package"
    done
}

# need_packages NAME...: installs what is not there; says nothing when all of it is.
need_packages() {
    if ! command -v dpkg-query apt-get >/dev/null; then
        say "This is no Debian: installing nothing. Needed, by Debian's names: $*" >&2
        return 0
    fi
    local missing
    mapfile -t missing < <(missing_packages "$@")
    [[ ${#missing[@]} -eq 0 ]] && return 0
    local as_root=()
    if [[ $(id -u) -ne 0 ]]; then
        command -v sudo >/dev/null ||
            die "these packages are missing, and installing them needs root: apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    say "Installing: ${missing[*]}" >&2
    quietly "$logs/apt-update.log" "${as_root[@]}" apt-get update || die "the package lists could not be fetched"
    quietly "$logs/apt-install.log" "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends "${missing[@]}" || die "packages could not be installed"
}

# configure FOLDER OPTION...: sets a build folder up, or again when the options are not those it was made with.
configure() {
    local folder=$1
    shift
    # The compiler is part of the choice: a folder cannot change it later.
    local wanted="${CXX:-default} $*" mark=$folder/.hawser-options
    if [[ -f $folder/build.ninja && -f $mark && $(<"$mark") == "$wanted" ]]; then return 0; fi
    local again=()
    if [[ -f $mark && $(cut -d' ' -f1 "$mark") != "${wanted%% *}" ]]; then
        again=(--wipe)
    elif [[ -f $folder/build.ninja ]]; then
        again=(--reconfigure)
    fi
    quietly "$logs/configure-${folder##*/}.log" meson setup "${again[@]}" "$@" "$folder" "$root" || return 1
    printf '%s\n' "$wanted" >"$mark"
}

# Many of a library's sources at a time, which takes a third of the time. Folders in which people work do without: there
# one source is compiled anew, and each has to include what it uses.
at_once=(-Dunity=on)
# And what only tests run: no figure of theirs is the control plane's.
for_tests=("${at_once[@]}" -Dcontrol_optimization=0)

# One compile per core, but no more than memory allows: a file with heavy templates takes up to 1.5 GB.
jobs() {
    local cores memory_kb
    cores=$(nproc)
    memory_kb=$(awk '/^MemAvailable/ {print $2}' /proc/meminfo)
    local fitting=$((memory_kb / 1500000))
    [[ $fitting -lt 1 ]] && fitting=1
    printf '%s\n' $((cores < fitting ? cores : fitting))
}

# ccache wants a folder that it may write to.
if [[ -z ${CCACHE_DIR:-} && ! -w ${HOME:-/nonexistent} ]]; then
    export CCACHE_DIR=$root/build-test/ccache
fi
