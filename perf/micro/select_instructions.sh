#!/bin/sh
# SPDX-License-Identifier: MIT
# User-space instructions per packet of the selector and the accounting, from 4 to 32 links: the slope between two
# packet counts under callgrind, so start-up does not count.
#
# Of adaptive the choice is counted alone, and as both-adaptive all that binds one packet to a link.
#
# usage: select_instructions.sh PROGRAM [WHAT...]      WHAT as of micro-select, or both-adaptive; default: all
set -eu
[ $# -ge 1 ] || { sed -n '3,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
command -v valgrind >/dev/null || { echo "valgrind is not installed (Debian package valgrind)"; exit 77; }
program=$1
shift
[ $# -gt 0 ] || set -- null classic enhanced adaptive accounting both-classic both-enhanced both-adaptive
few=20000
many=120000
count() {
    work=$1
    narrowed=
    case $work in
    adaptive) narrowed='--toggle-collect=*Dispatch::choose*' ;;
    both-adaptive)
        narrowed='--toggle-collect=*bind_packet*'
        shift
        set -- adaptive "$@"
        ;;
    esac
    # shellcheck disable=SC2086
    valgrind --tool=callgrind $narrowed --callgrind-out-file=/dev/null "$program" "$@" 2>&1 >/dev/null |
        sed -n 's/^==[0-9]*== Collected : //p'
}
printf '%-14s %8s %8s %8s %8s   instructions per packet\n' what 4 8 16 32
for what; do
    printf '%-14s' "$what"
    for links in 4 8 16 32; do
        low=$(count "$what" "$links" $few)
        high=$(count "$what" "$links" $many)
        awk -v l="$low" -v h="$high" -v n=$((many - few)) 'BEGIN { printf " %8.1f", (h - l) / n }'
    done
    echo
done
