#!/bin/sh
# SPDX-License-Identifier: MIT
# User-space instructions per decoded status of a radiod (280 bytes): the slope between two packet counts under
# callgrind, so start-up does not count.
#
# usage: status_instructions.sh PROGRAM      PROGRAM: radio-status, of whatever build
set -eu
[ $# -eq 1 ] || { sed -n '3,6s/^# \{0,1\}//p' "$0" >&2; exit 2; }
[ -x "$1" ] || { echo "$1 is no program" >&2; exit 2; }
command -v valgrind >/dev/null || { echo "valgrind is not installed (Debian package valgrind)"; exit 77; }
few=1000
many=11000
count() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$1" "$2" 2>&1 >/dev/null |
        sed -n 's/^==[0-9]*== Collected : //p'
}
low=$(count "$1" $few)
high=$(count "$1" $many)
awk -v l="$low" -v h="$high" -v n=$((many - few)) 'BEGIN { printf "%.1f instructions per status\n", (h - l) / n }'
