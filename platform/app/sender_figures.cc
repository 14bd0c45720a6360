// SPDX-License-Identifier: MIT
#include "platform/app/sender_figures.h"

#include <fmt/format.h>

#include "platform/control/json_text.h"
#include "platform/control/quantity.h"
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

std::string_view limit_text(const UplinkSnapshot& u) {
    return u.priority == priority_demoted ? "demoted" : u.priority == priority_reserve ? "stopped" : "";
}

namespace {

struct Traffic {
    std::uint64_t bytes = 0;  // since the snapshot before
    double share = 0;         // of all uplinks', percent
};

std::string safe_rate_text(const SafeRate& rate) {
    if (!rate.is_known) return "safe bitrate: not known yet\n";
    const auto mbps = [](std::uint64_t bits) { return static_cast<double>(bits) / 1e6; };
    return fmt::format("safe bitrate: {:.2f} Mbit/s of media ({}), offered {:.2f}, oldest unacknowledged {}\n",
                       mbps(rate.bits_per_second), name_of(rate.cause), mbps(rate.offered), duration_text(rate.lag));
}

// Behind its state.
std::string marks(const UplinkSnapshot& u) {
    std::string out = u.silent ? ", silent" : u.gated ? ", gated" : "";
    if (u.metered) out += ", metered";
    if (u.priority > priority_last)
        out += fmt::format(", {} by its budget", limit_text(u));
    else if (u.priority != priority_first)
        out += fmt::format(", class {}", u.priority);
    if (u.rate_cap != 0) out += ", cap " + control::rate_text(u.rate_cap);
    return out;
}

std::string plain_header() {
    return fmt::format("{:<24} {:>14} {:>6} {:>9} {:>9} {:>7} {:>7} {}\n", "uplink", "rate", "share", "RTT",
                       "in flight", "window", "NAKs", "state");
}

std::string plain_row(const UplinkSnapshot& u, const std::string& name, const Traffic& t, Duration span) {
    return fmt::format("{:<24} {:>14} {:>5.1f}% {:>9} {:>9} {:>7.1f} {:>7} {}{}\n", name, rate_text(t.bytes, span),
                       t.share, u.rtt.ns == 0 ? "-" : duration_text(u.rtt), u.in_flight,
                       static_cast<double>(u.window) / 1000.0, u.naks, state_text(u.state), marks(u));
}

std::string adaptive_header() {
    return fmt::format("{:<24} {:>14} {:>6} {:>14} {:>9} {:>9} {:>9} {:>9} {:>7} {}\n", "uplink", "rate", "share",
                       "estimate", "base RTT", "queue", "in flight", "window", "lost", "state");
}

std::string adaptive_row(const UplinkSnapshot& u, const std::string& name, const Traffic& t, Duration span) {
    const auto kib = [](std::uint32_t bytes) { return fmt::format("{:.1f}K", static_cast<double>(bytes) / 1024); };
    return fmt::format("{:<24} {:>14} {:>5.1f}% {:>14} {:>9} {:>9} {:>9} {:>9} {:>7} {}{}\n", name,
                       rate_text(t.bytes, span), t.share, rate_text(u.path_rate, Duration{1'000'000'000}),
                       duration_text(u.base_rtt), duration_text(u.queue_delay), kib(u.in_flight_bytes),
                       kib(u.window_bytes), u.lost, state_text(u.state), marks(u));
}

}  // namespace

std::string figures_table(const SenderSnapshot& now, const SenderSnapshot& before,
                          std::span<const std::string, links_max> names, std::span<const WaitingUplink> waiting) {
    const Duration span = now.at - before.at;
    const bool is_adaptive = now.selection.mode == select::Mode::adaptive;
    std::array<std::uint64_t, links_max> bytes{};
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < links_max; ++i) {
        // A slot that was given to another uplink counts from zero again.
        const bool same = now.uplinks[i].bytes_out >= before.uplinks[i].bytes_out;
        bytes[i] = now.uplinks[i].bytes_out - (same ? before.uplinks[i].bytes_out : 0);
        total += bytes[i];
    }
    std::string out = is_adaptive ? adaptive_header() : plain_header();
    for (std::size_t i = 0; i < links_max; ++i) {
        if (now.uplinks[i].state == UplinkState::absent) continue;
        const Traffic t{bytes[i],
                        total == 0 ? 0.0 : 100.0 * static_cast<double>(bytes[i]) / static_cast<double>(total)};
        out += (is_adaptive ? adaptive_row : plain_row)(now.uplinks[i], names[i], t, span);
    }
    for (const WaitingUplink& w : waiting) out += fmt::format("{:<24} waiting: {}\n", w.name, w.why);
    const auto since = [&](Counter c) { return now.counters[c] - before.counters[c]; };
    out += fmt::format("SRT: {} data packets ({} sent again), {} ACKs, {} NAKs, {} dropped for want of an uplink\n",
                       since(Counter::srt_data), since(Counter::srt_retransmissions), since(Counter::srt_acks),
                       since(Counter::srt_naks), since(Counter::drop_no_uplink));
    if (is_adaptive) {
        out += fmt::format(
            "bond: {} lost, {} repaired, {} doubled, {} sent ahead, {} given up, {} waiting; "
            "latency {} ms, {}\n",
            since(Counter::losses_seen), since(Counter::repairs_sent), since(Counter::hedges_sent),
            since(Counter::sent_ahead), since(Counter::packets_given_up), now.waiting, now.latency.ms(),
            now.reports ? fmt::format("{} reports", since(Counter::reports_in)) : "no reports");
        out += fmt::format("held back: {} of SRT's retransmissions, {} sequences of its NAKs\n",
                           since(Counter::retransmissions_absorbed), since(Counter::nak_sequences_held));
    }
    out += safe_rate_text(now.safe_rate);
    out += pump_line(now.pump, before.pump) + "\n\n";
    return out;
}

Json safe_rate_json(const SafeRate& rate) {
    return Json{{"bits_per_second", rate.is_known ? Json(rate.bits_per_second) : Json(nullptr)},
                {"cause", name_of(rate.cause)},
                {"offered_bits_per_second", rate.offered},
                {"lag_us", rate.lag.us()},
                {"excess_us", rate.excess.us()}};
}

Json uplink_json(const UplinkSnapshot& u, const std::string& name) {
    return Json{{"name", name},
                {"state", state_text(u.state)},
                {"gated", u.gated},
                {"metered", u.metered},
                {"priority", u.priority},
                {"limit", limit_text(u)},
                {"rate_cap_bits_per_second", u.rate_cap},
                {"wire_bytes_out", u.wire_bytes_out},
                {"wire_bytes_in", u.wire_bytes_in},
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
                {"window_bytes", u.window_bytes},
                {"in_flight_bytes", u.in_flight_bytes},
                {"silent", u.silent},
                {"lost", u.lost},
                {"copies_out", u.copies}};
}

Json figures_of(const SenderSnapshot& s, std::span<const std::string, links_max> names,
                std::span<const WaitingUplink> waiting) {
    Json waits = Json::array();
    for (const WaitingUplink& w : waiting) waits.push_back(Json{{"name", w.name}, {"why", w.why}});
    Json links = Json::array();
    for (std::size_t i = 0; i < links_max; ++i)
        if (s.uplinks[i].state != UplinkState::absent) links.push_back(uplink_json(s.uplinks[i], names[i]));
    return Json{{"role", "sender"},
                {"monotonic_ms", s.at.ms()},
                {"mode", select::name_of(s.selection.mode)},
                {"group_joined", s.group_joined},
                {"delivery_reports", s.reports},
                {"waiting_packets", s.waiting},
                {"latency_ms", s.latency.ms()},
                {"safe_bitrate", safe_rate_json(s.safe_rate)},
                {"receiver", os::endpoint_text(s.receiver)},
                {"caller", s.has_caller ? Json(os::endpoint_text(s.caller)) : Json(nullptr)},
                {"links", links},
                {"waiting_links", waits},
                {"counters", counters_json(s.counters)},
                {"pump", pump_json(s.pump)}};
}

Json sample_of(const SenderSnapshot& s, std::span<const std::string, links_max> names) {
    Json uplinks = Json::array();
    for (std::size_t i = 0; i < links_max; ++i) {
        const UplinkSnapshot& u = s.uplinks[i];
        if (u.state == UplinkState::absent) continue;
        uplinks.push_back(Json{{"name", names[i]},
                               {"state", state_text(u.state)},
                               {"bytes_per_second", u.bytes_per_second},
                               {"rtt_us", u.rtt.us()},
                               {"in_flight_packets", u.in_flight},
                               {"window_packets", static_cast<double>(u.window) / 1000.0},
                               {"queue_delay_us", u.queue_delay.us()},
                               {"packets_out", u.packets_out},
                               {"lost", u.lost},
                               {"naks", u.naks}});
    }
    return Json{{"monotonic_ms", s.at.ms()},
                {"waiting_packets", s.waiting},
                {"safe_bits_per_second", s.safe_rate.is_known ? Json(s.safe_rate.bits_per_second) : Json(nullptr)},
                {"uplinks", std::move(uplinks)}};
}

std::string figures_json(const SenderSnapshot& s, std::span<const std::string, links_max> names,
                         std::span<const WaitingUplink> waiting) {
    return control::text_of(figures_of(s, names, waiting));
}

}  // namespace hawser::app
