// SPDX-License-Identifier: MIT
// What one link can do, as far as its answers tell: the least delay it has shown (base), how long its queue is in time,
// how fast it delivers, and from these how many bytes it should carry at most (window) and when a packet that is sent
// now will arrive. Plain arithmetic on what it is told; nothing here reads a clock.
//
// The window is the delivery rate times base delay plus a small standing queue: the link never idles for want of
// packets that are on their way to it, and never holds more than a late decision may wish to have back. The rate is the
// greatest of late ones, since what a link delivers is also bounded by what it is given; while the window is what
// limits and no queue builds, it grows as data arrive; with a queue far beyond the aim it counts no more than twice
// what the link delivers just now. What a pause held back comes in a burst, which is no rate: bytes count over the time
// in which they were sent where that is longer.
//
// A link that loses much of a round trip while there is a queue has less room for one than was thought: for a while
// what leaves on it is spaced at little more than its rate, which is all of its growth, and a shorter queue is aimed
// at. Without that the repairs of one overflow are the next one.
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
    // The standing queue that is aimed at, at most. Of 40, 50, 60, 70, 80 and 100 ms, mean regret over nine recorded
    // and made-up cellular and satellite networks, 90 % load, 1 and 2 s of latency: 0.61, 0.54, 0.51, 0.51, 0.53, 0.55
    // points; of 200, 250 and 330 ms at 1 s: 1.1, 1.3 and 1.6.
    Duration queue_target{70'000'000};
    Duration rate_span{100'000'000};  // over which one delivery rate is taken
    // Of the last rates_max rates the greatest counts, and of none that is older. 0.4 s loses a fifth of a point.
    Duration rate_memory{3'000'000'000};
    Duration recent_span{200'000'000};  // for the rate of just now
    Duration idle_after{200'000'000};   // without an answer: what came before is no part of a rate
    std::int64_t rate_bytes_min = 0;    // a rate is of so many at least, be the span longer
    std::int32_t first_packets = 6;     // the least window before a rate is known
    std::int32_t window_packets_min = 6;
    bool answers_in_tens = false;  // which come late, and as bursts
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
        recent_delay_.clear();
        has_one_way_ = false;
        queue_delay_ns_ = newest_delay_ns_ = 0;
        round_lost_ = round_from_ = round_delay_ns_ = queue_limit_ns_ = 0;
        round_since_ = Instant{};
        shallow_until_ = Instant{};
        spaced_to_ = Instant{};
        sample_count_ = sample_first_ = 0;
        rates_count_ = rates_first_ = 0;
        rate_ = recent_ = 0;
        pace_ = best_pace_ = 0;
        errors_.clear();
        grown_ = 0;
        delivered_ = 0;
        newest_rtt_ns_ = rtt_unknown.ns;
        refreshed_at_ = on_aim_at_ = noted_at_ = Instant{};
        drained_at_ = never;
        update_window();
    }

    // Right after clear(): what it may carry until its own answers say more.
    void begin_with(std::int64_t bytes) noexcept {
        grown_ = bytes;
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
        note_delay(base_one_way_, delay, sent_at, now);
        sample(bytes, now_of(arrival_us, now), sent_at, in_flight, now);
    }
    // The same from a receiver that says neither clock nor age: its answer's arrival stands for both. Bytes may be 0: a
    // delay is all that it tells then.
    void on_acknowledged(std::int64_t bytes, Instant sent_at, std::int64_t in_flight, Instant now) noexcept {
        on_round_trip(now - sent_at, now);
        note_delay(base_rtt_, (now - sent_at).ns, sent_at, now);
        base_ns_ = base_rtt_.least();
        if (bytes != 0) sample(bytes, now, sent_at, in_flight, now);
        update_window();
    }

    [[nodiscard]] Duration base_rtt() const noexcept { return Duration{base_ns_}; }
    [[nodiscard]] Duration queue_delay() const noexcept { return Duration{queue_delay_ns_}; }
    [[nodiscard]] float bytes_per_ns() const noexcept { return rate_; }
    // What it delivers just now; 0: not known.
    [[nodiscard]] float recent_bytes_per_ns() const noexcept { return recent_; }
    // So many bytes at that rate.
    [[nodiscard]] Duration time_of(std::int64_t bytes) const noexcept { return Duration{bytes * pace_ >> pace_bits}; }
    [[nodiscard]] std::int64_t window() const noexcept { return window_; }
    // From now until a packet arrives that is sent behind so many bytes. An integer's arithmetic: once per packet.
    [[nodiscard]] Duration delay_behind(std::int64_t in_flight) const noexcept {
        const std::int64_t waits = (in_flight * pace_ >> pace_bits) - base_ns_;
        return Duration{base_ns_ / 2 + std::max<std::int64_t>(0, waits)};
    }
    // The newest arrival was expected to take so long.
    void note_expected(Duration expected, Instant now) noexcept {
        errors_.note(expected.ns - (base_rtt().ns / 2 + newest_delay_ns_), now);
    }
    // By how much at most a packet came later than expected, lately.
    [[nodiscard]] Duration error() const noexcept {
        return Duration{errors_.any() ? std::max<std::int64_t>(0, -errors_.least()) : 0};
    }
    // The network has lost so much of what it was given; `was_counted`: it was taken for delivered before.
    // `was_silent`: with all else that was on the link then, which says nothing of its queue.
    void on_lost(std::int64_t bytes, bool was_counted, bool was_silent = false) noexcept {
        if (!was_silent) round_lost_ += bytes;
        if (was_counted) delivered_ -= bytes;
    }
    // Its queue has overflowed lately: what leaves is spaced.
    [[nodiscard]] bool is_shallow() const noexcept { return queue_limit_ns_ != 0; }
    // Shallow links only: so much leaves now, and the next packet should not before the answer. At 5/4 of its rate,
    // since what never comes faster never shows what there is room for.
    Instant space(std::int64_t bytes, Instant now) noexcept {
        const std::int64_t burst = pace_burst_ns + (3 * packet_bytes * best_pace_ >> pace_bits);
        spaced_to_ = std::max(spaced_to_, now - Duration{burst}) + Duration{(bytes * best_pace_ >> pace_bits) * 4 / 5};
        return spaced_to_;
    }
    [[nodiscard]] bool draining() const noexcept { return drained_at_ != never; }

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
    // With a queue of so many times the aim the link has become slower than its best rate of late says, and its window
    // is for so many times what it delivers just now. Mean regret over seven recorded and made-up networks, 90 % load,
    // 1 s of latency: 0.88 points without, 0.82 so; of 1, 1.5 and 3 times the rate 1.1, 0.87 and 0.84. Of 1.5, 2 and 3
    // times the aim, over 24 bonds drawn by chance, each is as good.
    static constexpr std::int64_t overlong_queue = 3;
    static constexpr float overlong_rate = 2;
    static constexpr Duration error_span{2'000'000'000};  // 5 s does as well
    static constexpr Duration base_span{10'000'000'000};
    // A queue is what even the luckiest of the last packets waited; what one waits longer than the next is jitter.
    static constexpr Duration recent_delay_span{30'000'000};
    // A base that nothing has confirmed for so long is looked for anew, by letting the queue run empty: a link that is
    // always full would otherwise take its own queue for distance. BBR's ProbeRTT does the same (10 s, 200 ms). What
    // was sent after the queue had its own length of time to run empty tells the distance.
    static constexpr Duration refresh_after{10'000'000'000};
    static constexpr Duration drain_max{700'000'000};
    // So is one that seems to have had a longer queue than is aimed at for so long, since the window allows none: the
    // way may have become longer (a handover). Of 1, 1.5, 2, 3, 4 s and never, on recorded links and ones whose delay
    // steps by 40 to 200 ms: 2 brings up to 5 points more than never; 1 takes fades for handovers, and up to a point.
    static constexpr Duration off_aim_max{2'000'000'000};
    static constexpr Duration noted_often{500'000'000};  // else nobody knows how long it has been so
    static constexpr std::int64_t confirms_ns = 3'000'000;
    static constexpr std::int64_t rate_span_min_ns = 20'000'000;  // a shorter one measures a burst
    static constexpr Duration clock_good_for{60'000'000'000};     // the receiver's clock wraps after 71 minutes
    // Of several packets at least, this share of a round trip's lost while there was a queue: the queue overflowed.
    // Radio links lose a few percent at random. A round trip of few packets is counted with the next ones.
    static constexpr std::int64_t overflow_share = 8;  // one in
    static constexpr std::int64_t overflow_bytes_min = 3 * packet_bytes;
    static constexpr std::int64_t overflow_queue_min_ns = 5'000'000;
    static constexpr std::int64_t round_bytes_min = 16 * packet_bytes;
    static constexpr Duration round_max{5'000'000'000};
    static constexpr Duration shallow_for{10'000'000'000};
    // Of 0, 30, 50 ms and no shorter aim: on buffers of 10 to 80 ms, 30 to 200 ms away, 50 brings all in time and costs
    // 3 to 15 % on the wire; without spacing it was up to 330 %.
    static constexpr std::int64_t shallow_target_min_ns = 50'000'000;
    static constexpr std::int64_t pace_burst_ns = 10'000'000;  // Dispatch looks again after a tick

    void on_round_trip(Duration rtt, Instant now) noexcept {
        newest_rtt_ns_ = std::max<std::int64_t>(rtt.ns, 1);
        base_rtt_.note(newest_rtt_ns_, now);
        base_ns_ = base_rtt_.least();
    }
    void note_delay(WindowedLeast& base, std::int64_t delay, Instant sent_at, Instant now) noexcept {
        base.note(delay, now);
        newest_delay_ns_ = delay - base.least();
        recent_delay_.note(delay, now);
        queue_delay_ns_ = recent_delay_.least() - base.least();
        round_delay_ns_ = std::max(round_delay_ns_, newest_delay_ns_);
        if (queue_delay_ns_ <= target_ns() || now - noted_at_ > noted_often) on_aim_at_ = now;
        noted_at_ = now;
        if (queue_delay_ns_ < confirms_ns) {
            refreshed_at_ = now;
            drained_at_ = never;
        } else if (!draining()) {
            if (now - refreshed_at_ > refresh_after || now - on_aim_at_ > off_aim_max)
                drained_at_ = now + Duration{std::min(queue_delay_ns_, drain_max.ns)};
        } else if (sent_at > drained_at_) {
            drained_at_ = never;
            refreshed_at_ = on_aim_at_ = now;
            // The way back may be another one as well.
            base_rtt_.clear();
            on_round_trip(Duration{newest_rtt_ns_}, now);
            base.clear();
            base.note(delay, now);
            recent_delay_.clear();
            recent_delay_.note(delay, now);
            queue_delay_ns_ = newest_delay_ns_ = 0;
        }
    }
    // The receiver's clock as an instant of its own origin, so that spans on it can be taken.
    Instant now_of(std::uint32_t arrival_us, Instant now) noexcept {
        if (now - sampled_at_ > clock_good_for) sample_count_ = 0;
        sampled_at_ = now;
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
        if (sample_count_ > 0 && at - newest().at > settings_.idle_after) sample_count_ = 0;  // it was idle
        if (sample_count_ == samples_max) drop_sample();
        samples_[(sample_first_ + sample_count_++) % samples_max] = Sample{at, sent_at, delivered_};
        while (sample_count_ > 2 && oldest().at < at - std::max(settings_.rate_span, settings_.recent_span) &&
               delivered_ - oldest().delivered > settings_.rate_bytes_min * 2)
            drop_sample();
        if (sample_count_ >= 2) {
            note_rate(rate_over(settings_.rate_span), now);
            const bool is_saturated = queue_delay_ns_ > saturated_ns;
            const float recent = is_saturated ? std::min(rate_over(settings_.recent_span), rate_) : rate_;
            recent_ = recent > 0 ? recent : rate_;
            pace_ = pace_of(recent_);
            if (is_shallow()) [[unlikely]]
                best_pace_ = pace_of(rate_);
        }
        judge_round(now);
        const std::int64_t allowed = allowance();
        if (queue_delay_ns_ < target_ns() / 2) {
            if (in_flight + 3 * packet_bytes > allowed && !is_shallow()) grown_ = allowed + bytes;
        } else if (queue_delay_ns_ > target_ns()) {
            grown_ = 0;
        }
        update_window();
    }
    // Of the newest samples that span so long and bring rate_bytes_min, at least two.
    [[nodiscard]] float rate_over(Duration span) const noexcept {
        std::size_t i = sample_first_;
        const std::size_t last = sample_first_ + sample_count_ - 1;
        const Sample& to = samples_[last % samples_max];
        while (i + 1 < last && samples_[i % samples_max].at < to.at - span &&
               to.delivered - samples_[(i + 1) % samples_max].delivered >= settings_.rate_bytes_min)
            ++i;
        const Sample& from = samples_[i % samples_max];
        const std::int64_t ns = std::max({(to.at - from.at).ns, (to.sent_at - from.sent_at).ns, rate_span_min_ns});
        return static_cast<float>(std::max<std::int64_t>(0, to.delivered - from.delivered)) / static_cast<float>(ns);
    }
    [[nodiscard]] static std::int64_t pace_of(float bytes_per_ns) noexcept {
        return bytes_per_ns > 0 ? static_cast<std::int64_t>(static_cast<float>(1 << pace_bits) / bytes_per_ns) : 0;
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
    // What a round trip lost of what it carried.
    void judge_round(Instant now) noexcept {
        const Duration age = now - round_since_;
        const std::int64_t carried = delivered_ - round_from_ + round_lost_;
        if (age < Duration{std::max(base_ns_, settings_.rate_span.ns)}) return;
        if (carried < round_bytes_min && age < round_max) return;
        if (round_lost_ >= overflow_bytes_min && round_lost_ * overflow_share > carried &&
            round_delay_ns_ > overflow_queue_min_ns) {
            queue_limit_ns_ = std::max(round_delay_ns_, queue_limit_ns_ * 9 / 10);
            shallow_until_ = now + shallow_for;
            grown_ = 0;
        } else if (is_shallow() && now > shallow_until_) {
            queue_limit_ns_ += queue_limit_ns_ / 4;
            shallow_until_ = now + shallow_for / 10;
            if (queue_limit_ns_ > 2 * settings_.queue_target.ns) queue_limit_ns_ = 0;
        }
        round_since_ = now;
        round_lost_ = 0;
        round_from_ = delivered_;
        round_delay_ns_ = 0;
    }
    // The standing queue to be aimed at.
    [[nodiscard]] std::int64_t target_ns() const noexcept {
        return is_shallow() && !settings_.answers_in_tens
                   ? std::min(settings_.queue_target.ns, std::max(queue_limit_ns_ * 7 / 10, shallow_target_min_ns))
                   : settings_.queue_target.ns;
    }
    [[nodiscard]] std::int64_t allowance() const noexcept {
        const auto horizon = static_cast<float>(base_rtt().ns + target_ns());
        const bool is_overlong = queue_delay_ns_ > overlong_queue * target_ns();
        const float rate = is_overlong ? std::min(rate_, overlong_rate * recent_) : rate_;
        return std::max({static_cast<std::int64_t>(rate * horizon), grown_, least_window()});
    }
    [[nodiscard]] std::int64_t least_window() const noexcept {
        return (rate_ > 0 ? settings_.window_packets_min : settings_.first_packets) * packet_bytes;
    }
    void update_window() noexcept {
        window_ = allowance();
        if (!draining()) return;
        const auto emptied = static_cast<std::int64_t>(rate_ * static_cast<float>(base_rtt().ns)) * 3 / 4;
        window_ = std::min(window_, std::max(emptied, least_window()));
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
    WindowedLeast recent_delay_{recent_delay_span};
    WindowedLeast errors_{error_span};  // expected less real, ns
    std::uint32_t origin_us_ = 0;
    std::uint32_t clock_us_ = 0;
    Instant clock_;
    Instant sampled_at_;
    bool has_one_way_ = false;
    std::int64_t queue_delay_ns_ = 0;
    std::int64_t newest_delay_ns_ = 0;  // of the newest arrival, its jitter with it
    // Of the round trip that is counted for overflows.
    Instant round_since_;
    std::int64_t round_lost_ = 0;
    std::int64_t round_from_ = 0;      // delivered_ at its beginning
    std::int64_t round_delay_ns_ = 0;  // the longest queue
    std::int64_t queue_limit_ns_ = 0;  // a queue that this link does not hold; 0: none is known
    Instant shallow_until_;
    Instant spaced_to_;           // when the next packet may leave, while shallow
    std::int64_t best_pace_ = 0;  // ns per byte at rate_, << pace_bits
    Instant refreshed_at_;
    std::int64_t newest_rtt_ns_ = rtt_unknown.ns;
    Instant noted_at_;
    Instant on_aim_at_;           // the queue was no longer than is aimed at
    Instant drained_at_ = never;  // never: it is not being drained
    std::int64_t delivered_ = 0;
    std::int64_t grown_ = 0;
    std::int64_t window_ = 0;
    float rate_ = 0;
    float recent_ = 0;                       // with a queue the rate of just now, at most rate_; else rate_
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
