// SPDX-License-Identifier: MIT
// The rates that operators allow to links, on the wire: IP and UDP headers counted with every byte that leaves, media,
// repairs, copies and SRTLA's own alike. A token bucket per link in the form of a clock: each link's runs ahead by what
// its packets cost at its rate, and a link that is ahead by more than `burst` is closed until time has caught up.
//
// Guarantees: data that leave only while their link is not closed() never exceed, in any `window`, what the cap allows
// for it and one packet. For this the clock is charged a little more than the cap says: burst / window, which is two
// percent. What may not wait (keepalives, registration, SRT's own control packets) is noted all the same, and data make
// room for it. What did not leave after all is given back.
// Integers only; nothing here reads a clock. Pump thread only.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "engine/base/link_load.h"
#include "engine/base/time.h"

namespace hawser::link {

class RateCaps {
public:
    static constexpr Duration window{100'000'000};
    // Twice what a timer may be late by: a pump that waits for company wakes within half a millisecond.
    static constexpr Duration burst{2'000'000};

    // Bit/s; 0: none. A change takes effect with the next packet. `header_bytes`: of IP and UDP.
    void set(LinkId link, std::uint64_t bits_per_second, std::uint32_t header_bytes) noexcept {
        Clock& c = clocks_[link.index()];
        c.header_bytes = header_bytes;
        c.ns_per_byte = 0;
        if (bits_per_second == 0) {
            capped_ &= ~mask_of(link);
            closed_ &= ~mask_of(link);
            c.ahead_to = Instant{};
            return;
        }
        constexpr std::uint64_t ns_of_byte = 8'000'000'000;
        // Upwards, so that no rounding lets more pass.
        c.ns_per_byte = ((ns_of_byte << fraction_bits) / bits_per_second + 1) *
                            static_cast<std::uint64_t>((window + burst).ns) / static_cast<std::uint64_t>(window.ns) +
                        1;
        capped_ |= mask_of(link);
    }
    // Whether any link has a cap: what else is here need not be asked where none has.
    [[nodiscard]] bool any() const noexcept { return capped_ != 0; }
    [[nodiscard]] LinkMask capped() const noexcept { return capped_; }
    // Links that have used up what they may send for now.
    [[nodiscard]] LinkMask closed(Instant now) noexcept {
        for (LinkMask rest = closed_; rest != 0; rest &= rest - 1) {
            const auto i = static_cast<std::size_t>(std::countr_zero(rest));
            if (clocks_[i].ahead_to - burst <= now) closed_ &= ~(LinkMask{1} << i);
        }
        return closed_;
    }
    // When the first of `links` opens again; never: none of them is closed.
    [[nodiscard]] Instant opens_at(LinkMask links) const noexcept {
        Instant first = never;
        for (LinkMask rest = closed_ & links; rest != 0; rest &= rest - 1)
            first = std::min(first, clocks_[static_cast<std::size_t>(std::countr_zero(rest))].ahead_to - burst);
        return first;
    }
    // A UDP payload of so many bytes leaves.
    void note_sent(LinkId link, std::size_t payload_bytes, Instant now) noexcept {
        if ((capped_ & mask_of(link)) == 0) return;
        Clock& c = clocks_[link.index()];
        c.ahead_to = std::max(c.ahead_to, now) + c.cost_of(payload_bytes);
        if (c.ahead_to - burst > now) closed_ |= mask_of(link);
    }
    // That one did not: the kernel refused it.
    void note_unsent(LinkId link, std::size_t payload_bytes) noexcept {
        if ((capped_ & mask_of(link)) == 0) return;
        Clock& c = clocks_[link.index()];
        c.ahead_to = c.ahead_to - c.cost_of(payload_bytes);
    }

private:
    // From 100 kbit/s, where a byte of 80 us times window + burst stays below 2^63, to 100 Gbit/s, where a byte is 5242
    // parts.
    static constexpr int fraction_bits = 16;

    struct Clock {
        Instant ahead_to;               // when all that was sent has been paid for
        std::uint64_t ns_per_byte = 0;  // << fraction_bits
        std::uint32_t header_bytes = 28;

        [[nodiscard]] Duration cost_of(std::size_t payload_bytes) const noexcept {
            const std::uint64_t bytes = payload_bytes + header_bytes;
            return Duration{static_cast<std::int64_t>(bytes * ns_per_byte >> fraction_bits)};
        }
    };

    LinkMask capped_ = 0;
    LinkMask closed_ = 0;
    std::array<Clock, links_max> clocks_{};
};

}  // namespace hawser::link
