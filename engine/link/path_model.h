// SPDX-License-Identifier: MIT
// What one link can do, as far as its answers tell: the least delay it has shown (base), how long its queue is in time,
// how fast it delivers, and from these how many bytes it should carry at most (window) and when a packet that is sent
// now will arrive. Plain arithmetic on what it is told; nothing here reads a clock.
//
// The window is the delivery rate times base delay plus a small standing queue: the link never idles for want of
// packets that are on their way to it, and never holds more than a late decision may wish to have back. The rate is the
// greatest of late ones, since what a link delivers is also bounded by what it is given; while the window is what
// limits and no queue builds, it grows as data arrive. What a pause held back comes in a burst, which is no rate: bytes
// count over the time in which they were sent where that is longer.
//
// When a packet will arrive is another question: a link with a queue delivers what it can, and its rate of just now
// tells. How wrong such answers have been lately is the margin to leave.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

#include "engine/base/time.h"

namespace hawser::link {

// The least of what was noted during the last one to two spans.
class WindowedLeast {
public:
    explicit constexpr WindowedLeast(Duration span) : span_(span) {}
    void note(std::int64_t value, Instant now) noexcept {
        if (now - since_ >= span_) [[unlikely]] {
            previous_ = now - since_ < span_ * 2 ? current_ : none;
            current_ = none;
            since_ = now;
        }
        current_ = std::min(current_, value);
    }
    [[nodiscard]] std::int64_t least() const noexcept { return std::min(current_, previous_); }
    [[nodiscard]] bool any() const noexcept { return least() != none; }
    void clear() noexcept { current_ = previous_ = none; }

private:
    static constexpr std::int64_t none = std::numeric_limits<std::int64_t>::max();
    Duration span_;
    Instant since_;
    std::int64_t current_ = none;
    std::int64_t previous_ = none;
};

struct PathSettings {
    // The standing queue that is aimed at, at most. Of 50, 80, 100 and 120 ms, on recorded cellular and satellite
    // links: 50 leaves half a point of the packets behind, the others are alike.
    Duration queue_target{100'000'000};
    Duration rate_span{100'000'000};  // over which one delivery rate is taken
    // Of the last rates_max rates the greatest counts, and of none that is older. 0.4 s loses a fifth of a point.
    Duration rate_memory{3'000'000'000};
    Duration recent_span{200'000'000};  // for the rate of just now
    std::int32_t window_packets_min = 6;
};

class PathModel {
public:
    // What a packet of live SRT is on the wire: 1316 + 16, and 28 of IPv4 and UDP.
    static constexpr std::int64_t packet_bytes = 1360;
    static constexpr Duration rtt_unknown{100'000'000};  // before the first answer; untuned

    PathModel() { clear(); }

    void set(const PathSettings& settings) noexcept {
        settings_ = settings;
        update_window();
    }
    void clear() noexcept {
        base_rtt_.clear();
        base_ns_ = rtt_unknown.ns;
        base_one_way_.clear();
        has_one_way_ = false;
        queue_delay_ns_ = 0;
        sample_count_ = sample_first_ = 0;
        rates_count_ = rates_first_ = 0;
        rate_ = 0;
        set_pace(0);
        errors_.clear();
        grown_ = 0;
        delivered_ = 0;
        refreshed_at_ = Instant{};
        draining_since_ = never;
        update_window();
    }

    // A round trip without the time that the far end held its answer back.
    void on_rtt(Duration rtt, Instant now) noexcept {
        on_round_trip(rtt, now);
        update_window();
    }
    // The newest arrival of a report: bytes that came with it in all, when it arrived on the receiver's clock, and when
    // it was sent. `in_flight`: bytes carried before this report.
    void on_arrivals(std::int64_t bytes, std::uint32_t arrival_us, Instant sent_at, std::int64_t in_flight,
                     Instant now) noexcept {
        const std::uint32_t one_way = arrival_us - static_cast<std::uint32_t>(sent_at.ns / 1000);
        if (!has_one_way_) origin_us_ = one_way;
        has_one_way_ = true;
        const std::int64_t delay = std::int64_t{static_cast<std::int32_t>(one_way - origin_us_)} * 1000;
        note_delay(base_one_way_, delay, now);
        sample(bytes, now_of(arrival_us, now), sent_at, in_flight, now);
    }
    // The same from a receiver that says neither clock nor age: its answer's arrival stands for both.
    void on_acknowledged(std::int64_t bytes, Instant sent_at, std::int64_t in_flight, Instant now) noexcept {
        on_round_trip(now - sent_at, now);
        note_delay(base_rtt_, (now - sent_at).ns, now);
        base_ns_ = base_rtt_.least();
        sample(bytes, now, sent_at, in_flight, now);
    }

