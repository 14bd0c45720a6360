// SPDX-License-Identifier: MIT
#include "platform/app/receiver_figures.h"

#include <fmt/format.h>

#include "platform/linux/sockaddr.h"

namespace hawser::app {

std::string_view state_text(ReceiverGroupState state) {
    switch (state) {
        case ReceiverGroupState::registered: return "registered";
        case ReceiverGroupState::session: return "session";
        case ReceiverGroupState::refused: return "refused";
    }
    return "?";
}

namespace {

std::string hold_text(const ReceiverGroupSnapshot& g) {
    if (!g.wants_hold) return "";
    return fmt::format(
        "  hold: {} packets now, {} at most, longest {}; {} waited, {} given up ({} came late), {} dropped "
        "as duplicates\n",
        g.hold.depth, g.hold.depth_max, duration_text(g.hold.wait_max), g.hold.held, g.hold.given_up, g.hold.late,
        g.hold.duplicates);
}

Json hold_json(const HoldFigures& h) {
    return Json{
        {"depth", h.depth},       {"depth_max", h.depth_max}, {"wait_ms_max", h.wait_max.ms()}, {"held", h.held},
        {"given_up", h.given_up}, {"late", h.late},           {"duplicates", h.duplicates},     {"bounded", h.bounded}};
}

}  // namespace

std::string figures_table(const ReceiverSnapshot& now, const ReceiverFiguresBefore& before) {
    const Duration span = now.at - before.at;
    const auto since = [&](Counter c) { return now.counters[c] - before.counters[c]; };
    std::string out = fmt::format(
        "{} of {} groups, {} links; in {} ({} packets), to SRT {} packets, {} retransmitted\n", now.groups().size(),
        now.groups_max, now.links().size(), rate_text(since(Counter::uplink_bytes_in), span),
        since(Counter::uplink_packets_in), since(Counter::local_packets_out), since(Counter::srt_retransmissions));
    for (const ReceiverGroupSnapshot& g : now.groups()) {
        out += fmt::format("group {:<4} {:<10} {:>10} packets to SRT from port {}\n", g.group.value,
                           state_text(g.state), g.packets_out, g.server_port);
        out += hold_text(g);
        for (const ReceiverLinkSnapshot& l : now.links_of(g))
            out += fmt::format("  link {:<3} {:<40} {:>10} packets, silent {:>9}{}{}\n", l.link.value,
                               os::endpoint_text(l.sender), l.packets_in, duration_text(l.silence),
                               g.wants_reports ? fmt::format(", {} reports", l.reports_out) : std::string(),
                               l.has_telemetry ? fmt::format(", sender says RTT {} ms, window {:.1f}", l.rtt_ms,
                                                             static_cast<double>(l.window) / 1000.0)
                                               : std::string());
    }
    return out + pump_line(now.pump, before.pump) + "\n\n";
}

Json figures_of(const ReceiverSnapshot& s) {
    Json groups = Json::array();
    for (const ReceiverGroupSnapshot& g : s.groups()) {
        Json links = Json::array();
        for (const ReceiverLinkSnapshot& l : s.links_of(g)) {
            Json link{{"link", l.link.value},   {"sender", os::endpoint_text(l.sender)}, {"live", l.live},
                      {"age_ms", l.age.ms()},   {"silence_ms", l.silence.ms()},          {"packets_in", l.packets_in},
                      {"bytes_in", l.bytes_in}, {"retransmissions", l.retransmissions},  {"dropped", l.dropped}};
            if (l.has_telemetry)
                link["telemetry"] = Json{{"rtt_ms", l.rtt_ms},
                                         {"window_packets", static_cast<double>(l.window) / 1000.0},
                                         {"in_flight_packets", l.in_flight},
                                         {"naks", l.naks},
                                         {"bytes_per_second", l.bytes_per_second}};
            if (g.wants_reports) link["reports_out"] = l.reports_out;
            links.push_back(std::move(link));
        }
        Json group{
            {"group", g.group.value},       {"state", state_text(g.state)}, {"server", os::endpoint_text(g.server)},
            {"server_port", g.server_port}, {"age_ms", g.age.ms()},         {"silence_ms", g.silence.ms()},
            {"sessions", g.sessions},       {"packets_out", g.packets_out}, {"packets_back", g.packets_back},
            {"links", std::move(links)}};
        if (g.wants_hold) group["hold"] = hold_json(g.hold);
        groups.push_back(std::move(group));
    }
    return Json{{"role", "receiver"},
                {"monotonic_ms", s.at.ms()},
                {"groups_max", s.groups_max},
                {"groups", std::move(groups)},
                {"counters", counters_json(s.counters)},
                {"pump", pump_json(s.pump)}};
}

std::string figures_json(const ReceiverSnapshot& s) { return figures_of(s).dump(); }

Json sample_of(const ReceiverSnapshot& s) {
    Json groups = Json::array();
    for (const ReceiverGroupSnapshot& g : s.groups())
        groups.push_back(Json{{"group", g.group.value},
                              {"state", state_text(g.state)},
                              {"links", g.link_count},
                              {"packets_to_srt", g.packets_out},
                              {"packets_from_srt", g.packets_back},
                              {"held", g.hold.depth},
                              {"silence_ms", g.silence.ms()}});
    return Json{{"monotonic_ms", s.at.ms()},
                {"packets_in", s.counters[Counter::uplink_packets_in]},
                {"bytes_in", s.counters[Counter::uplink_bytes_in]},
                {"groups", std::move(groups)}};
}

}  // namespace hawser::app
