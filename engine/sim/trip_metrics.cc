// SPDX-License-Identifier: MIT
#include "engine/sim/trip_metrics.h"

#include <algorithm>

namespace hawser::sim {
namespace {

constexpr double gap_ms = 200;
constexpr double whole_second = 0.99;  // a second that lost more is hurt

double median(const std::vector<double>& sorted) {
    const std::size_t n = sorted.size();
    return n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

std::uint32_t hurt_seconds(const Media& media, const std::vector<bool>& seen) {
    const auto second_of = [&](std::uint64_t number) {
        if (!media.times.empty())
            return static_cast<std::size_t>((media.times[number] - media.first).ns / 1'000'000'000);
        return static_cast<std::size_t>(static_cast<double>(number) * media.gap_ns / 1e9);
    };
    std::vector<std::uint32_t> made(media.count > 0 ? second_of(media.count - 1) + 1 : 0);
    std::vector<std::uint32_t> got(made.size());
    for (std::uint64_t i = 0; i < media.count; ++i) {
        ++made[second_of(i)];
        if (seen[i]) ++got[second_of(i)];
    }
    std::uint32_t hurt = 0;
    for (std::size_t s = 0; s < made.size(); ++s) hurt += got[s] < whole_second * made[s] ? 1u : 0u;
    return hurt;
}

}  // namespace

Media media_of(const Trip& trip, Instant first) {
    Media m;
    m.first = first;
    m.gap_ns = static_cast<double>(payload_bytes) * 8e6 / trip.kbit_per_second;
    m.count = static_cast<std::uint64_t>(trip.seconds * trip.kbit_per_second * 1000 / 8 / payload_bytes);
    return m;
}

void judge(const Trip& trip, const Media& media, const std::vector<LiveReceiver::Read>& reads, TripOutcome& outcome) {
    outcome.payloads = media.count;
    const auto count = static_cast<double>(std::max<std::uint64_t>(media.count, 1));
    const Duration limit = trip.srt.latency + trip.grace;
    std::vector<bool> seen(media.count);
    std::vector<double> delays_ms;
    std::vector<Instant> in_time;
    delays_ms.reserve(reads.size());
    in_time.reserve(reads.size() + 2);
    for (const LiveReceiver::Read& r : reads) {
        if (r.number >= media.count || seen[r.number]) continue;
        seen[r.number] = true;
        const Instant made = media.made_at(r.number);
        delays_ms.push_back(static_cast<double>((r.at - made).ns) / 1e6);
        if (r.at - made > limit)
            ++outcome.late;
        else
            in_time.push_back(r.at);
        if (trip.keep_hand_overs)
            outcome.hand_overs.push_back(
                {r.number, Instant{} + (made - media.first), Instant{} + (r.at - media.first)});
    }
    outcome.delivered = static_cast<double>(delays_ms.size()) / count;
    outcome.on_time = static_cast<double>(in_time.size()) / count;
    const double media_ms = count * media.gap_ns / 1e6;
    if (in_time.empty()) {
        outcome.longest_gap_ms = outcome.gap_total_ms = media_ms;
        outcome.gaps_200 = 1;
        return;
    }
    std::sort(delays_ms.begin(), delays_ms.end());
    outcome.delay_p50_ms = median(delays_ms);
    outcome.delay_p99_ms = delays_ms[static_cast<std::size_t>(0.99 * static_cast<double>(delays_ms.size() - 1))];
    // From the first payload's usual hour to the last one's.
    const Instant from = media.first + Duration{static_cast<std::int64_t>(outcome.delay_p50_ms * 1e6)};
    std::sort(in_time.begin(), in_time.end());
    in_time.insert(in_time.begin(), from);
    in_time.push_back(from + Duration{static_cast<std::int64_t>(count * media.gap_ns)});
    for (std::size_t i = 1; i < in_time.size(); ++i) {
        const double gap = static_cast<double>((in_time[i] - in_time[i - 1]).ns) / 1e6;
        outcome.longest_gap_ms = std::max(outcome.longest_gap_ms, gap);
        if (gap <= gap_ms) continue;
        ++outcome.gaps_200;
        outcome.gap_total_ms += gap;
    }
    outcome.hurt_seconds = hurt_seconds(media, seen);
}

void count_bytes(const Media& media, Duration span, TripOutcome& outcome) {
    double total = 0;
    for (const LinkOutcome& l : outcome.links) total += static_cast<double>(l.up.bytes_in);
    total = std::max(total, 1.0);
    const double media_bytes = static_cast<double>(media.count) * static_cast<double>(payload_wire_bytes);
    outcome.wire_overhead = media_bytes > 0 ? total / media_bytes - 1 : 0;
    const double seconds = static_cast<double>(span.ns) / 1e9;
    for (LinkOutcome& l : outcome.links) {
        l.share = static_cast<double>(l.up.bytes_in) / total;
        const double capacity_bytes = l.up.capacity_bps * seconds / 8;
        l.use = capacity_bytes > 0 ? static_cast<double>(l.up.bytes_out) / capacity_bytes : 0;
    }
}

}  // namespace hawser::sim
