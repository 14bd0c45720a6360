// SPDX-License-Identifier: MIT
#include "platform/app/metrics/common_metrics.h"

namespace hawser::app {

namespace {

using Type = Exposition::Type;

void put(Exposition& out, std::string_view name, Type type, std::string_view help, std::uint64_t value) {
    out.family(name, type, help);
    out.sample({}, value);
}

void put_pump(Exposition& out, const PumpSnapshot& p) {
    out.family("hawser_pump_turn_seconds", Type::histogram, "Time that the turns of the packet pump worked.");
    out.histogram({}, p.turn_times);
    out.family("hawser_pump_longest_turn_seconds", Type::gauge, "The longest turn's work since the start.");
    out.sample({}, p.turn_max);
    put(out, "hawser_pump_packets_total", Type::counter, "Packets that the pump took in.", p.packets);
    put(out, "hawser_pump_events_lost_total", Type::counter, "Events that the control thread was too slow for.",
        p.events_lost);
    put(out, "hawser_pump_free_buffers", Type::gauge, "Packet buffers that are free.", p.pool_free);
    put(out, "hawser_io_system_calls_total", Type::counter, "System calls of the pump.", p.io.system_calls);
    put(out, "hawser_io_waits_total", Type::counter, "Times that the pump slept or polled.", p.io.waits);
    put(out, "hawser_io_starved_receives_total", Type::counter, "Receives that found no free buffer.",
        p.io.receive_starved);
    put(out, "hawser_io_segmented_sends_total", Type::counter, "Sends of several packets at once (UDP GSO).",
        p.io.segmented_sends);
    put(out, "hawser_io_dropped_sends_total", Type::counter, "Sends beyond what one turn can queue.",
        p.io.sends_dropped);
}

}  // namespace

void put_common_metrics(Exposition& out, std::string_view role, const Counters& counters, const PumpSnapshot& pump) {
    out.family("hawser_build_info", Type::gauge, "The program's version and which end it is.");
    out.sample({{"version", HAWSER_VERSION}, {"role", role}}, std::uint64_t{1});
    for (const CounterRow& row : counter_table)
        put(out, "hawser_" + std::string(row.name) + "_total", Type::counter, row.help, counters[row.id]);
    put_pump(out, pump);
}

}  // namespace hawser::app
