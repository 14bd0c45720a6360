// SPDX-License-Identifier: MIT
// What an operator may choose about the receiving end. Read once, when a Receiver is built.
#pragma once

#include <array>
#include <cstdint>

#include "engine/base/endpoint.h"
#include "engine/base/time.h"

namespace hawser::bond {

// Bounds of the tables, not defaults.
inline constexpr std::uint32_t receiver_groups_bound = 1024;
inline constexpr std::uint32_t receiver_links_bound = 32;  // of one group: a bit each in a mask

// Sources that begin with the first `bits` bits of `address` (its 128-bit form: an IPv4 /24 has 120 bits).
struct SourcePrefix {
    std::array<std::uint8_t, 16> address{};
    std::uint8_t bits = 0;

    [[nodiscard]] constexpr bool holds(const Endpoint& e) const {
        const std::size_t whole = bits / 8u;
        for (std::size_t i = 0; i < whole; ++i)
            if (address[i] != e.address[i]) return false;
        const unsigned rest = bits % 8u;
        if (rest == 0) return true;
        const unsigned mask = 0xFFu << (8 - rest);
        return ((unsigned{address[whole]} ^ unsigned{e.address[whole]}) & mask & 0xFFu) == 0;
    }
};
inline constexpr std::size_t source_prefixes_max = 64;

struct ReceiverOptions {
    Endpoint listen;
    std::uint32_t groups_max = 200;          // as every public receiver (BELABOX/srtla 37862da)
    std::uint32_t links_per_group_max = 16;  // as irlserver/srtla 39e324a; the origin has 8

    Duration link_silence{15'000'000'000};   // irlserver/srtla 39e324a: a tunnel's length for a modem
    Duration group_silence{30'000'000'000};  // the same; of a group that carried SRT data; others end with their links

    // A part-filled SRTLA ACK leaves this long after its first entry, or up to ack_flush_grid earlier: so the
    // timers of hundreds of links fall together.
    Duration ack_flush{15'000'000};
    Duration ack_flush_grid{5'000'000};

    // What is granted to senders that ask for it (engine/wire/extension.h): reports of what came by each link and when.
    bool delivery_reports = true;
    // And that packets reach the SRT server in order, waiting for earlier ones within their time.
    bool reorder_hold = true;
    // Between two of a link: as the sender wishes, within these. Below the first the reports would cost more of a thin
    // link's way back than they tell; above the second they are of no use. Untuned.
    Duration report_interval_min{5'000'000};
    Duration report_interval_max{1'000'000'000};

    // A held packet goes on so long before its deadline: for the SRT server's own timers (10 ms) and a busy machine.
    Duration hold_margin{60'000'000};
    // It is held so long when the deadline is not known. Untuned.
    Duration hold_without_deadline{200'000'000};

    // A link heard within this counts as live: it may get copies of SRT ACKs and NAKs, and no newcomer takes its slot.
    // Three of the senders' keepalive intervals.
    Duration link_live{3'000'000'000};
    // A live link that has delivered SRT packets within this gets those copies. So one forged data packet, followed by
    // forged keepalives, does not aim a hundred ACKs a second at a stranger for ever; and a link that a sender rests
    // for a while keeps its copies. Untuned.
    Duration link_delivering{10'000'000'000};
    // An address that another group holds is released to a newcomer after this silence. The senders' own timeout is
    // 4 to 5 s, so whoever still sends from there is heard sooner.
    Duration address_hold{5'000'000'000};
    // An encoder's new session replaces a live one only when the old one has sent no data for this long, so that
    // neither a late packet nor a forged one ends a running stream. libsrt repeats its induction every 250 ms.
    Duration session_quiet{250'000'000};

    // New groups per prefix (/24, /56) of the address that asked, and in all. Untuned; a venue's senders may share one
    // address.
    std::uint32_t prefix_burst = 32;
    std::uint32_t prefix_per_second = 4;
    std::uint32_t global_burst = 0;       // 0: groups_max, since after a restart all come back at once
    std::uint32_t global_per_second = 0;  // 0: half of groups_max, so that a new group has 2 s to gain a link

    // REG2s in answer to REG1s, per prefix (/24, /48) that they go to: as if the senders of all groups that a receiver
    // may have were there and asked once a second each, as they do; after a pause four times each.
    std::uint32_t answers_burst = 4 * receiver_groups_bound;
    std::uint32_t answers_per_second = receiver_groups_bound;

    // Who may register; none listed: everybody.
    std::array<SourcePrefix, source_prefixes_max> allowed{};
    std::uint32_t allowed_count = 0;

    std::uint32_t receive_buffer_bytes = 4u * 1024 * 1024;  // of the listening socket; a burst of 200 groups
    std::uint32_t send_buffer_bytes = 4u * 1024 * 1024;
    std::uint32_t server_buffer_bytes = 0;  // of each group's socket towards the SRT server; 0: the system's default
    // UDP GRO on the listening socket. Off: it pays where senders' GSO packets survive to here, and costs elsewhere.
    bool join_segments = false;
};

}  // namespace hawser::bond
