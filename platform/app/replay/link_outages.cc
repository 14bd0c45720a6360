// SPDX-License-Identifier: MIT
#include "platform/app/replay/link_outages.h"

#include <algorithm>

namespace hawser::app {

namespace {

// Shorter ones are bursts of losses, or a queue that was full for a moment. Untuned.
constexpr std::int64_t dark_min_ns = 150 * ms_ns;
constexpr std::int64_t hold_min_ns = 150 * ms_ns;
constexpr std::size_t held_min = 3;
constexpr std::int64_t held_spread_ns = 50 * ms_ns;
// Answers come several times a second on a link that is alive; nothing for so long is remarkable.
constexpr std::int64_t silent_min_ns = 600 * ms_ns;
// What was under way at an outage's begin may come for so long beyond the round trip.
constexpr std::int64_t echo_ns = 50 * ms_ns;

class Finder {
public:
    Finder(const LinkHistory& link, const LinkTimes& times, std::int64_t log_ns)
        : link_(link), times_(times), log_ns_(log_ns) {}

    std::vector<FoundOutage> find() {
        find_dark();
        find_holds();
        find_silent();
        return std::move(found_);
    }

private:
    // The latest timed copy at or before that index, and the earliest behind it.
    [[nodiscard]] const TimedCopy* timed_until(std::size_t index) const {
        const auto after = std::upper_bound(times_.timed.begin(), times_.timed.end(), index,
                                            [](std::size_t i, const TimedCopy& t) { return i < t.index; });
        return after == times_.timed.begin() ? nullptr : &*(after - 1);
    }
    [[nodiscard]] std::size_t heard_between(std::int64_t from, std::int64_t to) const {
        const auto begin = std::lower_bound(link_.heard_ns.begin(), link_.heard_ns.end(), from);
        return static_cast<std::size_t>(
            std::max<std::ptrdiff_t>(std::lower_bound(begin, link_.heard_ns.end(), to) - begin, 0));
    }
    [[nodiscard]] std::int64_t round_trip() const { return times_.up_ns + times_.down_ns; }

    // Runs of copies none of which came, as long as the link had a chance to bring them.
    void find_dark() {
        const auto& copies = link_.sends.copies();
        for (std::size_t i = 0; i < copies.size();) {
            if (copies[i].fate != CopyFate::lost) {
                ++i;
                continue;
            }
            std::size_t end = i;
            std::size_t last = i;
            for (; end < copies.size() && copies[end].fate != CopyFate::delivered; ++end)
                if (copies[end].fate == CopyFate::lost) last = end;
            judge_dark(i, last, end);
            i = end;
        }
    }
    void judge_dark(std::size_t first, std::size_t last, std::size_t end) {
        const auto& copies = link_.sends.copies();
        const bool ends = end < copies.size();
        const TimedCopy* const before = first > 0 ? timed_until(first - 1) : nullptr;
        std::int64_t last_sent = copies[last].sent_ns;
        const std::int64_t next_sent = ends ? copies[end].sent_ns : for_ever_ns;
        std::int64_t next_good = next_sent;
        // Keepalives in between say more of when it ended. Those of before the end of which nothing came.
        const auto sent_until = [](std::int64_t ns, const KeepaliveRound& k) { return ns < k.sent_ns; };
        for (auto it =
                 std::upper_bound(link_.keepalives.begin(), link_.keepalives.end(), copies[first].sent_ns, sent_until);
             it != link_.keepalives.end() && it->sent_ns < next_sent; ++it) {
            const KeepaliveRound& k = *it;
            if (k.answered_ns)
                next_good = std::min(next_good, k.sent_ns > last_sent ? k.sent_ns : next_good);
            else if (k.sent_ns < next_good && k.sent_ns < log_ns_ - 2 * silent_min_ns)
                last_sent = std::max(last_sent, k.sent_ns);
        }
        // The last that came was on its way out by then: nothing was lost before.
        const std::int64_t came_ns = before != nullptr ? before->left_ns : copies[first].sent_ns;
        if (last_sent - std::max(came_ns, copies[first].sent_ns) < dark_min_ns) return;
        FoundOutage o;
        o.first = first;
        o.end = end;
        // The first that was lost would have left next, at the latest when it had come to an empty bottleneck.
        const std::int64_t out_ns = came_ns + times_.up_ns;
        const std::int64_t next_out_ns = std::max(out_ns, copies[first].sent_ns + times_.up_ns);
        o.start_ns = out_ns + (next_out_ns - out_ns) / 2;
        o.end_ns = next_good == for_ever_ns ? for_ever_ns : last_sent + (next_good - last_sent) / 2;
        if (o.end_ns < o.start_ns + dark_min_ns / 2) return;
        const std::int64_t until = std::min({o.end_ns, log_ns_, std::max(last_sent, o.start_ns + dark_min_ns)});
        o.is_down = heard_between(o.start_ns + round_trip() + echo_ns, until) < 2;
        // What came back after that tells that it was over.
        const auto heard = std::lower_bound(link_.heard_ns.begin(), link_.heard_ns.end(), until);
        if (o.is_down && heard != link_.heard_ns.end() && *heard - times_.down_ns < next_good)
            o.end_ns = last_sent + std::max<std::int64_t>(*heard - times_.down_ns - last_sent, 0) / 2;
        found_.push_back(o);
    }

