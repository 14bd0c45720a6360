// SPDX-License-Identifier: MIT
// How many bits of media a second the bond can carry now and shortly, for an encoder to follow. Asked ten times a
// second, never per packet; told what SRT's receiver has acknowledged. The same law for all selectors, since it looks
// at the bond from outside: at what comes in, what the links have delivered of what they took, and the lag.
//
// The lag is the age of the oldest packet that SRT's receiver has not acknowledged. It holds everything that delays a
// payload: the wait for a link, the links' queues, repairs. What of it exceeds the least of late is the excess; an
// encoder that offers more than the links carry makes it grow by (1 - carried / offered) seconds a second.
//
// The law, which tests/unit/bond/safe_rate_test.cc quotes:
//  - What has passed for a second with hardly any excess is proven: the figure is at least that.
//  - It rises while there is hardly any excess, slowly after a fall and faster the longer ago that is, and never above
//    what was offered lately by more than headroom_share: what links can do beyond that nobody knows. With some
//    excess it eases off by a hundredth a second.
//  - When the excess grows beyond a share of SRT's latency, it falls at once to a share of what the links deliver,
//    and again while the excess goes on growing. Until the excess is gone it is lower by what clears the queue.
//  - It falls at once when more than a few packets could not arrive in time.
//  - A link that says nothing takes its share along at once, and gives it back when it speaks within a second.
//  - It is never above what rate caps allow, less a part for repairs.
//  - Without media it stays as it is, less what links are lost; without a link it is zero.
// Pump thread only; no allocation.
#pragma once

#include <array>
#include <cstdint>

#include "engine/base/link_load.h"
#include "engine/base/strong.h"
#include "engine/base/time.h"
#include "engine/border/safe_rate.h"
#include "engine/link/path_model.h"
#include "engine/wire/seq.h"

namespace hawser::bond {

// What the sender knows at one moment. Totals grow; a link's begin anew when its slot is given away.
struct SafeRateInput {
    struct Link {
        std::uint64_t sent = 0;  // packets
        std::uint64_t open = 0;  // of them, under way
        std::uint64_t lost = 0;  // of them, known not to have arrived
    };

    Duration latency;                 // SRT's
    std::uint64_t fresh = 0;          // packets that the caller sent for the first time
    std::uint64_t given_up = 0;       // packets that no link could take, or none in time
    std::uint32_t payload_bytes = 0;  // mean of a packet
    std::uint64_t media_cap = 0;      // bit/s that rate caps leave for media; 0: none
    wire::Seq31 newest;               // of the caller's packets
    LinkMask up = 0;                  // links that carry data
    LinkMask speaking = 0;            // of them, those that answer
    std::array<Link, links_max> links{};
};

class SafeRateLaw {
public:
    static constexpr Duration interval{100'000'000};

    SafeRateLaw() { clear(); }

    void clear() noexcept;
    // Another SRT session, whose first packet is this. The figure stays: the links are the same.
    void new_session(wire::Seq31 first) noexcept;
    void on_srt_ack(wire::Seq31 next_expected) noexcept {
        if (wire::distance(next_expected_, next_expected) > 0) next_expected_ = next_expected;
    }
    // Each `interval`.
    void step(const SafeRateInput& input, Instant now) noexcept;

    [[nodiscard]] const SafeRate& figure() const noexcept { return figure_; }

private:
    struct Mark {
        Instant at;
        std::uint64_t fresh = 0;
        std::uint64_t given_up = 0;
        std::uint64_t sent = 0;
        std::uint64_t arrived = 0;
        wire::Seq31 newest;
    };
    struct Share {
        std::uint64_t sent = 0;  // as the input said last
        std::uint64_t arrived = 0;
        std::uint64_t sent_total = 0;  // since clear(), whoever had the slot
        std::uint64_t arrived_total = 0;
        double per_second = 0;         // packets that arrived, smoothed
        Instant silent_since = never;  // while it still counts: see the law
    };
    static constexpr std::size_t marks_max = 128;  // 12.8 s: longer than SRT's latencies

    [[nodiscard]] const Mark& newest_mark() const noexcept { return marks_[(first_ + count_ - 1) % marks_max]; }
    [[nodiscard]] const Mark& mark_before(Duration age) const noexcept;
    void push_mark(const SafeRateInput& input, Instant now) noexcept;
    void note_links(const SafeRateInput& input, double seconds, Instant now) noexcept;
    [[nodiscard]] Duration lag(Instant now) const noexcept;
    void judge(const SafeRateInput& input, double seconds, Instant now) noexcept;
    void fall(double to, SafeRateCause cause, Instant now) noexcept;
    [[nodiscard]] double speaking_share() const noexcept;
    [[nodiscard]] double drain_share(Duration latency) const noexcept;

    std::array<Mark, marks_max> marks_;
    std::size_t first_ = 0;
    std::size_t count_ = 0;
    wire::Seq31 next_expected_;
    link::WindowedLeast least_lag_{Duration{}};
    std::array<Share, links_max> shares_{};
    LinkMask up_ = 0;
    double level_ = 0;             // bit/s of media
    double before_ = 0;            // the level when the overload began
    double offered_ = 0;           // in the last second
    double greatest_ = 0;          // of late
    Instant media_since_ = never;  // until the first level
    Instant quiet_since_ = never;
    Instant fallen_at_ = never;
    Duration excess_at_fall_;
    bool is_congested_ = false;   // the excess was too great, and is not gone yet
    bool is_overloaded_ = false;  // since then, the links were offered more than they delivered
    SafeRate figure_;
};

}  // namespace hawser::bond
