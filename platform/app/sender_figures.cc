// SPDX-License-Identifier: MIT
#include "platform/app/sender_figures.h"

#include <fmt/format.h>

#include "platform/linux/sockaddr.h"

namespace hawser::app {

std::string_view state_text(UplinkState state) {
    switch (state) {
        case UplinkState::absent: return "absent";
        case UplinkState::closed: return "no socket";
        case UplinkState::joining: return "joining";
        case UplinkState::connected: return "connected";
        case UplinkState::silent: return "silent";
    }
    return "?";
}

std::string figures_table(const SenderSnapshot& now, const SenderSnapshot& before,
                          std::span<const std::string, links_max> names) {
    const Duration span = now.at - before.at;
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < links_max; ++i) total += now.uplinks[i].bytes_out - before.uplinks[i].bytes_out;
    std::string out = fmt::format("{:<24} {:>14} {:>6} {:>9} {:>9} {:>7} {:>7} {}\n", "uplink", "rate", "share", "RTT",
                                  "in flight", "window", "NAKs", "state");
    for (std::size_t i = 0; i < links_max; ++i) {
        const UplinkSnapshot& u = now.uplinks[i];
        if (u.state == UplinkState::absent) continue;
        // A slot that was given to another uplink counts from zero again.
        const bool same = u.bytes_out >= before.uplinks[i].bytes_out;
        const std::uint64_t bytes = u.bytes_out - (same ? before.uplinks[i].bytes_out : 0);
        out +=
            fmt::format("{:<24} {:>14} {:>5.1f}% {:>9} {:>9} {:>7.1f} {:>7} {}{}\n", names[i], rate_text(bytes, span),
                        total == 0 ? 0.0 : 100.0 * static_cast<double>(bytes) / static_cast<double>(total),
                        u.rtt.ns == 0 ? "-" : duration_text(u.rtt), u.in_flight, static_cast<double>(u.window) / 1000.0,
                        u.naks, state_text(u.state), u.gated ? ", gated" : "");
    }
    const auto since = [&](Counter c) { return now.counters[c] - before.counters[c]; };
    out += fmt::format("SRT: {} data packets ({} sent again), {} ACKs, {} NAKs, {} dropped for want of an uplink\n",
                       since(Counter::srt_data), since(Counter::srt_retransmissions), since(Counter::srt_acks),
                       since(Counter::srt_naks), since(Counter::drop_no_uplink));
    out += pump_line(now.pump, before.pump) + "\n\n";
    return out;
}

Json uplink_json(const UplinkSnapshot& u, const std::string& name) {
    return Json{{"name", name},
                {"state", state_text(u.state)},
                {"gated", u.gated},
                {"local", os::endpoint_text(u.local)},
                {"rtt_us", u.rtt.us()},
                {"rtt_min_us", u.rtt_min.us()},
                {"window_packets", static_cast<double>(u.window) / 1000.0},
                {"in_flight_packets", u.in_flight},
                {"quality", u.quality},
                {"packets_out", u.packets_out},
                {"bytes_out", u.bytes_out},
                {"packets_in", u.packets_in},
                {"bytes_in", u.bytes_in},
                {"naks", u.naks},
                {"sends_deferred", u.deferred},
                {"sends_too_large", u.too_large},
                {"failures", u.failures},
                {"path_bytes_per_second", u.path_rate},
                {"queue_delay_us", u.queue_delay.us()},
                {"base_rtt_us", u.base_rtt.us()},
                {"lost", u.lost}};
}

std::string figures_json(const SenderSnapshot& s, std::span<const std::string, links_max> names) {
    Json links = Json::array();
    for (std::size_t i = 0; i < links_max; ++i)
        if (s.uplinks[i].state != UplinkState::absent) links.push_back(uplink_json(s.uplinks[i], names[i]));
    const Json out{{"role", "sender"},
                   {"monotonic_ms", s.at.ms()},
                   {"mode", select::name_of(s.selection.mode)},
                   {"group_joined", s.group_joined},
                   {"delivery_reports", s.reports},
                   {"waiting_packets", s.waiting},
                   {"latency_ms", s.latency.ms()},
                   {"receiver", os::endpoint_text(s.receiver)},
                   {"caller", s.has_caller ? Json(os::endpoint_text(s.caller)) : Json(nullptr)},
                   {"links", links},
                   {"counters", counters_json(s.counters)},
                   {"pump", pump_json(s.pump)}};
    return out.dump();
}

}  // namespace hawser::app
