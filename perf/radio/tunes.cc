// SPDX-License-Identifier: MIT
// Many channels tuned at once by one service against the stand-in radiod, in simulated time: how long until all are
// confirmed, and with how many packets.
// usage: radio-tunes [CHANNELS [ROUNDS]]
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "engine/radio/service.h"
#include "tests/radio/stand_in.h"

using namespace hawser;

int main(int argc, char** argv) {
    const long channels = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 500;
    const long rounds = argc > 2 ? std::strtol(argv[2], nullptr, 10) : 20;
    const Instant start{1'000'000'000};
    radio_tests::StandInOptions options;
    options.media = false;
    radio_tests::StandIn radiod(options, start);
    radio::Service service({}, Random(1));
    const radio::RadioId id = service.add_radio();
    Instant now = start;
    Duration longest;
    long confirmed = 0;
    for (long round = 0; round < rounds; ++round) {
        const Instant begun = now;
        for (long i = 0; i < channels; ++i) {
            radio::ChannelSpec spec;
            spec.frequency = 1e6 + static_cast<double>(round);
            spec.preset = "usb";
            if (!service.tune(id, static_cast<std::uint32_t>(1000 + i), radio::command_for(spec), 0, now)) return 1;
        }
        long open = channels;
        while (open > 0) {
            service.turn(now);
            while (const auto packet = service.next_packet(now)) radiod.on_command(packet->bytes, now);
            now = std::min(radiod.next_deadline(), service.next_deadline());
            radiod.run(now);
            for (const auto& sent : radiod.take_sent())
                if (sent.to == options.status_group) service.on_packet(id, Endpoint::from_v4(1, 1), sent.bytes, now);
            while (const auto event = service.next_event()) {
                if (event->kind != radio::RadioEventKind::confirmed) return 1;
                --open;
                ++confirmed;
            }
        }
        longest = std::max(longest, now - begun);
    }
    const auto packets = static_cast<double>(service.tuner().figures().packets);
    std::printf(
        "{\"channels\":%ld,\"rounds\":%ld,\"confirmed\":%ld,\"longest_round_ms\":%.1f,\"packets_per_tune\":%.3f}\n",
        channels, rounds, confirmed, static_cast<double>(longest.ns) / 1e6, packets / static_cast<double>(confirmed));
    return longest < Duration{1'000'000'000} ? 0 : 1;
}
