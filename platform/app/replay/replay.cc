// SPDX-License-Identifier: MIT
#include "platform/app/replay/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "platform/app/plain_text.h"
#include "platform/app/replay/link_estimate.h"
#include "platform/app/sim/trace_file.h"

namespace hawser::app {

namespace {

constexpr double latency_usual_ms = 2000;
constexpr double seconds_min = 1;
// The scenario's clock begins so long before the media (sim::Trip::lead).
constexpr std::int64_t lead_ns = 500'000'000;
// Behind the media come the latency and some more, with the last rate.
constexpr double after_s = 5;
// Of traces, in all: 25 GB.
constexpr double opportunities_all_max = 1 << 24;
// Of so few losses nothing follows.
constexpr double loss_min = 0.0003;
// Of an uplink with fewer packets only the registration is in the recording.
constexpr std::size_t remarkable = 4;
constexpr double queue_usual_s = 0.3;
// The largest recording there can be has 4 Mi packets of some 250 bytes, and payload if it was asked for.
constexpr std::size_t recording_bytes_max = std::size_t{2} << 30;

// To so many parts of one.
double rounded(double value, double parts) { return std::round(value * parts) / parts; }
Duration whole_ms(double s) { return Duration{std::llround(s * 1e3) * 1'000'000}; }
Duration whole_10us(double ms) { return Duration{std::llround(ms * 1e2) * 10'000}; }

// What SRT asked the sender to bring.
struct Media {
    std::int64_t first_ns = 0;
    std::int64_t last_ns = 0;
    double bits = 0;
    std::int64_t packets = 0;
    // By their numbers: some may never have come to the sender, as SRT gave them up.
    std::int64_t numbers = 0;

    [[nodiscard]] double seconds() const { return static_cast<double>(last_ns - first_ns) / 1e9; }
    [[nodiscard]] double kbps() const {
        return bits / static_cast<double>(packets) * static_cast<double>(std::max(numbers, packets)) / seconds() / 1e3;
    }
};

bool is_of_media(const LoggedPacket& p) {
    switch (p.decision) {
        case Decision::sent:
        case Decision::repaired:
        case Decision::copied:
        case Decision::sent_ahead:
        case Decision::probed:
        case Decision::rerouted:
        case Decision::waits_for_cap:
        case Decision::too_late:
        case Decision::too_large:
        case Decision::overtaken:
        case Decision::displaced:
        case Decision::session_over: return true;
        default: return false;
    }
}

Media media_of(const FlightLog& log) {
    Media media;
    std::unordered_set<std::uint32_t> seen;
    wire::Seq31 newest;
    constexpr std::int32_t gap_max = 10'000;  // beyond it is another session
    for (const LoggedPacket& p : log.packets) {
        const auto data = p.data();
        // Those that were sent before the recording began and are sent again are not of its time.
        if (!data || !is_of_media(p) || !seen.insert(data->sequence().raw()).second || data->is_retransmission())
            continue;
        if (p.decision == Decision::repaired) continue;
        if (media.packets++ == 0) media.first_ns = p.at_ns;
        const std::int32_t step = media.packets == 1 ? 1 : wire::distance(newest, data->sequence());
        if (step > 0 || step < -gap_max) newest = data->sequence();
        if (step > 0 && step <= gap_max) media.numbers += step;
        media.last_ns = p.at_ns;
        media.bits += 8.0 * std::max(0, p.length - static_cast<int>(wire::srt_header_bytes));
    }
    return media;
}

// Lines of seconds and kbit/s; equal ones are said once.
std::string rates_text(const LinkEstimate& link, double period_s) {
    std::string out = "# seconds and kbit/s on the wire, estimated from a recording\n";
    long last = -1;
    for (std::size_t i = 0; i < link.kbps.size(); ++i) {
        const long kbps = std::max(std::lround(link.kbps[i]), 1L);
        const double at_s = static_cast<double>(i) * static_cast<double>(rate_bin_ns) / 1e9;
        if (kbps != last && at_s < period_s) out += fmt::format("{:.1f} {}\n", at_s, kbps);
        last = kbps;
    }
    return out + fmt::format("{:.1f} 0\n", period_s);
}

void add_outages(const LinkEstimate& from, std::int64_t begin_ns, double end_s, LinkPlan& link) {
    for (const FoundOutage& o : from.outages) {
        const double start = std::max(static_cast<double>(o.start_ns - begin_ns) / 1e9, 0.0);
        const double end = o.end_ns == for_ever_ns ? end_s : static_cast<double>(o.end_ns - begin_ns) / 1e9;
        sim::LineOutage outage;
        outage.kind = o.holds ? sim::LineOutage::Kind::hold : sim::LineOutage::Kind::drop;
        outage.start = whole_ms(start);
        outage.length = whole_ms(end - start);
        if (start >= end_s || outage.length.ns <= 0) continue;
        if (o.is_up) link.up.shape.outages.push_back(outage);
        if (o.is_down) link.down.shape.outages.push_back(outage);
    }
}

class Maker {
public:
    Maker(const FlightLog& log, std::string name) : log_(log), name_(std::move(name)) {}

    Result<RecordedTrip, std::string> make() {
        const Media media = media_of(log_);
        if (media.seconds() < seconds_min) return fail("there is less than a second of media in it");
        Scenario& s = trip_.scenario;
        s.seconds = std::clamp(rounded(media.seconds(), 10), seconds_min, 3600.0);
        s.kbps = std::clamp(rounded(media.kbps(), 1), 10.0, 200'000.0);
        const double latency_ms = log_.latency ? static_cast<double>(log_.latency->ms()) : latency_usual_ms;
        s.srt.latency = whole_10us(std::clamp(latency_ms, 20.0, 60'000.0));
        s.srt.loss_max_ttl = 40;
        begin_ns_ = media.first_ns - lead_ns;
        end_ns_ = media.last_ns;
        period_s_ = rounded(s.seconds + static_cast<double>(lead_ns) / 1e9 + latency_ms / 1e3 + after_s, 10);
        const std::vector<LinkHistory> histories = link_histories(log_);
        const std::vector<LinkTimes> times = link_times(histories);
        for (std::size_t i = 0; i < histories.size(); ++i) {
            if (times[i].timed.size() >= 2) {
                if (const auto added = add_link(i, histories[i], times[i]); !added) return Failure{added.error()};
            } else if (histories[i].keepalives.size() + histories[i].sends.copies().size() >= remarkable) {
                silent_.push_back(log_.links[i]);
            }
        }
        if (s.links.empty()) return fail("no uplink is known to have brought anything");
        s.about = about();
        return std::move(trip_);
    }

private:
    [[nodiscard]] Failure<std::string> fail(const std::string& what) const { return Failure{name_ + ": " + what}; }

    Result<Unit, std::string> add_link(std::size_t i, const LinkHistory& history, const LinkTimes& times) {
        const LinkEstimate found = estimate_link(history, times, begin_ns_, end_ns_, log_.length_ns());
        LinkPlan link;
        link.name = log_.links[i];
        double sum = 0;
        for (const double kbps : found.kbps) sum += kbps;
        const double mean_kbps = sum / static_cast<double>(found.kbps.size());
        // A kbit/s is 125 bytes.
        opportunities_ += mean_kbps * 125 * period_s_ / static_cast<double>(sim::opportunity_bytes);
        if (opportunities_ > opportunities_all_max) return fail("its links carried more than a scenario holds");
        std::string rates = rates_text(found, period_s_);
        auto trace = parse_trace(rates);
        if (!trace) return fail("'" + link.name + "': " + trace.error());
        link.up.trace = std::make_shared<const std::vector<std::uint32_t>>(std::move(trace).value());
        if (!found.was_full) narrow_.push_back(link.name);
        if (!found.was_queue_full) short_.push_back(link.name);
        sim::LineShape& up = link.up.shape;
        up.delay = whole_10us(std::min(found.up_ms, 10'000.0));
        const double usual_bytes = found.was_queue_full ? 0 : mean_kbps * 125 * queue_usual_s;
        up.queue_bytes = std::llround(std::clamp(std::max(found.queue_bytes, usual_bytes), 3000.0, 1e9));
        up.loss = found.loss < loss_min ? 0 : std::min(rounded(found.loss, 1e4), 1.0);
        sim::LineShape& down = link.down.shape;
        down.kbit_per_second = 20'000;
        down.delay = whole_10us(std::min(found.down_ms, 10'000.0));
        down.queue = Duration{300'000'000};
        add_outages(found, begin_ns_, period_s_, link);
        trip_.scenario.links.push_back(std::move(link));
        trip_.rates.push_back(std::move(rates));
        return Unit{};
    }

    [[nodiscard]] static std::string list(const std::vector<std::string>& names) {
        std::string out;
        for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
        return out;
    }
    [[nodiscard]] std::string about() const {
        std::string out = "estimated from a recording: media at their mean rate, the way back taken for wide";
        if (!narrow_.empty()) out += "; never seen full, so of a guessed rate: " + list(narrow_);
        if (!short_.empty()) out += "; queue never seen full, so perhaps longer: " + list(short_);
        if (!silent_.empty()) out += "; left out, as nothing is known to have arrived by it: " + list(silent_);
        if (!log_.latency) out += "; SRT's latency is not in it";
        return out;
    }

    const FlightLog& log_;
    std::string name_;
    RecordedTrip trip_;
    std::int64_t begin_ns_ = 0;
    std::int64_t end_ns_ = 0;
    double period_s_ = 0;
    double opportunities_ = 0;
    std::vector<std::string> narrow_;
    std::vector<std::string> short_;
    std::vector<std::string> silent_;
};

}  // namespace

bool is_recording(std::string_view path) {
    return path.size() > recording_suffix.size() &&
           path.substr(path.size() - recording_suffix.size()) == recording_suffix;
}

Result<RecordedTrip, std::string> replay(const FlightLog& log, const std::string& name) {
    return Maker(log, name).make();
}

Result<RecordedTrip, std::string> load_recording(const std::string& path) {
    auto file = read_file(path, recording_bytes_max);
    if (!file) return Failure{file.error()};
    const auto log = read_flight_log(std::move(file).value(), path);
    if (!log) return Failure{log.error()};
    auto trip = replay(*log, path);
    if (!trip) return trip;
    const std::string file_name = path.substr(path.rfind('/') + 1);
    trip->scenario.name = printable(file_name.substr(0, file_name.size() - recording_suffix.size()));
    if (!log->note.empty()) trip->scenario.about += "; " + log->note;
    return trip;
}

}  // namespace hawser::app
