// SPDX-License-Identifier: MIT
// Packets of two real SRT sessions: libsrt 1.5.1 (Debian 12's 1.5.1-1+deb12u2), srt-live-transmit as caller
// (streamid=publish/live/feed) and as listener, latency 300 ms and 900 ms, over a UDP proxy on loopback that dropped
// chosen data packets; recorded on 2026-11-21. Bytes as they were, as hex.
#pragma once

namespace hawser::vectors::libsrt {

// The caller asks for a cookie.
inline constexpr char induction_request[] =
    "80000000000000000000004b0000000000000004000000021214cfda000005dc00002000000000013d575f1500000000"
    "0100007f000000000000000000000000";

// The listener answers with the cookie and its magic, 0x4A17.
inline constexpr char induction_reply[] =
    "800000000000000000079bc23d575f150000000500004a171214cfda000005dc00002000000000013d575f15306141dc"
    "0100007f000000000000000000000000";

// The caller concludes: HSREQ and the stream id "publish/live/feed".
inline constexpr char conclusion_request[] =
    "80000000000000000000018b0000000000000005000000051214cfda000005dc00002000ffffffff3d575f15306141dc"
    "0100007f0000000000000000000000000001000300010501000000bf012c012c000500056c6275702f6873696576696c"
    "6565662f00000064";

// The listener accepts: HSRSP.
inline constexpr char conclusion_reply[] =
    "80000000000000000000012b3d575f1500000005000000011214cfda000005dc00002000ffffffff1394966e306141dc"
    "0100007f0000000000000000000000000002000300010501000000bf012c012c";

// The first data packet, cut after 40 of its 1332 bytes.
inline constexpr char data_first[] = "1214cfdac0000001000f40821394966e470000000000000000000000000000000000000000000000";

// The 50th data packet, sent again; cut after 40 of its 1332 bytes.
inline constexpr char data_retransmitted[] =
    "1214d00bc40000320010d66d1394966e473100000000000000000000000000000000000000000000";

// The first ACK: 44 bytes, next expected sequence first.
inline constexpr char ack_full[] =
    "8002000000000001000f66c13d575f151214cfdc000186a00000c35000001ffd00000002000003e8000005d3";

// Its ACKACK.
inline constexpr char ackack[] = "8006000000000001000f695b1394966e00000000";

// The listener's keepalive.
inline constexpr char keepalive[] = "8001000000000000003445953d575f1500000000";

// The caller leaves.
inline constexpr char shutdown[] = "8005000000000000004b2c7c1394966e00000000";

// The proxy dropped the 50th data packet.
inline constexpr char nak_single[] = "80030000000000000010d57f3d575f151214d00b";

// The proxy dropped the 126th to the 128th.
inline constexpr char nak_range[] = "800300000000000000133a273d575f159214d0571214d059";

// Another session, whose proxy dropped retransmissions too: a periodic report, singles and ranges together.
// Its first data packet was 0x5D71A6A8; dropped: 50, 120, 122, 126-128, 200, 202, 204-209 (counted from 1).
inline constexpr char nak_mixed[] =
    "80030000000000000015bf8a125f777a5d71a6d95d71a71f5d71a721dd71a7255d71a7275d71a76f5d71a771dd71a773"
    "5d71a778";

}  // namespace hawser::vectors::libsrt
