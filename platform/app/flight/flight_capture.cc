// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <map>

#include "platform/app/flight/capture_words.h"
#include "platform/app/flight/flight_copy.h"
#include "platform/control/pcapng.h"
#include "platform/control/udp_packet.h"

namespace hawser::app {

namespace {

constexpr std::size_t piece_bytes = 65'536;  // a write to a disk is worth its call then

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

}  // namespace

std::uint64_t flight_capture(const FlightCopy& copy, const TakePiece& take) {
    control::PcapngWriter writer(capture_application(), capture_comment(copy.is_sender));
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
