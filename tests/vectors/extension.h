// SPDX-License-Identifier: MIT
// This program's own additions to SRTLA, written by hand from the layouts in engine/wire/extension.h and report.h, so
// that a change of either shows here.
#pragma once

namespace hawser::vectors::extension {

// The first 22 bytes of a half: delivery reports and reorder hold, a report each 10 ms.
inline constexpr char offer_all[] =
    "6861777365722f6f"  // hawser/o
    "01"                // version
    "0c"                // 12 bytes follow
    "010400000003"      // features
    "020400002710";     // 10000 us
// The answer to it of a receiver that was told not to hold, and reports each 20 ms.
inline constexpr char answer_reports_only[] = "6861777365722f61010c010400000001020400004e20";
// From a later program: a type that is not known, a feature bit that is not known, a longer interval value.
inline constexpr char offer_of_the_future[] =
    "6861777365722f6f"
    "01"
    "13"
    "ff03aabbcc"
    "010480000002"
    "0206000003e80102";

// The seventh report of a link that brought 21 packets, the clock past its wrap: sequences 2147483647 (1 ms ago), 0
// (300 us ago), 5 (just now); the next expected is 1.
inline constexpr char report_three[] =
    "9a000103"
    "00000007"
    "00000123"
    "00000001"
    "00000015"
    "7fffffff0064"
    "00000000001e"
    "000000050000";
// One entry that came long ago, the next expected not known; padded to 32 bytes.
inline constexpr char report_one_padded[] =
    "9a000101"
    "00000001"
    "ffffffff"
    "80000000"
    "00000001"
    "00000064ffff"
    "000000000000";

}  // namespace hawser::vectors::extension
