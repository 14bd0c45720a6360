// SPDX-License-Identifier: MIT
#include "platform/app/replay/link_fates.h"

#include <algorithm>
#include <unordered_map>

#include "engine/sim/line.h"
#include "engine/wire/srtla.h"
#include "platform/app/replay/link_answers.h"

namespace hawser::app {

namespace {

// A receiver that was started anew has another clock: one that leaps by more than this goes on where it was.
constexpr std::int64_t leap_ns = 5'000 * ms_ns;
// The receiver's clock, which wraps, as one that does not.
class ReceiverClock {
public:
    std::int64_t unwrap(std::uint32_t clock_us, std::int64_t received_ns) {
        if (has_last_) {
            const std::int64_t step = std::int64_t{static_cast<std::int32_t>(clock_us - last_us_)} * 1000;
            const bool leaps = step - (received_ns - received_) > leap_ns || received_ns - received_ - step > leap_ns;
            at_ += leaps ? received_ns - received_ : step;
        }
        has_last_ = true;
        last_us_ = clock_us;
        received_ = received_ns;
        return at_;
    }

private:
    bool has_last_ = false;
    std::uint32_t last_us_ = 0;
    std::int64_t received_ = 0;
    std::int64_t at_ = 0;
};

// What was sent, and what came back of it at once.
void read_sends(const FlightLog& log, std::vector<LinkHistory>& links) {
    std::vector<std::unordered_map<std::uint64_t, std::size_t>> stamps(links.size());
    std::vector<std::size_t> joining(links.size());  // one more than the index of the registration that is under way
    for (const LoggedPacket& p : log.packets) {
        if (p.link == no_link) continue;
        LinkHistory& link = links[p.link.index()];
        if (!p.is_outbound()) link.heard_ns.push_back(p.at_ns);
        link.is_reported = link.is_reported || p.decision == Decision::report_in;
        if (p.decision == Decision::registration_out) {
            link.keepalives.push_back({p.at_ns, std::nullopt});
            joining[p.link.index()] = link.keepalives.size();
        } else if (std::size_t& asked = joining[p.link.index()];
                   p.decision == Decision::registration_in && asked != 0) {
            link.keepalives[asked - 1].answered_ns = p.at_ns;
            asked = 0;
        } else if (p.decision == Decision::keepalive_out || p.decision == Decision::keepalive_in) {
            const auto stamp = wire::keepalive_timestamp(p.head);
            if (!stamp) continue;
            auto& of_link = stamps[p.link.index()];
            if (p.is_outbound()) {
                of_link[*stamp] = link.keepalives.size();
                link.keepalives.push_back({p.at_ns, std::nullopt});
            } else if (const auto sent = of_link.find(*stamp); sent != of_link.end()) {
                KeepaliveRound& round = link.keepalives[sent->second];
                if (round.answered_ns) continue;
                round.answered_ns = p.at_ns;
                const std::int64_t took = p.at_ns - round.sent_ns;
                link.round_trip_ns = link.round_trip_ns == 0 ? took : std::min(link.round_trip_ns, took);
            }
        } else if (const auto data = p.data(); data && p.is_outbound()) {
            if (p.decision == Decision::send_refused)
                link.sends.take_back(data->sequence().raw());
            else
                link.sends.add(data->sequence().raw(), p.length + static_cast<std::uint32_t>(sim::wire_overhead_bytes),
                               p.at_ns);
        }
    }
    for (LinkHistory& link : links) link.sends.settle();
}

// Whose the report is: the only link that was given all that can be seen of it.
std::optional<std::size_t> owner_of(const CutReport& report, const std::vector<LinkHistory>& links) {
    std::optional<std::size_t> owner;
    for (std::size_t k = 0; k < links.size(); ++k) {
        bool fits = report.seen() > 0;
        for (std::size_t i = 0; i < report.seen() && fits; ++i) fits = links[k].sends.has(report.at(i).sequence.raw());
        if (fits && owner) return std::nullopt;
        if (fits) owner = k;
    }
    return owner;
}

}  // namespace

std::vector<LinkHistory> link_histories(const FlightLog& log) {
    std::vector<LinkHistory> links(log.links.size());
    read_sends(log, links);
    std::unordered_map<std::uint32_t, std::int64_t> last_sent;
    std::vector<LinkAnswers> readers;
    for (LinkHistory& link : links) {
        readers.emplace_back(link);
        for (const SentCopy& copy : link.sends.copies()) {
            std::int64_t& last = last_sent[copy.sequence];
            last = std::max(last, copy.sent_ns);
        }
    }
    ReceiverClock clock;
    for (const LoggedPacket& p : log.packets) {
        if (p.link == no_link || p.is_outbound()) continue;
        if (p.decision == Decision::ack_in) {
            readers[p.link.index()].on_ack(p);
        } else if (const CutReport report(p.head); p.decision == Decision::report_in && report.is_one()) {
            const std::int64_t at = clock.unwrap(report.clock_us(), p.at_ns);
            const auto owner = report.is_by_another() ? owner_of(report, links) : p.link.index();
            if (!owner) continue;
            if (!report.is_by_another()) links[*owner].reports.push_back({p.at_ns, at});
            readers[*owner].on_report(report, p.at_ns, at);
        }
    }
    for (LinkAnswers& reader : readers) reader.finish(log.length_ns(), last_sent);
    return links;
}

}  // namespace hawser::app
