// SPDX-License-Identifier: MIT
#include "platform/app/replay/arrival_times.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace hawser::app {

namespace {

// Drift is looked for in recordings of this length, and more than crystals have is none.
constexpr std::int64_t drift_span_ns = 30'000 * ms_ns;
constexpr double drift_max = 300e-6;
// How late a partial ACK may tell of its last packet, where nothing came behind it.
constexpr std::int64_t partial_ack_ns = 15 * ms_ns;
constexpr double keepalive_bits = 8 * 66;  // on the wire
// A packet's own time in the bottleneck is not told from chance below this.
constexpr std::int64_t own_min_ns = 3 * ms_ns / 10;
constexpr std::int64_t noise_min_ns = ms_ns / 10;
constexpr int rounds =
    4;  // of finding the rate by the least delay and the other way round; they settle in two or three

double quantile(std::vector<double> values, double share) {
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(static_cast<double>(values.size() - 1) * share);
    std::nth_element(values.begin(), at, values.end());
    return *at;
}
double median(std::vector<double> values) { return quantile(std::move(values), 0.5); }

// How much faster the receiver's clock goes: by the least ways back at the recording's beginning and at its end.
double drift_of(const std::vector<LinkHistory>& links) {
    std::vector<double> found;
    for (const LinkHistory& link : links) {
        const auto& r = link.reports;
        if (r.empty() || r.back().received_ns - r.front().received_ns < drift_span_ns) continue;
        const std::int64_t third = (r.back().received_ns - r.front().received_ns) / 3;
        const auto way = [](const ReportSeen& a) { return a.received_ns - a.clock_ns; };
        const ReportSeen* first = &r.front();
        const ReportSeen* last = &r.back();
        for (const ReportSeen& a : r) {
            if (a.received_ns <= r.front().received_ns + third && way(a) < way(*first)) first = &a;
            if (a.received_ns >= r.back().received_ns - third && way(a) < way(*last)) last = &a;
        }
        found.push_back(static_cast<double>(way(*first) - way(*last)) /
                        static_cast<double>(last->received_ns - first->received_ns));
    }
    if (found.empty()) return 0;
    const double drift = median(found);
    return std::abs(drift) <= drift_max ? drift : 0;
}

std::int64_t on_our_pace(std::int64_t clock_ns, double drift) {
    return clock_ns - std::llround(static_cast<double>(clock_ns) * drift);
}

// With left_ns still on the receiver's clock.
std::vector<TimedCopy> timed_copies(const LinkHistory& link, double drift) {
    std::vector<TimedCopy> timed;
    std::uint64_t bytes = 0;
    const auto& copies = link.sends.copies();
    for (std::size_t i = 0; i < copies.size(); ++i) {
        if (copies[i].fate != CopyFate::delivered) continue;
        bytes += copies[i].bytes;
        if (!copies[i].has_time) continue;
        const std::int64_t at = copies[i].arrived_ns;
        TimedCopy t;
        t.index = i;
        t.sent_ns = copies[i].sent_ns;
        t.left_ns = link.is_reported ? on_our_pace(at, drift) : at;
        t.delivered_bytes = bytes;
        // One that was overtaken tells nothing of the queue.
        if (timed.empty() || t.left_ns >= timed.back().left_ns) timed.push_back(t);
    }
    return timed;
}

// Of a link whose way to the receiver takes `way_ns`, both clocks' offset included.
std::vector<BusySpan> busy_spans(const std::vector<TimedCopy>& timed, std::int64_t way_ns, std::int64_t noise_ns) {
    std::vector<BusySpan> busy;
    for (std::size_t k = 1; k < timed.size(); ++k) {
        const TimedCopy& a = timed[k - 1];
        const TimedCopy& b = timed[k];
        if (b.sent_ns + way_ns + noise_ns > a.left_ns) continue;
        busy.push_back({a.left_ns - way_ns, b.left_ns - way_ns, b.delivered_bytes - a.delivered_bytes, b.index});
    }
    return busy;
}

// The median of stretches: a burst after a stall is no rate.
double typical_rate(const std::vector<BusySpan>& busy) {
    constexpr std::int64_t stretch_ns = 20 * ms_ns;
    constexpr std::size_t stretches_min = 5;
    std::vector<double> rates;
    std::int64_t ns = 0;
    std::uint64_t bytes = 0;
    for (const BusySpan& s : busy) {
        ns += s.end_ns - s.begin_ns;
        bytes += s.bytes;
        if (ns < stretch_ns) continue;
        rates.push_back(static_cast<double>(bytes) * 8 / static_cast<double>(ns));
        ns = 0;
        bytes = 0;
    }
    return rates.size() < stretches_min ? 0 : median(rates);
}

// What those that came to an empty bottleneck took beyond the least, nine of ten.
std::int64_t noise_of(const std::vector<TimedCopy>& timed, std::int64_t least_ns) {
    std::vector<double> beyond;
    for (std::size_t k = 1; k < timed.size(); ++k)
        if (timed[k].index == timed[k - 1].index + 1 && timed[k - 1].left_ns < timed[k].sent_ns + least_ns)
            beyond.push_back(static_cast<double>(timed[k].left_ns - timed[k].sent_ns - least_ns));
    return beyond.empty() ? noise_min_ns : std::max(noise_min_ns, static_cast<std::int64_t>(quantile(beyond, 0.9)));
}

struct Least {
    std::int64_t way_ns = std::numeric_limits<std::int64_t>::max();
    double bits = 0;  // of that packet
};

// The rest of a link's times; up_ns and left_ns still with the offset.
void settle(const LinkHistory& link, double drift, LinkTimes& times) {
    Least least;
    for (const TimedCopy& t : times.timed)
        if (t.left_ns - t.sent_ns < least.way_ns) {
            least.way_ns = t.left_ns - t.sent_ns;
            least.bits = 8.0 * link.sends.copies()[t.index].bytes;
        }
    std::int64_t back_ns = 0;
    if (!link.reports.empty()) {
        back_ns = std::numeric_limits<std::int64_t>::max();
        for (const ReportSeen& r : link.reports)
            back_ns = std::min(back_ns, r.received_ns - on_our_pace(r.clock_ns, drift));
    }
    times.down_ns = back_ns;
    // The least way has the packet's own time in the bottleneck in it, which a keepalive hardly takes.
    const std::int64_t round_ns = std::max<std::int64_t>(least.way_ns + back_ns, 0);  // a clock may have stepped
    std::int64_t own_ns =
        link.round_trip_ns > 0 ? std::clamp<std::int64_t>(round_ns - link.round_trip_ns, 0, round_ns / 2) : 0;
    if (link.round_trip_ns > 0)
        times.guessed_bits_per_ns =
            std::max(least.bits - keepalive_bits, 0.0) / static_cast<double>(std::max(own_ns, own_min_ns));
    times.noise_ns = noise_of(times.timed, least.way_ns);
    if (!link.is_reported && link.has_partial_acks) times.noise_ns = std::max(times.noise_ns, partial_ack_ns);
    for (int i = 0; i < rounds; ++i) {
        times.up_ns = least.way_ns - own_ns;
        // Media may have met a queue all the time, and a keepalive of before the media none.
        if (link.round_trip_ns > 0) times.up_ns = std::min(times.up_ns, link.round_trip_ns - back_ns);
        times.busy = busy_spans(times.timed, times.up_ns, times.noise_ns);
        times.bits_per_ns = typical_rate(times.busy);
        if (times.bits_per_ns <= 0) break;
        own_ns = std::min(static_cast<std::int64_t>(least.bits / times.bits_per_ns),
                          std::max<std::int64_t>(round_ns / 2, 0));
    }
}

}  // namespace

