// SPDX-License-Identifier: MIT
#include "platform/app/metrics/sender_metrics.h"

#include <algorithm>

#include "platform/app/metrics/common_metrics.h"
#include "platform/app/plain_text.h"
#include "platform/app/sender_figures.h"
#include "platform/linux/sockaddr.h"

namespace hawser::app {

namespace {

using Type = Exposition::Type;
using Uplink = UplinkSnapshot;

bool is_up(const Uplink& u) { return u.state == UplinkState::connected; }
bool is_there(const Uplink& u) { return u.state != UplinkState::absent; }

struct Row {
    std::string_view name;
    Type type;
    std::string_view help;
    double (*value)(const Uplink&);
};

constexpr std::array rows{
    Row{"hawser_uplink_up", Type::gauge, "1 while the uplink is registered and heard.",
        [](const Uplink& u) { return is_up(u) ? 1.0 : 0.0; }},
    Row{"hawser_uplink_avoided", Type::gauge, "1 while the selector keeps media off the uplink.",
        [](const Uplink& u) { return u.gated ? 1.0 : 0.0; }},
    Row{"hawser_uplink_metered", Type::gauge, "1 where the uplink costs by the byte.",
        [](const Uplink& u) { return u.metered ? 1.0 : 0.0; }},
    Row{"hawser_uplink_priority", Type::gauge, "Its class, 1 before all others; 5 after its budget, 6 stopped by it.",
        [](const Uplink& u) { return static_cast<double>(u.priority); }},
    Row{"hawser_uplink_rate_cap_bytes_per_second", Type::gauge, "The most that may leave by it, on the wire; 0: none.",
        [](const Uplink& u) { return static_cast<double>(u.rate_cap) / 8; }},
    Row{"hawser_uplink_smoothed_rtt_seconds", Type::gauge, "Smoothed round trip; 0 before the first.",
        [](const Uplink& u) { return in_seconds(u.rtt); }},
    Row{"hawser_uplink_least_rtt_seconds", Type::gauge, "Least round trip of the last minute; 0 before the first.",
        [](const Uplink& u) { return in_seconds(u.rtt_min); }},
    Row{"hawser_uplink_window_packets", Type::gauge, "Packets that the uplink may carry at once.",
        [](const Uplink& u) { return u.window / 1000.0; }},
    Row{"hawser_uplink_in_flight_packets", Type::gauge, "Packets on their way, as far as is known.",
        [](const Uplink& u) { return static_cast<double>(u.in_flight); }},
    Row{"hawser_uplink_quality_ratio", Type::gauge, "The enhanced selector's factor.",
        [](const Uplink& u) { return static_cast<double>(u.quality); }},
    Row{"hawser_uplink_sent_packets_total", Type::counter, "SRT packets routed to the uplink.",
        [](const Uplink& u) { return static_cast<double>(u.packets_out); }},
    Row{"hawser_uplink_sent_bytes_total", Type::counter, "Their UDP payload.",
        [](const Uplink& u) { return static_cast<double>(u.bytes_out); }},
    Row{"hawser_uplink_received_packets_total", Type::counter, "Packets that came by the uplink.",
        [](const Uplink& u) { return static_cast<double>(u.packets_in); }},
    Row{"hawser_uplink_received_bytes_total", Type::counter, "Their UDP payload.",
        [](const Uplink& u) { return static_cast<double>(u.bytes_in); }},
    Row{"hawser_uplink_nak_packets_total", Type::counter, "Packets lost on the uplink as far as NAKs told.",
        [](const Uplink& u) { return static_cast<double>(u.naks); }},
    Row{"hawser_uplink_lost_packets_total", Type::counter, "adaptive: packets that later ones overtook for good.",
        [](const Uplink& u) { return static_cast<double>(u.lost); }},
    Row{"hawser_uplink_copied_packets_total", Type::counter, "adaptive: packets sent beside copies not known as lost.",
        [](const Uplink& u) { return static_cast<double>(u.copies); }},
    Row{"hawser_uplink_deferred_sends_total", Type::counter, "Sends that a full socket buffer refused.",
        [](const Uplink& u) { return static_cast<double>(u.deferred); }},
    Row{"hawser_uplink_oversize_sends_total", Type::counter, "Sends refused as too large.",
        [](const Uplink& u) { return static_cast<double>(u.too_large); }},
    Row{"hawser_uplink_failures_total", Type::counter, "Times that the uplink fell silent or lost its socket.",
        [](const Uplink& u) { return static_cast<double>(u.failures); }},
    Row{"hawser_uplink_capacity_bytes_per_second", Type::gauge, "adaptive: estimated delivery rate on the wire.",
        [](const Uplink& u) { return static_cast<double>(u.path_rate); }},
    Row{"hawser_uplink_queue_seconds", Type::gauge, "adaptive: delay of the last answer above the least.",
        [](const Uplink& u) { return in_seconds(u.queue_delay); }},
    Row{"hawser_uplink_base_rtt_seconds", Type::gauge, "adaptive: round trip of the empty path.",
        [](const Uplink& u) { return in_seconds(u.base_rtt); }},
    Row{"hawser_uplink_in_flight_bytes", Type::gauge, "adaptive: bytes on their way.",
        [](const Uplink& u) { return static_cast<double>(u.in_flight_bytes); }},
    Row{"hawser_uplink_window_bytes", Type::gauge, "adaptive: bytes that the uplink may carry at once.",
        [](const Uplink& u) { return static_cast<double>(u.window_bytes); }},
};

constexpr std::array peer_rows{
    Row{"srtla_send_link_up", Type::gauge, "1 while the link is registered and heard", rows[0].value},
    Row{"srtla_send_link_rtt_ms", Type::gauge, "smoothed round trip in milliseconds",
        [](const Uplink& u) { return static_cast<double>(u.rtt.us()) / 1e3; }},
    Row{"srtla_send_link_rtt_min_ms", Type::gauge, "least round trip of late in milliseconds",
        [](const Uplink& u) { return static_cast<double>(u.rtt_min.us()) / 1e3; }},
    // Thousandths of a packet there as in the protocol's reference.
    Row{"srtla_send_link_window", Type::gauge, "window, 1000 for each packet",
        [](const Uplink& u) { return static_cast<double>(u.window); }},
    Row{"srtla_send_link_in_flight", Type::gauge, "packets on their way",
        [](const Uplink& u) { return static_cast<double>(u.in_flight); }},
    Row{"srtla_send_link_nak_total", Type::counter, "packets that NAKs told as lost",
        [](const Uplink& u) { return static_cast<double>(u.naks); }},
    Row{"srtla_send_link_bitrate_bytes_per_second", Type::gauge, "bytes sent in the last second",
        [](const Uplink& u) { return static_cast<double>(u.bytes_per_second); }},
    Row{"srtla_send_link_quality_multiplier", Type::gauge, "factor of the enhanced selector",
        [](const Uplink& u) { return static_cast<double>(u.quality); }},
    Row{"srtla_send_link_stall_gated", Type::gauge, "1 while the selector keeps media off the link",
        [](const Uplink& u) { return u.gated ? 1.0 : 0.0; }},
};

void put(Exposition& out, std::string_view name, std::string_view help, double value) {
    out.family(name, Type::gauge, help);
    out.sample({}, value);
}

void put_bond(Exposition& out, const SenderSnapshot& s) {
    put(out, "hawser_sender_group_joined", "1 while a receiver has taken us in.", s.group_joined ? 1 : 0);
    put(out, "hawser_sender_delivery_reports", "1 while the receiver reports each delivery.", s.reports ? 1 : 0);
    put(out, "hawser_sender_caller_connected", "1 while an SRT caller is there.", s.has_caller ? 1 : 0);
    put(out, "hawser_sender_queue_packets", "adaptive: packets that wait for room on an uplink.", s.waiting);
    put(out, "hawser_sender_latency_seconds", "The time in which a packet is worth sending; 0: unknown.",
        in_seconds(s.latency));
    if (s.safe_rate.is_known)
        put(out, "hawser_sender_safe_media_bytes_per_second", "What an encoder may send now and shortly.",
            static_cast<double>(s.safe_rate.bits_per_second) / 8);
    put(out, "hawser_sender_offered_media_bytes_per_second", "Media that the caller sent in the last second.",
        static_cast<double>(s.safe_rate.offered) / 8);
    out.family("hawser_sender_mode", Type::gauge, "1 for the selector in use.");
    for (const std::string_view mode : select::mode_names)
        out.sample({{"mode", mode}}, mode == select::name_of(s.selection.mode));
}

}  // namespace

std::string sender_metrics(const SenderSnapshot& s, const UplinkNames& names) {
    Exposition out;
    put_common_metrics(out, "sender", s.counters, s.pump);
    put_bond(out, s);
    const auto each = [&](auto put_one) {
        for (std::size_t i = 0; i < links_max; ++i)
            if (is_there(s.uplinks[i])) put_one(s.uplinks[i], printable(names[i]));
    };
    for (const Row& row : rows) {
        out.family(row.name, row.type, row.help);
        each([&](const Uplink& u, const std::string& name) { out.sample({{"uplink", name}}, row.value(u)); });
    }
    out.family("hawser_uplink_state", Type::gauge, "1 for the state that the uplink is in.");
    each([&](const Uplink& u, const std::string& name) {
        for (const auto state :
             {UplinkState::closed, UplinkState::joining, UplinkState::connected, UplinkState::silent})
            out.sample({{"uplink", name}, {"state", state_text(state)}}, u.state == state);
    });
    out.family("hawser_uplink_rtt_seconds", Type::histogram, "Round trips that keepalives measured.");
    each([&](const Uplink& u, const std::string& name) { out.histogram({{"uplink", name}}, u.round_trips); });
    return out.take();
}

std::string srtla_send_metrics(const SenderSnapshot& s, const UplinkNames& names, std::size_t waiting) {
    Exposition out;
    // By its address, as there, where that is one uplink's alone: with two of a label Prometheus refuses the page.
    const auto label_of = [&](std::size_t i) {
        const std::string address = os::address_text(s.uplinks[i].local);
        bool is_alone = !s.uplinks[i].local.is_any();
        for (std::size_t k = 0; k < links_max; ++k)
            if (k != i && is_there(s.uplinks[k]))
                is_alone =
                    is_alone && names[k] != address && !(s.uplinks[k].local.address == s.uplinks[i].local.address);
        return is_alone ? address : printable(names[i]);
    };
    for (const Row& row : peer_rows) {
        out.family(row.name, row.type, row.help);
        for (std::size_t i = 0; i < links_max; ++i)
            if (is_there(s.uplinks[i])) out.sample({{"ip", label_of(i)}}, row.value(s.uplinks[i]));
    }
    double active = 0;
    double window = 0;
    double in_flight = 0;
    for (const Uplink& u : s.uplinks) {
        if (!is_up(u)) continue;
        ++active;
        window += u.window;
        in_flight += u.in_flight;
    }
    put(out, "srtla_send_active_links", "links that are registered and heard", active);
    put(out, "srtla_send_total_links", "links that are configured",
        static_cast<double>(std::count_if(s.uplinks.begin(), s.uplinks.end(), is_there)) +
            static_cast<double>(waiting));
    put(out, "srtla_send_total_window", "sum over the active links", window);
    put(out, "srtla_send_total_in_flight", "sum over the active links", in_flight);
    put(out, "srtla_send_mode", "0 classic, 1 enhanced, 2 adaptive", static_cast<double>(s.selection.mode));
    return out.take();
}

}  // namespace hawser::app
