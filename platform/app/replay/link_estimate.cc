// SPDX-License-Identifier: MIT
#include "platform/app/replay/link_estimate.h"

#include <algorithm>
#include <cmath>

namespace hawser::app {

namespace {

constexpr double rate_max = 1e6;
// So that a trace of the shortest trip carries something.
constexpr double rate_min = 10;
// A rate is taken from so much time of being busy, looked for in as many bins around as needed, up to a bound.
constexpr double evidence_ns = 60e6;
constexpr std::size_t reach_max = 5;
// A bin so far from any that is known is far from it.
constexpr double far_bins = 10;
// A guess is no more than so many times what the link has brought: shapers let the first packets pass at once.
constexpr double guess_share_max = 3;
// A queue of less than this was none: packets that came together.
constexpr double queue_bytes_min = 6000;
constexpr std::size_t lost_full_min = 3;

// Which copies an outage lost or held.
std::vector<bool> in_outages(const LinkHistory& link, const std::vector<FoundOutage>& outages) {
    std::vector<bool> out(link.sends.copies().size());
    for (const FoundOutage& o : outages)
        for (std::size_t i = o.first; i < o.end && o.is_up; ++i) out[i] = true;
    return out;
}

struct Bin {
    double busy_ns = 0;
    double busy_bits = 0;
    double bits = 0;
};

class Bins {
public:
    Bins(std::int64_t begin_ns, std::int64_t end_ns)
        : begin_(begin_ns), bins_(static_cast<std::size_t>((end_ns - begin_ns) / rate_bin_ns + 1)) {}

    void add_busy(const BusySpan& span) {
        const double ns = static_cast<double>(std::max<std::int64_t>(span.end_ns - span.begin_ns, 1));
        const double bits = 8.0 * static_cast<double>(span.bytes);
        for (std::int64_t from = span.begin_ns; from < span.end_ns || from == span.begin_ns;) {
            const std::int64_t to = std::min(std::max(span.end_ns, from + 1), bin_end(from));
            if (Bin* const bin = at(from)) {
                bin->busy_ns += static_cast<double>(to - from);
                bin->busy_bits += bits * static_cast<double>(to - from) / ns;
            }
            from = to;
        }
    }
    void add(std::int64_t left_ns, double bits) {
        if (Bin* const bin = at(left_ns)) bin->bits += bits;
    }

    // The rates, and whether there was any evidence.
    [[nodiscard]] bool rates(double typical_bits_per_ns, double guess, std::vector<double>& kbps) const {
        kbps.assign(bins_.size(), 0);
        std::vector<bool> is_known(bins_.size());
        bool any = false;
        for (std::size_t i = 0; i < bins_.size(); ++i) {
            double ns = 0;
            double bits = 0;
            for (std::size_t reach = 0; reach <= reach_max && ns < evidence_ns; ++reach) {
                for (const std::size_t k : {i - reach, i + reach}) {
                    if (k >= bins_.size() || (reach == 0 && k != i)) continue;
                    ns += bins_[k].busy_ns;
                    bits += bins_[k].busy_bits;
                    if (reach == 0) break;
                }
            }
            if (ns < evidence_ns) continue;
            is_known[i] = any = true;
            kbps[i] = std::clamp(bits / ns * 1e6, rate_min, rate_max);
        }
        fill(kbps, is_known, any, typical_bits_per_ns * 1e6, guess * 1e6);
        for (std::size_t i = 0; i < bins_.size(); ++i)
            if (!is_known[i]) kbps[i] = std::clamp(std::max(kbps[i], brought(i)), rate_min, rate_max);
        return any || typical_bits_per_ns > 0;
    }

private:
    [[nodiscard]] std::int64_t bin_end(std::int64_t ns) const {
        const std::int64_t since = ns - begin_;
        const std::int64_t index = since >= 0 ? since / rate_bin_ns : -((-since + rate_bin_ns - 1) / rate_bin_ns);
        return begin_ + (index + 1) * rate_bin_ns;
    }
    [[nodiscard]] Bin* at(std::int64_t ns) {
        if (ns < begin_) return nullptr;
        const auto i = static_cast<std::size_t>((ns - begin_) / rate_bin_ns);
        return i < bins_.size() ? &bins_[i] : nullptr;
    }
    // kbit/s that came in this bin, less a packet that may be the next one's.
    [[nodiscard]] double brought(std::size_t i) const {
        constexpr double packet_bits = 8 * 1500;
        return std::max(bins_[i].bits - packet_bits, 0.0) / static_cast<double>(rate_bin_ns) * 1e6;
    }
    // Between two that are known along a line, beside the outermost as those. A link that was not full for long was
    // perhaps full only while it was narrow: then it is as wide as it was seen to be. Where none is known: the typical
    // rate, or the guess, or the most that the link brought in half a second.
    void fill(std::vector<double>& kbps, const std::vector<bool>& is_known, bool any, double typical,
              double guess) const {
        if (!any) {
            const double most = most_brought();
            std::fill(kbps.begin(), kbps.end(),
                      std::max(most, typical > 0 ? typical : std::min(guess, guess_share_max * most)));
            return;
        }
        const double wide = wide_rate(kbps, is_known);
        const std::size_t none = kbps.size();
        std::size_t last = none;
        for (std::size_t i = 0; i < kbps.size();) {
            if (is_known[i]) {
                last = i++;
                continue;
            }
            std::size_t next = i;
            while (next < kbps.size() && !is_known[next]) ++next;
            const double before = last != none ? kbps[last] : kbps[next];
            const double after = next != none ? kbps[next] : before;
            for (const std::size_t from = i; i < next; ++i) {
                const auto done = static_cast<double>(i + 1 - from);
                const auto to_go = static_cast<double>(next - i);
                kbps[i] = before + (after - before) * done / (done + to_go);
                const bool is_far = (last == none || done > far_bins) && (next == none || to_go > far_bins);
                if (is_far) kbps[i] = std::max(kbps[i], wide);
            }
        }
    }
    [[nodiscard]] static double wide_rate(const std::vector<double>& kbps, const std::vector<bool>& is_known) {
        std::vector<double> known;
        for (std::size_t i = 0; i < kbps.size(); ++i)
            if (is_known[i]) known.push_back(kbps[i]);
        const auto at = known.begin() + static_cast<std::ptrdiff_t>(known.size() * 9 / 10);
        std::nth_element(known.begin(), at, known.end());
        return *at;
    }
    [[nodiscard]] double most_brought() const {
        constexpr std::size_t span = 5;
        double most = 0;
        for (const Bin& bin : bins_) most += bin.bits;
        most *= 1e6 / static_cast<double>(rate_bin_ns) / static_cast<double>(bins_.size());
        for (std::size_t i = 0; i + span <= bins_.size(); ++i) {
            double sum = 0;
            for (std::size_t k = 0; k < span; ++k) sum += brought(i + k);
            most = std::max(most, sum / span);
        }
        return most;
    }

