// SPDX-License-Identifier: MIT
// What an emulated link does to packets, as plain values: the vocabulary of the command line and the emulator.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/base/time.h"

namespace hawser::demo {

// Addresses 127.0.0.2 and on are told apart; the engine itself takes links_max.
inline constexpr std::size_t demo_links_max = 16;

struct LinkShape {
    std::uint32_t rate_kbps = 0;  // of IPv4 datagrams, headers included; 0: unlimited
    Duration delay;               // one way, after the bottleneck
    Duration queue;               // longest wait before the bottleneck; what would wait longer is dropped
    double loss = 0;              // share of packets, 0 to 1, drawn after the bottleneck
};

// While it lasts the link carries nothing in either direction, and what it held is lost.
struct DarkWindow {
    std::size_t link = 0;  // from 0
    Duration start;        // since the picture began
    Duration length;
};

}  // namespace hawser::demo
