// SPDX-License-Identifier: MIT
#include "platform/app/metrics/receiver_metrics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "platform/app/metrics/common_metrics.h"
#include "platform/app/receiver_figures.h"
#include "platform/linux/sockaddr.h"

namespace hawser::app {

namespace {

using Type = Exposition::Type;
using Group = ReceiverGroupSnapshot;
using Link = ReceiverLinkSnapshot;

template <class Member>
std::uint64_t sum_of(const ReceiverSnapshot& s, const Group& g, Member member) {
    const auto links = s.links_of(g);
    return std::accumulate(links.begin(), links.end(), std::uint64_t{0},
                           [&](std::uint64_t sum, const Link& l) { return sum + l.*member; });
}

template <class Row>
struct MetricRow {
    std::string_view name;
    Type type;
    std::string_view help;
    double (*value)(const Row&);
};

constexpr std::uint64_t pkts_max = 0x7FFF'FFFF;  // NOALBS reads it as 32 bits with a sign

constexpr std::array group_rows{
    MetricRow<Group>{"hawser_group_session_up", Type::gauge, "1 while an SRT session is up.",
                     [](const Group& g) { return g.state == ReceiverGroupState::session ? 1.0 : 0.0; }},
    MetricRow<Group>{"hawser_group_server_refused", Type::gauge, "1 while the SRT server's host refuses.",
                     [](const Group& g) { return g.state == ReceiverGroupState::refused ? 1.0 : 0.0; }},
    MetricRow<Group>{"hawser_group_age_seconds", Type::gauge, "Time since the group registered.",
                     [](const Group& g) { return in_seconds(g.age); }},
    MetricRow<Group>{"hawser_group_silence_seconds", Type::gauge, "Time since anything came of it.",
                     [](const Group& g) { return in_seconds(g.silence); }},
    MetricRow<Group>{"hawser_group_links", Type::gauge, "Links of the group.",
                     [](const Group& g) { return static_cast<double>(g.link_count); }},
    MetricRow<Group>{"hawser_group_srt_rtt_seconds", Type::gauge, "Round trip that the SRT server tells; 0: none yet.",
                     [](const Group& g) { return in_seconds(g.srt_rtt); }},
    MetricRow<Group>{"hawser_group_sessions_total", Type::counter, "SRT sessions since the group registered.",
                     [](const Group& g) { return static_cast<double>(g.sessions); }},
    MetricRow<Group>{"hawser_group_relayed_packets_total", Type::counter, "Packets to the SRT server.",
                     [](const Group& g) { return static_cast<double>(g.packets_out); }},
    MetricRow<Group>{"hawser_group_returned_packets_total", Type::counter, "Packets from the SRT server.",
                     [](const Group& g) { return static_cast<double>(g.packets_back); }},
    MetricRow<Group>{"hawser_group_held_packets", Type::gauge, "Packets that wait for earlier ones now.",
                     [](const Group& g) { return static_cast<double>(g.hold.depth); }},
    MetricRow<Group>{"hawser_group_hold_longest_seconds", Type::gauge, "The longest that a packet was held.",
                     [](const Group& g) { return in_seconds(g.hold.wait_max); }},
    MetricRow<Group>{"hawser_group_hold_given_up_packets_total", Type::counter, "Sequences no longer waited for.",
                     [](const Group& g) { return static_cast<double>(g.hold.given_up); }},
};

constexpr std::array link_rows{
    MetricRow<Link>{"hawser_link_up", Type::gauge, "1 while the link was heard in the last seconds.",
                    [](const Link& l) { return l.live ? 1.0 : 0.0; }},
    MetricRow<Link>{"hawser_link_silence_seconds", Type::gauge, "Time since anything came by it.",
                    [](const Link& l) { return in_seconds(l.silence); }},
    MetricRow<Link>{"hawser_link_received_packets_total", Type::counter, "SRT data packets that came by it.",
                    [](const Link& l) { return static_cast<double>(l.packets_in); }},
    MetricRow<Link>{"hawser_link_received_bytes_total", Type::counter, "Their UDP payload.",
                    [](const Link& l) { return static_cast<double>(l.bytes_in); }},
    MetricRow<Link>{"hawser_link_retransmitted_packets_total", Type::counter, "Of them, marked as sent again.",
                    [](const Link& l) { return static_cast<double>(l.retransmissions); }},
    MetricRow<Link>{"hawser_link_dropped_packets_total", Type::counter, "Datagrams that were not passed on.",
                    [](const Link& l) { return static_cast<double>(l.dropped); }},
};

// Only where the sender tells them.
constexpr std::array told_rows{
    MetricRow<Link>{"hawser_link_told_rtt_seconds", Type::gauge, "Round trip that the sender tells.",
                    [](const Link& l) { return l.rtt_ms / 1e3; }},
    MetricRow<Link>{"hawser_link_told_window_packets", Type::gauge, "Window that the sender tells.",
                    [](const Link& l) { return l.window / 1e3; }},
    MetricRow<Link>{"hawser_link_told_in_flight_packets", Type::gauge, "Packets on their way, as the sender tells.",
                    [](const Link& l) { return static_cast<double>(l.in_flight); }},
    MetricRow<Link>{"hawser_link_told_sent_bytes_per_second", Type::gauge, "Rate that the sender tells.",
                    [](const Link& l) { return static_cast<double>(l.bytes_per_second); }},
};

}  // namespace

void GroupRates::look(const ReceiverSnapshot& now) {
    const double span = in_seconds(now.at - looked_at_);
    std::map<std::uint32_t, Seen> seen;
    for (const Group& g : now.groups()) {
        Seen& s = seen[g.group.value];
        s.age = g.age;
        for (const Link& l : now.links_of(g)) s.bytes[l.link.value] = l.bytes_in;
        const auto before = seen_.find(g.group.value);
        if (before == seen_.end() || before->second.age > g.age || span <= 0) continue;
        std::uint64_t bytes = 0;
        for (const auto& [link, sum] : s.bytes) {
            const auto had = before->second.bytes.find(link);
            // Less than before: another link has its number, and all of it is new.
            bytes += had != before->second.bytes.end() && had->second <= sum ? sum - had->second : sum;
        }
        s.bits_per_second = static_cast<double>(bytes) * 8 / span;
    }
    seen_ = std::move(seen);
    looked_at_ = now.at;
}

double GroupRates::of(GroupId group) const {
    const auto found = seen_.find(group.value);
    return found == seen_.end() ? 0 : found->second.bits_per_second;
}

std::string receiver_metrics(const ReceiverSnapshot& s, const GroupRates& rates) {
    Exposition out;
    put_common_metrics(out, "receiver", s.counters, s.pump);
    out.family("hawser_receiver_groups", Type::gauge, "Senders that are registered.");
    out.sample({}, std::uint64_t{s.groups().size()});
    out.family("hawser_receiver_groups_limit", Type::gauge, "Senders that can be.");
    out.sample({}, std::uint64_t{s.groups_max});
    for (const auto& row : group_rows) {
        out.family(row.name, row.type, row.help);
        for (const Group& g : s.groups()) out.sample({{"group", std::to_string(g.group.value)}}, row.value(g));
    }
    out.family("hawser_group_received_media_bytes_per_second", Type::gauge, "SRT data that came in the last second.");
    for (const Group& g : s.groups()) out.sample({{"group", std::to_string(g.group.value)}}, rates.of(g.group) / 8);
    const auto put_links = [&](const auto& table, bool only_told) {
        for (const auto& row : table) {
            out.family(row.name, row.type, row.help);
            for (const Group& g : s.groups())
                for (const Link& l : s.links_of(g))
                    if (l.has_telemetry || !only_told)
                        out.sample({{"group", std::to_string(g.group.value)},
                                    {"link", std::to_string(l.link.value)},
                                    {"sender", os::endpoint_text(l.sender)}},
                                   row.value(l));
        }
    };
    put_links(link_rows, false);
    put_links(told_rows, true);
    return out.take();
}

Json stream_stats(const ReceiverSnapshot& s, const GroupRates& rates) {
    Json publishers = Json::object();
    const Group* live = nullptr;
    const auto stream = [&](const Group& g) {
        const double bits = rates.of(g.group);
        return Json{{"bitrate", std::llround(bits / 1e3)},
                    {"rtt", static_cast<double>(g.srt_rtt.us()) / 1e3},
                    {"dropped_pkts", std::min(sum_of(s, g, &Link::dropped), pkts_max)},
                    {"mbpsRecvRate", bits / 1e6},
                    {"uptime", g.age.ms() / 1000}};
    };
    for (const Group& g : s.groups()) {
        if (g.state != ReceiverGroupState::session) continue;
        publishers[std::to_string(g.group.value)] = stream(g);
        if (live == nullptr || rates.of(g.group) > rates.of(live->group)) live = &g;
    }
    if (live != nullptr) publishers["live"] = stream(*live);
    return Json{{"publishers", std::move(publishers)}, {"status", "ok"}};
}

}  // namespace hawser::app
