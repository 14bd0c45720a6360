// SPDX-License-Identifier: MIT
// SRTLA packets as the public peers lay them out: numbers read in BELABOX/srtla 37862da (registration, ACK),
// irlserver/srtla_send 86b90aa (extended keepalive) and irlserver/srtla 39e324a (padding).
#pragma once

namespace hawser::vectors::srtla {

// A receiver's ACK of the sequences 1000 to 1009.
inline constexpr char ack_1000_to_1009[] =
    "91000000"
    "000003e8000003e9000003ea000003eb000003ec000003ed000003ee000003ef000003f0000003f1";

// Timestamp 123456 ms, connection 42, window 25000, 8 in flight, RTT 120 ms, 5 NAKs, 2500000 bytes/s.
inline constexpr char keepalive_extended[] =
    "9000"
    "000000000001e240"
    "c01f0001"
    "0000002a000061a8000000080000007800000005002625a0";

inline constexpr char keepalive_bare[] = "9000";
inline constexpr char reg3[] = "9202";
inline constexpr char reg_err[] = "9210";
inline constexpr char reg_ngp[] = "9211";
// REG_NGP as irlserver/srtla sends it: zeros up to 32 bytes.
inline constexpr char reg_ngp_padded[] = "9211000000000000000000000000000000000000000000000000000000000000";

// An SRT NAK of 700 to 705 and 900, timestamp and socket id zero.
inline constexpr char nak_700_to_705_and_900[] =
    "80030000000000000000000000000000"
    "800002bc000002c100000384";

}  // namespace hawser::vectors::srtla
