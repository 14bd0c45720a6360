// SPDX-License-Identifier: MIT
#include "engine/bond/safe_rate.h"

#include <algorithm>
#include <bit>

namespace hawser::bond {

namespace {

// All untuned where nothing else is said: the simulated trips of tests/sim/encoder.cc hold with half and with double.
constexpr Duration offered_span{1'000'000'000};
constexpr Duration carried_span{500'000'000};  // of what the links deliver: five answers of the slowest kind
constexpr Duration unique_span{2'000'000'000};
constexpr double headroom_share = 0.25;  // above what was offered lately
constexpr double greatest_decay = 0.05;  // a second
constexpr double fall_share = 0.85;      // of what is delivered: repairs and the next dip need the rest
constexpr double overload_share = 0.9;   // delivered of what is offered: below it, a queue grows
constexpr double stall_share = 0.95;
constexpr double unique_share_min = 0.5;  // SRT's repeated repairs end with the queue that caused them
constexpr double rise_unfallen = 0.20;    // a second, before the first fall and long after the last
constexpr double rise_step = 0.01;        // a second, for each second since the last fall
constexpr double ease_step = 0.01;        // a second
constexpr Duration rise_after{1'000'000'000};
constexpr Duration proof_time{1'000'000'000};
// Excess: calm below, and a fall above. SRT's ACKs come each 10 ms, a repair takes a round trip or two.
constexpr Duration calm_base{50'000'000};
constexpr std::int64_t calm_latency_share = 20;
constexpr std::int64_t quiet_share = 2;  // half of calm: a rise shall not be what ends it
constexpr Duration fall_base{100'000'000};
constexpr std::int64_t fall_latency_share = 10;
constexpr Duration fall_again_growth{50'000'000};
constexpr Duration fall_again_after{300'000'000};
// Excess is to be gone within a third of the latency.
constexpr std::int64_t drain_latency_share = 3;
constexpr Duration drain_least{300'000'000};
constexpr double drain_share_min = 0.25;
constexpr double given_up_share_max = 0.01;
constexpr Duration silence_forgiven{1'000'000'000};
constexpr double share_memory_s = 2;
constexpr double cap_share = 0.93;              // the caps' own two percent, and five of repairs
constexpr double level_min = 300'000;           // belacoder 0502a06's least bitrate
constexpr Duration lag_memory{20'000'000'000};  // in which a queue runs empty once

double seconds_of(Duration d) { return static_cast<double>(d.ns) * 1e-9; }

}  // namespace

void SafeRateLaw::clear() noexcept {
    first_ = count_ = 0;
    least_lag_ = link::WindowedLeast(lag_memory);
    shares_ = {};
    up_ = 0;
    level_ = offered_ = greatest_ = 0;
    quiet_since_ = fallen_at_ = media_since_ = never;
    is_congested_ = is_overloaded_ = false;
    figure_ = SafeRate{};
}

void SafeRateLaw::new_session(wire::Seq31 first) noexcept {
    next_expected_ = first;
    first_ = count_ = 0;
    least_lag_.clear();
    quiet_since_ = never;
    is_congested_ = is_overloaded_ = false;
}

// The newest one that is at least so old, or the oldest.
const SafeRateLaw::Mark& SafeRateLaw::mark_before(Duration age) const noexcept {
    const Instant until = newest_mark().at - age;
    std::size_t i = count_ - 1;
    while (i > 0 && marks_[(first_ + i) % marks_max].at > until) --i;
    return marks_[(first_ + i) % marks_max];
}

void SafeRateLaw::push_mark(const SafeRateInput& input, Instant now) noexcept {
    if (count_ == marks_max) {
        first_ = (first_ + 1) % marks_max;
        --count_;
    }
    Mark m;
    m.at = now;
    m.fresh = input.fresh;
    m.given_up = input.given_up;
    m.newest = input.newest;
    for (const Share& s : shares_) {
        m.sent += s.sent_total;
        m.arrived += s.arrived_total;
    }
    marks_[(first_ + count_++) % marks_max] = m;
}

void SafeRateLaw::note_links(const SafeRateInput& input, double seconds, Instant now) noexcept {
    const double weight = std::min(1.0, seconds / share_memory_s);
    for (std::size_t i = 0; i < links_max; ++i) {
        const LinkMask bit = LinkMask{1} << i;
        const SafeRateInput::Link& l = input.links[i];
        Share& s = shares_[i];
        const std::uint64_t settled = std::min(l.sent, l.open + l.lost);
        const std::uint64_t arrived = l.sent - settled;
        std::uint64_t news = 0;
        if ((input.up & bit) != 0) {
            const bool is_new = (up_ & bit) == 0 || l.sent < s.sent;
            if (!is_new && arrived > s.arrived) news = arrived - s.arrived;
            if (!is_new) s.sent_total += l.sent - s.sent;
            s.arrived = is_new ? arrived : std::max(s.arrived, arrived);
            s.sent = l.sent;
            s.arrived_total += news;
        }
        if ((input.up & input.speaking & bit) != 0) {
            s.silent_since = never;
            s.per_second += weight * (static_cast<double>(news) / seconds - s.per_second);
        } else if (s.per_second > 0) {
            if (s.silent_since == never) s.silent_since = now;
        }
    }
    up_ = input.up;
}

// When the first packet that is not acknowledged came, between two marks by count.
Duration SafeRateLaw::lag(Instant now) const noexcept {
    if (wire::distance(next_expected_, newest_mark().newest) < 0) return Duration{};
    std::size_t i = 0;
    while (i < count_ && wire::distance(next_expected_, marks_[(first_ + i) % marks_max].newest) < 0) ++i;
    const Mark& after = marks_[(first_ + i) % marks_max];
    if (i == 0) return now - after.at;
    const Mark& before = marks_[(first_ + i - 1) % marks_max];
    const std::int64_t span = std::max(wire::distance(before.newest, after.newest), 1);
    const std::int64_t part = std::clamp<std::int64_t>(wire::distance(before.newest, next_expected_), 0, span);
    return now - (before.at + Duration{(after.at - before.at).ns * part / span});
}

void SafeRateLaw::fall(double to, SafeRateCause cause, Instant now) noexcept {
    level_ = std::max(std::min(level_, to), level_min);
    fallen_at_ = now;
    excess_at_fall_ = figure_.excess;
    figure_.cause = cause;
}

void SafeRateLaw::judge(const SafeRateInput& input, double seconds, Instant now) noexcept {
    const Mark& last = newest_mark();
    const Mark& second_ago = mark_before(offered_span);
    if (last.at - second_ago.at < offered_span * 9 / 10) return;
    const double bits = input.payload_bytes * 8.0;
    const auto fresh = static_cast<double>(last.fresh - second_ago.fresh);
    offered_ = fresh * bits / seconds_of(last.at - second_ago.at);
    if (fresh <= 0) {
        figure_.cause = SafeRateCause::held;
        return;
    }
    greatest_ = std::max(offered_, greatest_ * (1 - greatest_decay * seconds));
    const Mark& unique_from = mark_before(unique_span);
    const auto sent = static_cast<double>(std::max<std::uint64_t>(last.sent - unique_from.sent, 1));
    const double unique = std::clamp(static_cast<double>(last.fresh - unique_from.fresh) / sent, unique_share_min, 1.0);
    const Mark& carried_from = mark_before(carried_span);
    const double carried_seconds = seconds_of(last.at - carried_from.at);
    const double carried = static_cast<double>(last.arrived - carried_from.arrived) * unique * bits / carried_seconds;
    const double given = static_cast<double>(last.fresh - carried_from.fresh) * bits / carried_seconds;

    const Duration calm_excess = calm_base + input.latency / calm_latency_share;
    const Duration fall_excess = fall_base + input.latency / fall_latency_share;
    const bool is_calm = figure_.excess < calm_excess;
    const bool is_quiet = figure_.excess <= calm_excess / quiet_share;
    if (!is_quiet)
        quiet_since_ = never;
    else if (quiet_since_ == never)
        quiet_since_ = now;
    const bool is_proven = is_quiet && now - quiet_since_ >= proof_time;
    if (level_ <= 0) {
        if (media_since_ == never) media_since_ = now;
        if (now - media_since_ < offered_span) return;
        level_ = before_ = offered_;
    }
    if (is_proven) level_ = std::max(level_, offered_);
    figure_.is_known = true;

    const auto since_fall = fallen_at_ == never ? never - Instant{} : now - fallen_at_;
    const double given_up = static_cast<double>(last.given_up - second_ago.given_up) / fresh;
    excess_at_fall_ = std::min(excess_at_fall_, figure_.excess);
    if (given_up > given_up_share_max && since_fall >= offered_span) {
        fall(carried * fall_share, SafeRateCause::given_up, now);
    } else if (figure_.excess > fall_excess &&
               (!is_congested_ ||
                (since_fall >= fall_again_after && figure_.excess > excess_at_fall_ + fall_again_growth))) {
        is_congested_ = true;
        // Where the links deliver what they are given, something waits for a repair, and their capacity is not known.
        const bool is_overload = carried < given * overload_share;
        if (!is_overloaded_) before_ = level_;
        is_overloaded_ = is_overloaded_ || is_overload;
        fall(is_overload ? carried * fall_share : level_ * stall_share, SafeRateCause::queue, now);
    } else if (is_overloaded_ && carried * overload_share > given) {
        // A queue that empties shows what the links can do.
        level_ = std::max(level_, std::min(before_, carried * fall_share));
    }
    const double greatest = std::max(greatest_ * (1 + headroom_share), level_min);
    if (level_ > greatest) level_ = std::max(greatest, level_ * (1 - greatest_decay * seconds));
    if (is_calm) {
        is_congested_ = is_overloaded_ = false;
        if (since_fall < rise_after) return;
        if (!is_quiet) {
            // A little above what the links carry the queue grows too slowly to be told from distance.
            level_ = std::max(level_ * (1 - ease_step * seconds), level_min);
            figure_.cause = SafeRateCause::held;
            return;
        }
        const double rise =
            fallen_at_ == never ? rise_unfallen : std::min(rise_unfallen, rise_step * seconds_of(since_fall));
        if (level_ < greatest) level_ = std::min(level_ * (1 + rise * seconds), greatest);
        figure_.cause = level_ < greatest ? SafeRateCause::probing : SafeRateCause::offered;
    } else if (!is_congested_) {
        level_ = std::max(level_ * (1 - ease_step * seconds), level_min);
        figure_.cause = SafeRateCause::held;
    }
}

// Of what the links delivered lately, the part of those that speak.
double SafeRateLaw::speaking_share() const noexcept {
    double all = 0, speaking = 0;
    for (const Share& s : shares_) {
        all += s.per_second;
        if (s.silent_since == never) speaking += s.per_second;
    }
    return all > 0 ? speaking / all : 1;
}

double SafeRateLaw::drain_share(Duration latency) const noexcept {
    if (!is_overloaded_) return 1;
    const Duration calm_excess = calm_base + latency / calm_latency_share;
    const Duration drain = std::max(latency / drain_latency_share, drain_least);
    const double behind = seconds_of(figure_.excess - calm_excess) / seconds_of(drain);
    return std::clamp(1 - behind, drain_share_min, 1.0);
}

void SafeRateLaw::step(const SafeRateInput& input, Instant now) noexcept {
    const double seconds = count_ == 0 ? seconds_of(interval) : std::max(seconds_of(now - newest_mark().at), 1e-3);
    note_links(input, seconds, now);
    push_mark(input, now);
    figure_.lag = lag(now);
    if (figure_.lag.ns > 0) least_lag_.note(figure_.lag.ns, now);
    figure_.excess =
        least_lag_.any() ? Duration{std::max<std::int64_t>(figure_.lag.ns - least_lag_.least(), 0)} : Duration{};
    judge(input, seconds, now);
    if (input.media_cap != 0) level_ = std::min(level_, static_cast<double>(input.media_cap) * cap_share);

    for (Share& s : shares_) {
        if (s.silent_since == never || now - s.silent_since < silence_forgiven) continue;
        // For good: what the others can take over has to be shown.
        double all = 0;
        for (const Share& other : shares_) all += other.per_second;
        fall(level_ * (1 - s.per_second / all), SafeRateCause::uplink_lost, now);
        s.per_second = 0;
        s.silent_since = never;
    }
    const double speaking = speaking_share();
    if (speaking < 1) figure_.cause = SafeRateCause::uplink_lost;
    double rate = level_ * speaking * drain_share(input.latency);
    if (input.up == 0) {
        rate = 0;
        figure_.cause = SafeRateCause::no_uplink;
    }
    figure_.bits_per_second = static_cast<std::uint64_t>(std::max(rate, 0.0));
    figure_.offered = static_cast<std::uint64_t>(offered_);
}

}  // namespace hawser::bond
