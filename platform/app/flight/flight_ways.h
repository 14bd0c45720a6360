// SPDX-License-Identifier: MIT
// Between which ends the packets of the flight recorder went. A record names its way by number, and numbers are given
// out again: a way is known from when on it is whose, and a record is of whose it was at its time.
// Control thread only.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>

#include "engine/border/flight_recorder.h"
#include "engine/border/receiver_snapshot.h"
#include "engine/border/sender_snapshot.h"

namespace hawser::app {

// The ends of one of the ways that packets take, ours first.
struct FlightWay {
    std::string name;
    std::string description;
    Endpoint local;
    Endpoint remote;
};

// Which way a record is of: the sender's uplinks by number, the receiver's by group and number; the SRT side of either.
[[nodiscard]] constexpr std::uint32_t uplink_way(std::uint16_t group, LinkId link) {
    return std::uint32_t{group} << 8 | link.value;
}
inline constexpr std::uint32_t local_way_bit = std::uint32_t{1} << 31;
[[nodiscard]] constexpr std::uint32_t local_way(std::uint16_t group) { return local_way_bit | group; }

// By way, and from when on it is that one's.
using FlightWays = std::map<std::pair<std::uint32_t, Instant>, FlightWay>;
// Whose it was then; null: nobody's that is known.
[[nodiscard]] const FlightWay* way_at(const FlightWays& ways, std::uint32_t way, Instant at);

// Who had each way, as its owner is told of their coming: as many as there are ways, and the last `former_max` whose
// ways are another's by now.
class WayHistory {
public:
    static constexpr std::size_t former_max = 256;

    void begin(std::uint32_t way, FlightWay whose, Instant at);
    // The local end of whoever has it now, if anybody.
    void set_local(std::uint32_t way, const Endpoint& local);
    // When whoever has it now came; the beginning of time where that is not known.
    [[nodiscard]] Instant since(std::uint32_t way) const;
    [[nodiscard]] const FlightWays& all() const { return ways_; }

private:
    [[nodiscard]] FlightWays::const_iterator newest(std::uint32_t way) const;

    FlightWays ways_;
    std::deque<FlightWays::key_type> former_;  // in the order in which they went
};

// What history begins a way with.
[[nodiscard]] FlightWay former_uplink(const std::string& name);
[[nodiscard]] FlightWay former_link(GroupId group, LinkId link, const Endpoint& listen, const Endpoint& sender);
[[nodiscard]] FlightWay former_server(GroupId group);

// Those of the history, with what the newest figures say of those that are there.
[[nodiscard]] FlightWays flight_ways(const WayHistory& history, const SenderSnapshot& snapshot,
                                     const std::array<std::string, links_max>& names, const Endpoint& listen);
[[nodiscard]] FlightWays flight_ways(const WayHistory& history, const ReceiverSnapshot& snapshot,
                                     const Endpoint& listen);

}  // namespace hawser::app
