// SPDX-License-Identifier: MIT
// What an operator may choose about selection. One value, taken as a whole once per turn.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/base/time.h"

namespace hawser::select {

enum class Mode : std::uint8_t { classic, enhanced, adaptive };

// As operators write them.
inline constexpr std::array<std::string_view, 3> mode_names{"classic", "enhanced", "adaptive"};
[[nodiscard]] constexpr std::string_view name_of(Mode mode) { return mode_names[static_cast<std::size_t>(mode)]; }
// Of one of mode_names; enhanced for any other text.
[[nodiscard]] constexpr Mode mode_of(std::string_view name) {
    for (std::size_t i = 0; i < mode_names.size(); ++i)
        if (mode_names[i] == name) return static_cast<Mode>(i);
    return Mode::enhanced;
}

struct Settings {
    Mode mode = Mode::enhanced;
    bool quality = true;       // enhanced: weigh links by their NAK history and RTT
    bool stall_gate = true;    // enhanced: keep data off links that have gone quiet with packets in flight
    bool exploration = false;  // enhanced: now and then try another link than the best
    // Defaults of irlserver/srtla_send 86b90aa (--stall-min-in-flight, --stall-ack-stale-ms).
    std::uint32_t stall_min_in_flight = 32;  // packets
    Duration stall_ack_stale{3'000'000'000};
    Duration latency{};  // adaptive: SRT's, within which a packet is worth sending; zero: as the handshake says
};

}  // namespace hawser::select