    // Several packets that were sent apart and came at one moment, after nothing had come for long.
    void find_holds() {
        const auto& timed = times_.timed;
        for (std::size_t k = 1; k < timed.size(); ++k) {
            const std::int64_t begin = timed[k - 1].left_ns;
            const std::int64_t end = timed[k].left_ns;
            if (end - begin < hold_min_ns) continue;
            const std::int64_t burst_ns = std::max<std::int64_t>(5 * ms_ns, (end - begin) / 20);
            std::size_t held = 0;
            std::int64_t spread_from = end;
            std::int64_t spread_to = begin;
            std::size_t i = k;
            for (; i < timed.size() && timed[i].left_ns <= end + burst_ns && timed[i].sent_ns < end; ++i) {
                ++held;
                spread_from = std::min(spread_from, timed[i].sent_ns);
                spread_to = std::max(spread_to, timed[i].sent_ns);
            }
            if (held < held_min || spread_to - spread_from < held_spread_ns) continue;
            // At the link's own rate it is a bottleneck that stood still, and its rate tells that.
            const double bits = 8.0 * static_cast<double>(timed[i - 1].delivered_bytes - timed[k].delivered_bytes);
            const double ns = static_cast<double>(std::max<std::int64_t>(timed[i - 1].left_ns - end, 1));
            if (times_.bits_per_ns > 0 && bits / ns < 2 * times_.bits_per_ns) continue;
            FoundOutage o;
            o.holds = true;
            o.first = timed[k - 1].index + 1;
            // What came to the bottleneck meanwhile, too: when it left that is not known.
            o.end = timed[i - 1].index + 1;
            const auto& copies = link_.sends.copies();
            while (o.end < copies.size() && copies[o.end].sent_ns < timed[i - 1].left_ns) ++o.end;
            o.start_ns = begin + times_.up_ns;
            o.end_ns = end + times_.up_ns;
            o.is_down = heard_between(o.start_ns + times_.down_ns + echo_ns, o.end_ns - echo_ns / 2) < 2;
            found_.push_back(o);
        }
    }

    // Nothing came back for long, while the way up brought what would have been answered.
    void find_silent() {
        std::vector<FoundOutage> silent;
        const auto& heard = link_.heard_ns;
        for (std::size_t i = 1; i < heard.size(); ++i) {
            if (heard[i] - heard[i - 1] < silent_min_ns) continue;
            FoundOutage o;
            o.is_up = false;
            o.start_ns = heard[i - 1];
            o.end_ns = std::max(heard[i] - times_.down_ns, heard[i - 1] + 1);
            const bool is_known = std::any_of(found_.begin(), found_.end(), [&](const FoundOutage& f) {
                return f.start_ns < o.end_ns && o.start_ns < f.end_ns;
            });
            if (is_known) continue;
            const auto arrives = [&](std::int64_t at) {
                return static_cast<std::size_t>(
                    std::lower_bound(times_.timed.begin(), times_.timed.end(), at - times_.up_ns,
                                     [](const TimedCopy& t, std::int64_t ns) { return t.left_ns < ns; }) -
                    times_.timed.begin());
            };
            if (arrives(o.end_ns) < arrives(o.start_ns) + 2 * held_min) continue;
            silent.push_back(o);
        }
        found_.insert(found_.end(), silent.begin(), silent.end());
    }

    const LinkHistory& link_;
    const LinkTimes& times_;
    std::int64_t log_ns_;
    std::vector<FoundOutage> found_;
};

}  // namespace

std::vector<FoundOutage> link_outages(const LinkHistory& link, const LinkTimes& times, std::int64_t log_ns) {
    return Finder(link, times, log_ns).find();
}

}  // namespace hawser::app
