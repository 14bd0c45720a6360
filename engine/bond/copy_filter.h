// SPDX-License-Identifier: MIT
// Tells a packet's first copy from the later ones. A receiver sends each SRT ACK and NAK on every uplink; the SRT
// caller is to see it once. Copies are equal byte for byte, their SRT timestamp included, so a hash of all bytes
// names them; a table of 32-bit tags, eight to a set, remembers the last ones. A new packet is taken for a copy once in
// 2^29 at most; a copy is let through when eight others of its set came meanwhile, which SRT would bear without harm.
//
// Equal bytes are not always a copy. libsrt's repeated NAKs bear new timestamps, but Moblin's server repeats the last
// NAK with its old one each 100 ms until the packet is there (eerimoq/moblin 6e7686d), on one link: that is a new
// question. So what comes again on a link that has brought it, and not at once, is first again.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "engine/base/bytes.h"
#include "engine/base/link_load.h"
#include "engine/base/strong.h"
#include "engine/base/time.h"

namespace hawser::bond {

class CopyFilter {
public:
    // Bytes that come again by the same link after this are said again; sooner, the network has doubled them. Half of
    // Moblin's period.
    static constexpr Duration said_again_after{50'000'000};

    // True the first time these bytes are seen (as far as the table remembers), and when they are said again.
    [[nodiscard]] bool is_first(Bytes packet, LinkId link, Instant now) noexcept {
        const std::uint64_t h = hash(packet);
        const auto tag = static_cast<std::uint32_t>(h >> 32) | 1;  // 0 is an empty place
        const LinkMask by = mask_of(link);
        Set& set = sets_[h % set_count];
        for (std::size_t way = 0; way < ways; ++way) {
            if (set.tags[way] != tag) continue;
            Seen& seen = set.seen[way];
            const bool is_known = (seen.by & by) != 0;
            const bool again = is_known && now - seen.at >= said_again_after;
            seen.by |= by;
            if (again || !is_known) seen.at = now;
            return again;
        }
        const std::size_t oldest = set.next++ % ways;
        set.tags[oldest] = tag;
        set.seen[oldest] = Seen{now, by};
        return true;
    }
    void clear() noexcept { sets_.fill({}); }

private:
    // 100 ACKs and 100 NAKs a second, half a second between the fastest and the slowest uplink: a hundred packets in
    // 128 sets, and a set overflows about once in a million.
    static constexpr std::size_t ways = 8;
    static constexpr std::size_t set_count = 128;
    struct Seen {
        Instant at;       // when it last was first, or came by another link: that may be doubled too
        LinkMask by = 0;  // links that have brought it
    };
    struct Set {
        std::array<std::uint32_t, ways> tags{};
        std::array<Seen, ways> seen{};
        std::uint32_t next = 0;
    };

    static std::uint64_t hash(Bytes packet) noexcept {
        std::uint64_t h = 0x9E37'79B9'7F4A'7C15u ^ packet.size();
        std::size_t at = 0;
        for (; at + 8 <= packet.size(); at += 8) h = mix(h, packet.data() + at, 8);
        if (at < packet.size()) h = mix(h, packet.data() + at, packet.size() - at);
        return h;
    }
    static std::uint64_t mix(std::uint64_t h, const std::uint8_t* p, std::size_t n) noexcept {
        std::uint64_t word = 0;
        std::memcpy(&word, p, n);
        h = (h ^ word) * 0xD6E8'FEB8'6659'FD93u;
        return h ^ (h >> 32);
    }

    std::array<Set, set_count> sets_{};
};

}  // namespace hawser::bond
