// SPDX-License-Identifier: MIT
// A sender's snapshot for people (a table with rates since the snapshot before) and for programs (one line of JSON).
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "engine/border/sender_snapshot.h"
#include "platform/app/figures.h"

namespace hawser::app {

[[nodiscard]] std::string_view state_text(UplinkState state);
// What a used-up budget has made of it: "demoted", "stopped"; empty: nothing.
[[nodiscard]] std::string_view limit_text(const UplinkSnapshot& uplink);
// One that is wanted and that the pump does not have, or does not try.
struct WaitingUplink {
    std::string name;
    std::string_view why;  // "missing"
};

// `names`: by link slot, as the operator wrote them.
[[nodiscard]] std::string figures_table(const SenderSnapshot& now, const SenderSnapshot& before,
                                        std::span<const std::string, links_max> names,
                                        std::span<const WaitingUplink> waiting);
[[nodiscard]] Json uplink_json(const UplinkSnapshot& uplink, const std::string& name);
// The figure for the encoder: `bits_per_second` is null before anything is known.
[[nodiscard]] Json safe_rate_json(const SafeRate& rate);
[[nodiscard]] Json figures_of(const SenderSnapshot& now, std::span<const std::string, links_max> names,
                              std::span<const WaitingUplink> waiting);
[[nodiscard]] std::string figures_json(const SenderSnapshot& now, std::span<const std::string, links_max> names,
                                       std::span<const WaitingUplink> waiting);

// What changes from second to second, of each uplink: for the event log.
[[nodiscard]] Json sample_of(const SenderSnapshot& snapshot, std::span<const std::string, links_max> names);

}  // namespace hawser::app
