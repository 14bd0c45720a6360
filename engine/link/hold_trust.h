// SPDX-License-Identifier: MIT
// Whether what is sent into a link's silence is likely to come when the silence ends. Satellites and handovers between
// cells hold packets for up to a second and then deliver all of them at once: no capacity is lost, only late. A radio
// link in a fade keeps its queue and carries no more than its rate afterwards; a dark one loses all.
// A link is trusted that has ended one of its last silences with such a burst; a new one is, the first time, when it
// fell silent at its full rate, since fades come gradually. A link without a queue counts as at its full rate.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/base/time.h"

namespace hawser::link {

class HoldTrust {
public:
    // The link has fallen silent. Bytes per ns: what it delivered just now, and its best of late; 0: not known.
    void on_silence(float recent, float best) noexcept {
        judge();
        best_ = best;
        is_likely_ = trust_ >= proven || (trust_ > 0 && recent >= best * full_share);
        counted_until_ = Instant{};
    }
    // It speaks again, after so much was sent that nobody has named yet.
    void on_heard(std::int64_t in_flight, Duration base_rtt, Instant now) noexcept {
        has_evidence_ = static_cast<float>(in_flight) >= best_ * static_cast<float>(burst_min_ns);
        counted_until_ = now + base_rtt + burst_within;
        has_first_ = false;
        burst_ns_ = 0;
    }
    // Or it does not speak any more: what was sent is lost.
    void on_down() noexcept {
        counted_until_ = Instant{};
        burst_ns_ = 0;
        has_evidence_ = true;
    }
    // It has brought so many bytes more, the last of them at that time on the receiver's clock.
    void on_arrivals(std::int64_t bytes, std::uint32_t arrival_us, Instant now) noexcept {
        if (now >= counted_until_ || best_ <= 0) [[likely]]
            return;
        const std::int64_t span = std::int64_t{static_cast<std::int32_t>(arrival_us - first_us_)} * 1000;
        if (!has_first_ || span < 0 || span > burst_span_ns) {
            has_first_ = true;
            first_us_ = arrival_us;
            bytes_ = 0;
            return;
        }
        bytes_ += bytes;
        const auto worth = static_cast<std::int64_t>(static_cast<float>(bytes_) / best_);
        burst_ns_ = std::max(burst_ns_, worth - 2 * span);
    }
    // While it is silent: what is sent now is likely to come.
    [[nodiscard]] bool is_likely() const noexcept { return is_likely_; }

private:
    // Untuned: bursts of recorded and made-up holds are worth 90 ms and more, those of fades 8 ms at most.
    static constexpr std::int64_t burst_min_ns = 50'000'000;  // at the link's best rate, beyond twice their own time
    static constexpr std::int64_t burst_span_ns = 20'000'000;
    // Words that were held come first, and what they answer to a round trip later.
    static constexpr Duration burst_within{200'000'000};
    // Of 0, 0.6 and 0.8, with 0.8 links that fade lose the least.
    static constexpr float full_share = 0.8F;
    static constexpr int proven = 2;
    static constexpr int trust_max = 4;  // silences without a burst until it is trusted no more; untuned

    void judge() noexcept {
        if (!has_evidence_ || best_ <= 0) return;
        has_evidence_ = false;
        trust_ = burst_ns_ >= burst_min_ns ? trust_max : std::max(0, trust_ - 1);
    }

    float best_ = 0;
    Instant counted_until_;
    std::int64_t bytes_ = 0;  // since first_us_
    std::int64_t burst_ns_ = 0;
    std::uint32_t first_us_ = 0;
    int trust_ = 1;
    bool has_first_ = false;
    bool has_evidence_ = false;  // of how the silence ended
    bool is_likely_ = false;
};

}  // namespace hawser::link
