// SPDX-License-Identifier: MIT
// The causal oracle: what an ideal sender could do that knows the present and not the future.
//  - Payloads wait in one central queue, the most urgent first. One is bound to a link only when the link can begin to
//    transmit it at this moment; of several free links the one with the least delay takes it. What would be late over
//    a link at its present rate is not given to it: the rate of a steady line, or what a trace has offered in the last
//    100 ms (used or not). A trace that has offered nothing for so long is given nothing until it does.
//  - Whether a link is dark or held is known at once; such a link is given nothing. What it swallowed goes back into
//    the queue when that begins, and counts once if the first copy comes out in time after all.
//  - A random loss is known one RTT (both delays) after the packet left the bottleneck, and sent again. Losses are
//    those that the n-th packet of the line meets in any run with the same seed.
//  - It does not know how long a bottleneck will really take: a packet that a trace then leaves standing stands.
//  - Jitter is its mean. Payloads count when they arrive within the latency of being made; there is no grace.
#include <algorithm>
#include <optional>
#include <queue>
#include <vector>

#include "engine/base/random.h"
#include "engine/sim/capacity.h"
#include "engine/sim/fate.h"
#include "engine/sim/ring.h"
#include "engine/sim/trip.h"
#include "engine/sim/trip_metrics.h"

namespace hawser::sim {
namespace {

// What "present" means for a trace, and how soon a silent one is looked at again. Untuned.
constexpr Duration rate_window{100'000'000};
constexpr Duration look_again{5'000'000};
constexpr Duration unknown{-1};

struct Return {
    Instant at;
    std::uint32_t number;  // of the payload
    friend bool operator>(const Return& a, const Return& b) { return a.at != b.at ? a.at > b.at : a.number > b.number; }
};

struct OracleLink {
    OracleLink(const TripLink& link, std::uint64_t seed)
        : shape(link.up),
          capacity(link.up),
          fate(link.up, seed),
          round_trip(link.up.delay + link.up.jitter / 2 + link.down.delay + link.down.jitter / 2) {
        capacity.restart(Instant{});
        shape.delay = shape.delay + shape.jitter / 2;
    }
    // How long a payload takes through the bottleneck as things are; `unknown` when nothing passes.
    [[nodiscard]] Duration expected_crossing(Instant now) const {
        if (shape.trace_ms.empty() && shape.kbit_per_second <= 0) return Duration{};
        const double bytes = capacity.bytes_between(now - rate_window, now);
        if (bytes <= 0) return unknown;
        const double windows = static_cast<double>(payload_wire_bytes) / bytes;
        return Duration{static_cast<std::int64_t>(windows * static_cast<double>(rate_window.ns))};
    }

    // From the bottleneck to the far end.
    [[nodiscard]] Duration delay(Instant now) const { return shape.delay + shape.detour(now - Instant{}); }

    LineShape shape;
    Capacity capacity;
    Fate fate;
    Duration round_trip;
    Instant free_at{};
};

class Causal {
public:
    explicit Causal(const Trip& trip) : trip_(trip), media_(media_of(trip, Instant{} + trip.lead)) {
        for (std::size_t i = 0; i < trip.links.size(); ++i)
            links_.emplace_back(trip.links[i], trip.seed * 1'000'003 + i * 2 + 1);
        std::stable_sort(links_.begin(), links_.end(),
                         [](const OracleLink& a, const OracleLink& b) { return a.shape.delay < b.shape.delay; });
        done_.resize(media_.count);
    }

