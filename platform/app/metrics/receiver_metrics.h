// SPDX-License-Identifier: MIT
// A receiver's figures for Prometheus, and the stream's health in the shapes that scene switchers read.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "engine/border/receiver_snapshot.h"
#include "platform/app/figures.h"

namespace hawser::app {

// Media of each group, in the time between the last two looks, which should be about a second apart.
class GroupRates {
public:
    void look(const ReceiverSnapshot& now);
    // Bits per second; 0 before the second look.
    [[nodiscard]] double of(GroupId group) const;

private:
    struct Seen {
        Duration age;                                  // of the group: a later one with its number is another
        std::map<std::uint32_t, std::uint64_t> bytes;  // of its links; links come and go while media flows
        double bits_per_second = 0;
    };
    Instant looked_at_;
    std::map<std::uint32_t, Seen> seen_;  // by group
};

[[nodiscard]] std::string receiver_metrics(const ReceiverSnapshot& now, const GroupRates& rates);

// {"publishers": {"live": {...}, "0": {...}}}: each group by its number, and as "live" the one that carries most.
// The fields are BELABOX's, all of which NOALBS's server type "Belabox" wants, and those of SLS that the wire tells:
//   bitrate       kbit/s of media that came (both)
//   rtt           ms, as the SRT server tells its caller (both)
//   dropped_pkts  datagrams of the group that were not passed on (BELABOX)
//   mbpsRecvRate  Mbit/s of media (SLS)
//   uptime        s since the group registered (SLS)
// NOALBS 2866c1e, stream_servers/belabox.rs and sls.rs. What SLS tells of the SRT server's own buffers is not ours to
// know.
[[nodiscard]] Json stream_stats(const ReceiverSnapshot& now, const GroupRates& rates);

}  // namespace hawser::app
