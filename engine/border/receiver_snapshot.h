// SPDX-License-Identifier: MIT
// What the receiver's pump publishes: one value, so that a reader sees one moment. The rows' arrays are sized once,
// before the threads start (reserve()); filling and copying stay within them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "engine/base/check.h"
#include "engine/base/endpoint.h"
#include "engine/base/strong.h"
#include "engine/base/time.h"
#include "engine/border/counters.h"
#include "engine/border/pump_snapshot.h"

namespace hawser {

struct ReceiverLinkSnapshot {
    LinkId link = no_link;
    bool live = false;           // heard within the last few seconds
    bool has_telemetry = false;  // the sender tells in its keepalives what it knows of the link:
    Endpoint sender;
    Duration age;
    Duration silence;
    std::uint64_t packets_in = 0;       // SRT data packets that passed
    std::uint64_t bytes_in = 0;         // their UDP payload bytes
    std::uint64_t retransmissions = 0;  // of them, marked as sent again
    std::uint64_t dropped = 0;          // datagrams that were not relayed
    std::uint32_t reports_out = 0;      // delivery reports, where the sender asked for them; modulo 2^32
    std::uint32_t rtt_ms = 0;           // telemetry from here on; 0: none yet
    std::int32_t window = 0;            // 1000 = one packet
    std::int32_t in_flight = 0;         // packets
    std::uint32_t naks = 0;
    std::uint32_t bytes_per_second = 0;
};

// What happens to a group's packets that came before earlier ones, where the sender asked that they wait.
struct HoldFigures {
    std::uint32_t depth = 0;       // packets held now
    std::uint32_t depth_max = 0;   // most at a time
    Duration wait_max;             // the longest that one was held
    std::uint64_t held = 0;        // packets that waited
    std::uint64_t given_up = 0;    // sequences no longer waited for
    std::uint64_t late = 0;        // of them, came after all, and passed
    std::uint64_t duplicates = 0;  // dropped
    std::uint64_t bounded = 0;     // gaps given up before their time: too many packets ahead or held, too few buffers
};

enum class ReceiverGroupState : std::uint8_t {
    registered,  // no SRT session yet
    session,     // an SRT session is up, or data flows without our having seen its handshake
    refused,     // the SRT server's host refuses, or no socket towards it could be had
};

struct ReceiverGroupSnapshot {
    GroupId group = no_group;
    ReceiverGroupState state = ReceiverGroupState::registered;
    std::uint16_t server_port = 0;  // local port of the socket towards the SRT server; 0: none
    Endpoint server;
    Duration age;
    Duration silence;
    std::uint32_t caller_id = 0;
    std::uint32_t server_id = 0;
    std::uint32_t sessions = 0;      // established since the group exists
    std::uint64_t packets_out = 0;   // to the SRT server
    std::uint64_t packets_back = 0;  // from the SRT server
    Duration srt_rtt;                // as the SRT server tells its caller; zero: not told yet
    bool wants_reports = false;      // the sender asked for delivery reports, and gets them
    bool wants_hold = false;         // and that packets wait for earlier ones:
    HoldFigures hold;
    std::uint32_t link_first = 0;  // its rows in links()
    std::uint32_t link_count = 0;
};

class ReceiverSnapshot {
public:
    Instant at;
    Counters counters;
    PumpSnapshot pump;
    std::uint32_t groups_max = 0;

    // Takes the memory. Before the threads start.
    void reserve(std::uint32_t groups, std::uint32_t links) {
        groups_ = std::make_unique<ReceiverGroupSnapshot[]>(groups);
        links_ = std::make_unique<ReceiverLinkSnapshot[]>(links);
        groups_room_ = groups;
        links_room_ = links;
    }
    [[nodiscard]] std::span<const ReceiverGroupSnapshot> groups() const { return {groups_.get(), group_count_}; }
    [[nodiscard]] std::span<const ReceiverLinkSnapshot> links() const { return {links_.get(), link_count_}; }
    [[nodiscard]] std::span<const ReceiverLinkSnapshot> links_of(const ReceiverGroupSnapshot& group) const {
        return links().subspan(group.link_first, group.link_count);
    }

    void clear() { group_count_ = link_count_ = 0; }
    // The next row to fill, or null when the room that was reserved is full.
    [[nodiscard]] ReceiverGroupSnapshot* add_group() {
        if (group_count_ == groups_room_) return nullptr;
        groups_[group_count_] = ReceiverGroupSnapshot{};
        groups_[group_count_].link_first = link_count_;
        return &groups_[group_count_++];
    }
    // A row of the group added last.
    [[nodiscard]] ReceiverLinkSnapshot* add_link() {
        HAWSER_CHECK(group_count_ > 0);
        if (link_count_ == links_room_) return nullptr;
        ++groups_[group_count_ - 1].link_count;
        links_[link_count_] = ReceiverLinkSnapshot{};
        return &links_[link_count_++];
    }

private:
    std::unique_ptr<ReceiverGroupSnapshot[]> groups_;
    std::unique_ptr<ReceiverLinkSnapshot[]> links_;
    std::uint32_t groups_room_ = 0;
    std::uint32_t links_room_ = 0;
    std::uint32_t group_count_ = 0;
    std::uint32_t link_count_ = 0;
};

}  // namespace hawser
