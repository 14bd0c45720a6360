// SPDX-License-Identifier: MIT
#include "platform/app/flight/flight_ways.h"

#include <fmt/format.h>

#include <limits>

#include "platform/app/flight/capture_words.h"

namespace hawser::app {

namespace {

constexpr Instant beginning_of_time{std::numeric_limits<std::int64_t>::min()};

std::string link_name(std::uint16_t group, std::uint8_t link) { return fmt::format("group {} link {}", group, link); }
std::string server_name(std::uint16_t group) { return fmt::format("group {} srt", group); }

// The last that began until then.
FlightWays::const_iterator find(const FlightWays& ways, std::uint32_t way, Instant at) {
    auto found = ways.upper_bound({way, at});
    if (found == ways.begin() || (--found)->first.first != way) return ways.end();
    return found;
}

}  // namespace

const FlightWay* way_at(const FlightWays& ways, std::uint32_t way, Instant at) {
    const auto found = find(ways, way, at);
    return found == ways.end() ? nullptr : &found->second;
}

FlightWays::const_iterator WayHistory::newest(std::uint32_t way) const { return find(ways_, way, never); }

void WayHistory::begin(std::uint32_t way, FlightWay whose, Instant at) {
    if (const auto before = newest(way); before != ways_.end() && before->first.second < at)
        former_.push_back(before->first);
    ways_.insert_or_assign({way, at}, std::move(whose));
    if (former_.size() <= former_max) return;
    ways_.erase(former_.front());
    former_.pop_front();
}

void WayHistory::set_local(std::uint32_t way, const Endpoint& local) {
    if (const auto now = newest(way); now != ways_.end()) ways_[now->first].local = local;
}

Instant WayHistory::since(std::uint32_t way) const {
    const auto now = newest(way);
    return now != ways_.end() ? now->first.second : beginning_of_time;
}

FlightWay former_uplink(const std::string& name) { return {name, "uplink, gone since", {}, {}}; }

FlightWay former_link(GroupId group, LinkId link, const Endpoint& listen, const Endpoint& sender) {
    return {link_name(group.value, link.value), "a sender's uplink, gone since", listen, sender};
}

FlightWay former_server(GroupId group) { return {server_name(group.value), "to the SRT server, gone since", {}, {}}; }

FlightWays flight_ways(const WayHistory& history, const SenderSnapshot& snapshot,
                       const std::array<std::string, links_max>& names, const Endpoint& listen) {
    FlightWays ways = history.all();
    for (auto& [key, way] : ways) way.remote = snapshot.receiver;
    for (std::size_t i = 0; i < links_max; ++i) {
        const UplinkSnapshot& u = snapshot.uplinks[i];
        if (u.state == UplinkState::absent) continue;
        const std::uint32_t way = uplink_way(0, LinkId(static_cast<std::uint8_t>(i)));
        ways[{way, history.since(way)}] = {names[i], "uplink", u.local, snapshot.receiver};
    }
    ways[{local_way(0), beginning_of_time}] = {"srt", caller_description(snapshot.latency), listen, snapshot.caller};
    return ways;
}

FlightWays flight_ways(const WayHistory& history, const ReceiverSnapshot& snapshot, const Endpoint& listen) {
    FlightWays ways = history.all();
    for (const ReceiverGroupSnapshot& g : snapshot.groups()) {
        const std::uint16_t group = g.group.value;
        for (const ReceiverLinkSnapshot& l : snapshot.links_of(g)) {
            const std::uint32_t way = uplink_way(group, l.link);
            ways[{way, history.since(way)}] = {link_name(group, l.link.value), "a sender's uplink", listen, l.sender};
        }
        Endpoint own = g.server.is_v4() ? Endpoint::from_v4(0, g.server_port) : Endpoint{};
        own.port = g.server_port;
        ways[{local_way(group), history.since(local_way(group))}] = {server_name(group), "to the SRT server", own,
                                                                     g.server};
    }
    return ways;
}

}  // namespace hawser::app