    std::int64_t begin_;
    std::vector<Bin> bins_;
};

// How many bytes stood before the bottleneck at times that ascend: of those that came, what had been sent and had not
// left. Between two departures that are known, bytes left evenly.
class Backlog {
public:
    Backlog(const LinkHistory& link, const LinkTimes& times) : link_(link), times_(times) {}
    double when(std::size_t copy) {
        const auto& copies = link_.sends.copies();
        for (; next_copy_ < copy; ++next_copy_)
            if (copies[next_copy_].fate == CopyFate::delivered) sent_ += copies[next_copy_].bytes;
        const std::int64_t now = copies[copy].sent_ns;
        const auto& timed = times_.timed;
        while (next_timed_ < timed.size() && timed[next_timed_].left_ns <= now) ++next_timed_;
        if (next_timed_ == 0 || next_timed_ == timed.size()) return 0;
        const TimedCopy& a = timed[next_timed_ - 1];
        const TimedCopy& b = timed[next_timed_];
        const double part = static_cast<double>(now - a.left_ns) / static_cast<double>(b.left_ns - a.left_ns);
        const double left =
            static_cast<double>(a.delivered_bytes) + static_cast<double>(b.delivered_bytes - a.delivered_bytes) * part;
        return std::max(static_cast<double>(sent_) - left, 0.0);
    }

private:
    const LinkHistory& link_;
    const LinkTimes& times_;
    std::uint64_t sent_ = 0;
    std::size_t next_copy_ = 0;
    std::size_t next_timed_ = 0;
};

// Of copies that met less than half of the longest queue: what was lost of them was not for the queue's length.
void estimate_queue(const LinkHistory& link, const LinkTimes& times, const std::vector<bool>& is_out,
                    LinkEstimate& out) {
    const auto& copies = link.sends.copies();
    std::vector<double> queue(copies.size(), -1);
    Backlog backlog(link, times);
    for (std::size_t i = 0; i < copies.size(); ++i) {
        const double bytes = backlog.when(i);
        if (is_out[i]) continue;
        queue[i] = bytes;
        if (copies[i].fate == CopyFate::delivered) out.queue_bytes = std::max(out.queue_bytes, bytes + copies[i].bytes);
    }
    const double half = out.queue_bytes >= queue_bytes_min ? out.queue_bytes / 2 : queue_bytes_min;
    double lost = 0;
    double all = 0;
    std::size_t lost_at_end = 0;
    for (std::size_t i = 0; i < copies.size(); ++i) {
        if (queue[i] > half && queue[i] > out.queue_bytes * 0.8 && copies[i].fate == CopyFate::lost) ++lost_at_end;
        if (queue[i] < 0 || queue[i] > half || copies[i].fate == CopyFate::unknown) continue;
        all += 1;
        lost += copies[i].fate == CopyFate::lost ? 1 : 0;
    }
    out.loss = all > 0 ? lost / all : 0;
    out.was_queue_full = lost_at_end >= lost_full_min;
}

}  // namespace

LinkEstimate estimate_link(const LinkHistory& link, const LinkTimes& times, std::int64_t begin_ns, std::int64_t end_ns,
                           std::int64_t log_ns) {
    LinkEstimate out;
    out.up_ms = static_cast<double>(times.up_ns) / 1e6;
    out.down_ms = static_cast<double>(times.down_ns) / 1e6;
    out.outages = link_outages(link, times, log_ns);
    const std::vector<bool> is_out = in_outages(link, out.outages);
    estimate_queue(link, times, is_out, out);
    Bins bins(begin_ns, end_ns);
    // The burst after a hold came at no rate.
    for (const BusySpan& span : times.busy)
        if (!is_out[span.last]) bins.add_busy(span);
    for (std::size_t k = 1; k < times.timed.size(); ++k) {
        const TimedCopy& t = times.timed[k];
        if (!is_out[t.index])
            bins.add(t.left_ns, 8.0 * static_cast<double>(t.delivered_bytes - times.timed[k - 1].delivered_bytes));
    }
    out.was_full = bins.rates(times.bits_per_ns, times.guessed_bits_per_ns, out.kbps);
    // What was lost behind the bottleneck had its time in it, too.
    for (double& kbps : out.kbps) kbps = std::min(kbps / std::max(1 - out.loss, 0.1), rate_max);
    return out;
}

}  // namespace hawser::app
