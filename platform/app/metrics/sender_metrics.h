// SPDX-License-Identifier: MIT
// A sender's figures for Prometheus: under our names, and under those that dashboards of irlserver's sender read.
#pragma once

#include <array>
#include <string>

#include "engine/border/sender_snapshot.h"

namespace hawser::app {

using UplinkNames = std::array<std::string, links_max>;  // by slot

// Base units: seconds, bytes, packets.
[[nodiscard]] std::string sender_metrics(const SenderSnapshot& now, const UplinkNames& names);
// irlserver/srtla_send 86b90aa, `--metrics-bind`: names, units and the label `ip`. Of its metrics those are missing
// that tell of its own filters (RTT velocity, silence pulls, stall gate events) and of its keyframe sidecar.
// `waiting`: uplinks that are wanted and not in the snapshot.
[[nodiscard]] std::string srtla_send_metrics(const SenderSnapshot& now, const UplinkNames& names, std::size_t waiting);

}  // namespace hawser::app