    double run() {
        const Instant end = media_.made_at(media_.count) + trip_.srt.latency;
        for (Instant now = media_.first; now <= end; now = next(now)) {
            for (; made_ < media_.count && media_.made_at(made_) <= now; ++made_) wait(made_);
            for (; !returns_.empty() && returns_.top().at <= now; returns_.pop())
                if (!done_[returns_.top().number]) wait(returns_.top().number);
            forget_hopeless(now);
            for (OracleLink& link : links_)
                while (link.free_at <= now && bind(link, now)) {
                }
        }
        const auto good = std::count(done_.begin(), done_.end(), true);
        return media_.count > 0 ? static_cast<double>(good) / static_cast<double>(media_.count) : 0;
    }

private:
    [[nodiscard]] Instant deadline(std::uint64_t number) const { return media_.made_at(number) + trip_.srt.latency; }
    void wait(std::uint64_t number) { waiting_.insert(static_cast<std::int64_t>(number)); }
    // What nobody can deliver any more leaves the queue.
    void forget_hopeless(Instant now) {
        while (waiting_.size() > 0 && !is_in_time(waiting_.first(), now + links_[0].shape.delay))
            waiting_.erase(waiting_.first());
    }
    [[nodiscard]] bool is_in_time(std::int64_t number, Instant at) const {
        return at <= deadline(static_cast<std::uint64_t>(number));
    }

    [[nodiscard]] Instant next(Instant now) const {
        Instant then = made_ < media_.count ? media_.made_at(made_) : never;
        if (!returns_.empty()) then = std::min(then, returns_.top().at);
        if (waiting_.size() > 0)
            for (const OracleLink& link : links_)
                if (link.free_at > now) then = std::min(then, link.free_at);
        return std::max(then, now + Duration{1});
    }

    // Gives the link the most urgent payload that it can deliver. False when it takes none now.
    bool bind(OracleLink& link, Instant now) {
        for (const auto kind : {LineOutage::Kind::drop, LineOutage::Kind::hold, LineOutage::Kind::pause})
            if (const Instant end = link.capacity.outage_end(kind, now); end != never) {
                link.free_at = end;
                return false;
            }
        if (waiting_.size() == 0) return false;
        std::int64_t number = waiting_.first();
        const Duration expected = link.expected_crossing(now);
        if (expected == unknown) {
            link.free_at = now + look_again;
            return false;
        }
        while (waiting_.contains(number) && !is_in_time(number, now + expected + link.delay(now)))
            number = waiting_.next(number + 1);
        if (!waiting_.contains(number)) return false;
        waiting_.erase(number);
        // A link that has just become free goes on within the opportunity under way.
        const Instant asked = link.free_at == now ? now - Duration{1} : now;
        const Instant crossed = link.capacity.carry(payload_wire_bytes, asked, true);
        link.free_at = std::max(crossed, now);
        settle(link, static_cast<std::uint32_t>(number), now, crossed);
        return true;
    }

    void settle(OracleLink& link, std::uint32_t number, Instant now, Instant crossed) {
        const bool is_lost = link.fate.draw_lost();
        Instant arrives = crossed + link.delay(crossed);
        if (const Instant end = link.capacity.outage_end(LineOutage::Kind::hold, arrives); end != never) {
            returns_.push({std::max(now, began(link, LineOutage::Kind::hold, arrives)), number});
            arrives = end;
        }
        if (!is_lost && link.capacity.outage_end(LineOutage::Kind::drop, arrives) != never) {
            returns_.push({std::max(now, began(link, LineOutage::Kind::drop, arrives)), number});
        } else if (is_lost) {
            returns_.push({crossed + link.round_trip, number});
        } else if (arrives <= deadline(number)) {
            done_[number] = true;
        }
    }

    // When the outage of this kind that covers `at` began.
    [[nodiscard]] Instant began(const OracleLink& link, LineOutage::Kind kind, Instant at) const {
        for (const LineOutage& o : link.shape.outages) {
            const Duration t = at - Instant{};
            if (o.kind != kind || t < o.start) continue;
            const Duration begun = o.every.ns > 0 ? o.start + o.every * ((t - o.start).ns / o.every.ns) : o.start;
            if (t < begun + o.length) return Instant{} + begun;
        }
        return at;
    }

    const Trip& trip_;
    Media media_;
    std::vector<OracleLink> links_;
    IndexSet waiting_;
    std::priority_queue<Return, std::vector<Return>, std::greater<>> returns_;
    std::vector<bool> done_;
    std::uint64_t made_ = 0;
};

}  // namespace

double causal_on_time(const Trip& trip) { return Causal(trip).run(); }

}  // namespace hawser::sim
