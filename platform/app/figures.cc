// SPDX-License-Identifier: MIT
#include "platform/app/figures.h"

#include <fmt/format.h>

namespace hawser::app {

Json counters_json(const Counters& counters) {
    Json out = Json::object();
    for (const CounterRow& row : counter_table) out[std::string(row.name)] = counters[row.id];
    return out;
}

Json pump_json(const PumpSnapshot& p) {
    return Json{{"turns", p.turns},
                {"packets", p.packets},
                {"turn_max_us", p.turn_max.us()},
                {"turn_max_recent_us", p.turn_max_recent.us()},
                {"events_lost", p.events_lost},
                {"pool_free", p.pool_free},
                {"system_calls", p.io.system_calls},
                {"waits", p.io.waits},
                {"receive_starved", p.io.receive_starved},
                {"segmented_sends", p.io.segmented_sends},
                {"segmentation_refused", p.io.segmentation_refused},
                {"joined_receives", p.io.joined_receives},
                {"completion_overflows", p.io.completion_overflows},
                {"receive_rearmed", p.io.receive_rearmed},
                {"sends_dropped", p.io.sends_dropped}};
}

double kbps(std::uint64_t bytes, Duration span) {
    if (span.ns <= 0) return 0;
    return static_cast<double>(bytes) * 8e6 / static_cast<double>(span.ns);
}

std::string rate_text(std::uint64_t bytes, Duration span) {
    const double k = kbps(bytes, span);
    return k >= 1000 ? fmt::format("{:.2f} Mbit/s", k / 1000) : fmt::format("{:.0f} kbit/s", k);
}

std::string duration_text(Duration d) {
    if (d.ns < 1'000'000) return fmt::format("{} us", d.us());
    return fmt::format("{:.1f} ms", static_cast<double>(d.ns) / 1e6);
}

std::string pump_line(const PumpSnapshot& now, const PumpSnapshot& before) {
    const std::uint64_t packets = now.packets - before.packets;
    const std::uint64_t calls = now.io.system_calls - before.io.system_calls;
    return fmt::format("pump: {} packets in {} turns, {:.2f} system calls per packet, longest turn {}", packets,
                       now.turns - before.turns,
                       packets == 0 ? 0.0 : static_cast<double>(calls) / static_cast<double>(packets),
                       duration_text(now.turn_max_recent));
}

}  // namespace hawser::app