std::vector<LinkTimes> link_times(const std::vector<LinkHistory>& links) {
    const double drift = drift_of(links);
    std::vector<LinkTimes> all(links.size());
    std::vector<double> offsets;
    for (std::size_t i = 0; i < links.size(); ++i) {
        all[i].timed = timed_copies(links[i], drift);
        if (all[i].timed.empty()) continue;
        settle(links[i], drift, all[i]);
        if (!links[i].reports.empty()) offsets.push_back(static_cast<double>(all[i].up_ns - all[i].down_ns) / 2);
    }
    const auto common = offsets.empty() ? std::optional<std::int64_t>() : std::llround(median(offsets));
    for (std::size_t i = 0; i < links.size(); ++i) {
        LinkTimes& t = all[i];
        if (t.timed.empty()) continue;
        const std::int64_t way_ns = t.up_ns;
        // By ACKs the way there holds the way back as well.
        const std::int64_t offset = links[i].is_reported ? common.value_or(way_ns) : way_ns / 2;
        t.up_ns = std::max<std::int64_t>(way_ns - offset, 0);
        t.down_ns = std::max<std::int64_t>(links[i].is_reported ? t.down_ns + offset : way_ns - offset, 0);
        for (TimedCopy& c : t.timed) c.left_ns -= way_ns;
    }
    return all;
}

}  // namespace hawser::app