    [[nodiscard]] Duration base_rtt() const noexcept { return Duration{base_ns_}; }
    [[nodiscard]] Duration queue_delay() const noexcept { return Duration{queue_delay_ns_}; }
    [[nodiscard]] float bytes_per_ns() const noexcept { return rate_; }
    [[nodiscard]] std::int64_t window() const noexcept { return window_; }
    // From now until a packet arrives that is sent behind so many bytes. An integer's arithmetic: once per packet.
    [[nodiscard]] Duration delay_behind(std::int64_t in_flight) const noexcept {
        const std::int64_t waits = (in_flight * pace_ >> pace_bits) - base_ns_;
        return Duration{base_ns_ / 2 + std::max<std::int64_t>(0, waits)};
    }
    // The newest arrival was expected to take so long.
    void note_expected(Duration expected, Instant now) noexcept {
        errors_.note(expected.ns - (base_rtt().ns / 2 + queue_delay_ns_), now);
    }
    // By how much at most a packet came later than expected, lately.
    [[nodiscard]] Duration error() const noexcept {
        return Duration{errors_.any() ? std::max<std::int64_t>(0, -errors_.least()) : 0};
    }
    [[nodiscard]] bool draining() const noexcept { return draining_since_ != never; }

private:
    struct Sample {
        Instant at;
        Instant sent_at;
        std::int64_t delivered;
    };
    struct Rate {
        Instant at;
        float bytes_per_ns;
        std::uint32_t number;
    };
    static constexpr std::size_t samples_max = 64;  // powers of two; of reports each 10 ms this is 0.64 s
    static constexpr std::size_t rates_max = 64;    // and of rates 0.64 s
    static constexpr int pace_bits = 8;
    // From this delay on a link has a queue, and what it delivers is what it can.
    static constexpr std::int64_t saturated_ns = 20'000'000;
    static constexpr Duration error_span{2'000'000'000};  // 5 s does as well
    static constexpr Duration base_span{10'000'000'000};
    // A base that nothing has confirmed for so long is looked for anew, by letting the queue run empty: a link that is
    // always full would otherwise take its own queue for distance. BBR's ProbeRTT does the same (10 s, 200 ms).
    static constexpr Duration refresh_after{10'000'000'000};
    static constexpr Duration drain_max{300'000'000};
    static constexpr std::int64_t confirms_ns = 3'000'000;
    static constexpr std::int64_t rate_span_min_ns = 20'000'000;  // a shorter one measures a burst

    void on_round_trip(Duration rtt, Instant now) noexcept {
        base_rtt_.note(std::max<std::int64_t>(rtt.ns, 1), now);
        base_ns_ = base_rtt_.least();
    }
    void note_delay(WindowedLeast& base, std::int64_t delay, Instant now) noexcept {
        base.note(delay, now);
        queue_delay_ns_ = delay - base.least();
        if (queue_delay_ns_ < confirms_ns) {
            refreshed_at_ = now;
            draining_since_ = never;
        } else if (draining_since_ == never) {
            if (now - refreshed_at_ > refresh_after) draining_since_ = now;
        } else if (now - draining_since_ > drain_max) {
            draining_since_ = never;
            refreshed_at_ = now;
            base.clear();
            base.note(delay, now);
            queue_delay_ns_ = 0;
        }
    }
    // The receiver's clock as an instant of its own origin, so that spans on it can be taken.
    Instant now_of(std::uint32_t arrival_us, Instant now) noexcept {
        if (sample_count_ == 0) {
            clock_us_ = arrival_us;
            clock_ = now;
        }
        clock_ = clock_ + Duration{std::int64_t{static_cast<std::int32_t>(arrival_us - clock_us_)} * 1000};
        clock_us_ = arrival_us;
        return clock_;
    }
    void sample(std::int64_t bytes, Instant at, Instant sent_at, std::int64_t in_flight, Instant now) noexcept {
        delivered_ += bytes;
        if (sample_count_ > 0 && at - newest().at > settings_.rate_span * 2) sample_count_ = 0;  // it was idle
        if (sample_count_ == samples_max) drop_sample();
        samples_[(sample_first_ + sample_count_++) % samples_max] = Sample{at, sent_at, delivered_};
        while (sample_count_ > 2 && oldest().at < at - std::max(settings_.rate_span, settings_.recent_span))
            drop_sample();
        if (sample_count_ >= 2) {
            note_rate(rate_over(settings_.rate_span), now);
            const bool is_saturated = queue_delay_ns_ > saturated_ns;
            const float recent = is_saturated ? std::min(rate_over(settings_.recent_span), rate_) : rate_;
            set_pace(recent > 0 ? recent : rate_);
        }
        const std::int64_t allowed = allowance();
        if (queue_delay_ns_ < settings_.queue_target.ns / 2) {
            if (in_flight + 3 * packet_bytes > allowed) grown_ = allowed + bytes;
        } else if (queue_delay_ns_ > settings_.queue_target.ns) {
            grown_ = 0;
        }
        update_window();
    }
    // Of the newest samples that span so long, at least two.
    [[nodiscard]] float rate_over(Duration span) const noexcept {
        std::size_t i = sample_first_;
        const std::size_t last = sample_first_ + sample_count_ - 1;
        const Sample& to = samples_[last % samples_max];
        while (i + 1 < last && samples_[i % samples_max].at < to.at - span) ++i;
        const Sample& from = samples_[i % samples_max];
        const std::int64_t ns = std::max({(to.at - from.at).ns, (to.sent_at - from.sent_at).ns, rate_span_min_ns});
        return static_cast<float>(to.delivered - from.delivered) / static_cast<float>(ns);
    }
    void set_pace(float bytes_per_ns) noexcept {
        pace_ = bytes_per_ns > 0 ? static_cast<std::int64_t>(static_cast<float>(1 << pace_bits) / bytes_per_ns) : 0;
    }
    // Kept are those that no later one reached, so that the first of them is the greatest.
    void note_rate(float rate, Instant now) noexcept {
        while (rates_count_ > 0 && rates_[(rates_first_ + rates_count_ - 1) % rates_max].bytes_per_ns <= rate)
            --rates_count_;
        const Rate newest{now, rate, ++rates_noted_};
        const auto is_past = [&](const Rate& r) {
            return newest.number - r.number >= rates_max || r.at < now - settings_.rate_memory;
        };
        // First, so that there is room where each of rates_max is less than the one before.
        while (rates_count_ > 0 && is_past(rates_[rates_first_])) drop_rate();
        rates_[(rates_first_ + rates_count_++) % rates_max] = newest;
        rate_ = rates_[rates_first_].bytes_per_ns;
    }
    [[nodiscard]] std::int64_t allowance() const noexcept {
        const auto horizon = static_cast<float>(base_rtt().ns + settings_.queue_target.ns);
        return std::max({static_cast<std::int64_t>(rate_ * horizon), grown_, least_window()});
    }
    [[nodiscard]] std::int64_t least_window() const noexcept { return settings_.window_packets_min * packet_bytes; }
    void update_window() noexcept {
        window_ = allowance();
        if (draining())
            window_ =
                std::max(static_cast<std::int64_t>(rate_ * static_cast<float>(base_rtt().ns)) * 3 / 4, least_window());
    }
    void drop_rate() noexcept {
        rates_first_ = (rates_first_ + 1) % rates_max;
        --rates_count_;
    }
    [[nodiscard]] const Sample& oldest() const noexcept { return samples_[sample_first_]; }
    [[nodiscard]] const Sample& newest() const noexcept {
        return samples_[(sample_first_ + sample_count_ - 1) % samples_max];
    }
    void drop_sample() noexcept {
        sample_first_ = (sample_first_ + 1) % samples_max;
        --sample_count_;
    }

    PathSettings settings_;
    WindowedLeast base_rtt_{base_span};
    WindowedLeast base_one_way_{base_span};
    WindowedLeast errors_{error_span};  // expected less real, ns
    std::uint32_t origin_us_ = 0;
    std::uint32_t clock_us_ = 0;
    Instant clock_;
    bool has_one_way_ = false;
    std::int64_t queue_delay_ns_ = 0;
    Instant refreshed_at_;
    Instant draining_since_ = never;
    std::int64_t delivered_ = 0;
    std::int64_t grown_ = 0;
    std::int64_t window_ = 0;
    float rate_ = 0;
    std::int64_t pace_ = 0;                  // ns per byte of a packet that is sent now, << pace_bits; 0: not known
    std::int64_t base_ns_ = rtt_unknown.ns;  // the least of base_rtt_
    std::size_t sample_first_ = 0;
    std::size_t sample_count_ = 0;
    std::size_t rates_first_ = 0;
    std::size_t rates_count_ = 0;
    std::uint32_t rates_noted_ = 0;
    std::array<Sample, samples_max> samples_{};
    std::array<Rate, rates_max> rates_{};
};

}  // namespace hawser::link
