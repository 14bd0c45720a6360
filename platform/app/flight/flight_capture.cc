// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "engine/border/counters.h"
#include "engine/border/selection.h"
#include "engine/wire/srt.h"
#include "engine/wire/srtla.h"
#include "platform/app/flight/flight_copy.h"
#include "platform/control/pcapng.h"
#include "platform/control/udp_packet.h"

namespace hawser::app {

namespace {

constexpr std::size_t piece_bytes = 65'536;  // a write to a disk is worth its call then

// A receiver's, of an address that is no link's.
bool is_of_stranger(const FlightRecord& r, bool is_sender) {
    return !is_sender && row_of(r.decision).is_uplink && r.link == no_link;
}

std::uint32_t way_of(const FlightRecord& r, bool is_sender) {
    const std::uint16_t group = is_sender ? std::uint16_t{0} : r.number;
    if (is_of_stranger(r, is_sender)) return uplink_way(no_group.value, no_link);
    return row_of(r.decision).is_uplink ? uplink_way(group, r.link) : local_way(group);
}

// One of which nothing is known any more, or nothing yet.
FlightWay unknown_way(const FlightRecord& r, bool is_sender) {
    if (!row_of(r.decision).is_uplink) return {fmt::format("group {} srt", r.number), "gone since", {}, {}};
    if (is_sender) return {fmt::format("#{}", r.link.value), "gone since", {}, {}};
    if (is_of_stranger(r, is_sender)) return {"strangers", "addresses that are no sender's", {}, {}};
    return {fmt::format("group {} link {}", r.number, r.link.value), "gone since", {}, {}};
}

// The number that SRT gave a data packet, or what an ACK of SRTLA's names.
std::string what_it_is(const FlightRecord& r) {
    const Bytes head = r.head_kept();
    if (const auto srt = wire::SrtPacket::over(head); srt && srt->is_data())
        return fmt::format(", seq {}{}", srt->sequence().raw(), srt->is_retransmission() ? ", sent again by SRT" : "");
    const auto type = wire::packet_type(head);
    if (!type || *type != static_cast<std::uint16_t>(wire::SrtlaType::ack)) return {};
    const auto ack = wire::SrtlaAck::over(head.first(head.size() / 4 * 4));
    if (!ack) return {};
    std::string out = " of";
    for (std::size_t i = 0; i < ack->count(); ++i) out += fmt::format(" {}", ack->word(i));
    return out;
}

std::string why(const FlightRecord& r) {
    switch (r.decision) {
        case Decision::sent:
        case Decision::repaired:
        case Decision::copied: {
            const auto mode = static_cast<select::Mode>(std::min<std::size_t>(r.mode, select::mode_names.size() - 1));
            std::string out = fmt::format("; {}", select::name_of(mode));
            if (r.detail != 0) out += fmt::format(": there in {:.1f} ms", static_cast<double>(r.detail) / 1e6);
            return out + fmt::format("; {} in flight", r.number);
        }
        case Decision::nak_thinned:
        case Decision::nak_withheld: return fmt::format(": {} sequences taken out", r.number);
        case Decision::send_refused:
        case Decision::local_refused: return fmt::format(": {}", std::strerror(static_cast<int>(r.detail)));
        case Decision::too_late:
        case Decision::too_large:
            return r.number == 0 ? std::string() : fmt::format("; sent {} times before", r.number);
        case Decision::uplink_dropped:
        case Decision::local_dropped: {
            if (r.detail >= counter_count) return {};
            std::string_view help = counter_table[r.detail].help;
            constexpr std::string_view beginning = "dropped: ";
            if (help.substr(0, beginning.size()) == beginning) help.remove_prefix(beginning.size());
            return fmt::format(": {} ({})", help, counter_table[r.detail].name);
        }
        default: break;  // the decision says it all
    }
    return {};
}

std::string left_out(const FlightRecord& r, bool is_sender) {
    const bool is_strangers =
        is_of_stranger(r, is_sender) || (is_sender && r.decision == Decision::local_dropped && r.link == no_link);
    return is_strangers && r.number != 0 ? fmt::format("; {} of strangers left out before it", r.number)
                                         : std::string();
}

}  // namespace

std::string flight_comment(const FlightRecord& r, const std::string& way, bool is_sender) {
    const DecisionRow& row = row_of(r.decision);
    return fmt::format("{}{}; {}{}{}{}", is_sender && row.is_uplink ? "uplink " : "", way, row.text, what_it_is(r),
                       why(r), left_out(r, is_sender));
}

std::uint64_t flight_capture(const FlightCopy& copy, const TakePiece& take) {
    control::PcapngWriter writer(
        "hawser " HAWSER_VERSION,
        fmt::format("What became of the last packets of hawser {}. IP and UDP headers are made up from what is known "
                    "of the ends.",
                    copy.is_sender ? "send" : "recv"));
    std::map<const FlightWay*, std::uint32_t> interfaces;
    for (const auto& [key, way] : copy.ways) interfaces[&way] = writer.add_interface(way.name, way.description);
    std::map<std::uint32_t, FlightWay> unknown;
    const auto way_of_record = [&](const FlightRecord& r) -> const FlightWay& {
        const std::uint32_t key = way_of(r, copy.is_sender);
        if (const FlightWay* const known = way_at(copy.ways, key, r.at)) return *known;
        const auto [found, is_new] = unknown.try_emplace(key, unknown_way(r, copy.is_sender));
        if (is_new) interfaces[&found->second] = writer.add_interface(found->second.name, found->second.description);
        return found->second;
    };
    std::size_t payload_at = 0;
    for (std::size_t i = 0; i < copy.records.size(); ++i) {
        const FlightRecord& r = copy.records[i];
        const DecisionRow& row = row_of(r.decision);
        const FlightWay& way = way_of_record(r);
        const std::size_t rest = copy.payload_bytes.empty() ? 0 : copy.payload_bytes[i];
        const Bytes head = r.head_kept();
        std::vector<std::uint8_t> kept(head.begin(), head.end());
        kept.insert(kept.end(), copy.payload.begin() + static_cast<std::ptrdiff_t>(payload_at),
                    copy.payload.begin() + static_cast<std::ptrdiff_t>(payload_at + rest));
        payload_at += rest;
        const Endpoint& from = row.is_outbound ? way.local : way.remote;
        const Endpoint& to = row.is_outbound ? way.remote : way.local;
        const auto headers = control::udp_headers(from, to, r.length, kept);
        const Bytes view = headers.view();
        kept.insert(kept.begin(), view.begin(), view.end());
        writer.add_packet({.interface = interfaces.at(&way),
                           .utc_ns = copy.utc_ns - (copy.at - r.at).ns,
                           .is_outbound = row.is_outbound,
                           .bytes = kept,
                           .length = static_cast<std::uint32_t>(headers.size + r.length),
                           .comment = flight_comment(r, way.name, copy.is_sender)});
        if (writer.waiting() >= piece_bytes && !take(writer.take())) return writer.packets();
    }
    if (writer.waiting() > 0) static_cast<void>(take(writer.take()));
    return writer.packets();
}

}  // namespace hawser::app
