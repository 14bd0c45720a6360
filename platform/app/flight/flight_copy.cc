// SPDX-License-Identifier: MIT
#include "platform/app/flight/flight_copy.h"

#include <fmt/format.h>

namespace hawser::app {

FlightCopy copy_flight(const FlightRecorder& recorder, bool is_sender) {
    FlightCopy copy;
    copy.is_sender = is_sender;
    copy.records.reserve(recorder.capacity());
    const bool has_payload = recorder.payload_bytes() != 0;
    recorder.each([&](const FlightRecord& record, Bytes payload) {
        copy.records.push_back(record);
        if (!has_payload) return;
        copy.payload.insert(copy.payload.end(), payload.begin(), payload.end());
        copy.payload_bytes.push_back(static_cast<std::uint16_t>(payload.size()));
    });
    return copy;
}

FlightWays flight_ways(const SenderSnapshot& snapshot, const std::array<std::string, links_max>& names,
                       const Endpoint& listen) {
    FlightWays ways;
    for (std::size_t i = 0; i < links_max; ++i) {
        const UplinkSnapshot& u = snapshot.uplinks[i];
        if (u.state == UplinkState::absent) continue;
        const LinkId link(static_cast<std::uint8_t>(i));
        ways[uplink_way(0, link)] = {names[i], "uplink", u.local, snapshot.receiver};
    }
    ways[local_way(0)] = {"srt", "the SRT caller", listen, snapshot.caller};
    return ways;
}

FlightWays flight_ways(const ReceiverSnapshot& snapshot, const Endpoint& listen) {
    FlightWays ways;
    for (const ReceiverGroupSnapshot& g : snapshot.groups()) {
        for (const ReceiverLinkSnapshot& l : snapshot.links_of(g))
            ways[uplink_way(g.group.value, l.link)] = {fmt::format("group {} link {}", g.group.value, l.link.value),
                                                       "a sender's uplink", listen, l.sender};
        Endpoint own = g.server.is_v4() ? Endpoint::from_v4(0, g.server_port) : Endpoint{};
        own.port = g.server_port;
        ways[local_way(g.group.value)] = {fmt::format("group {} srt", g.group.value), "to the SRT server", own,
                                          g.server};
    }
    return ways;
}

}  // namespace hawser::app
