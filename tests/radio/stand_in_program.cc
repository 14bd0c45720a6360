// SPDX-License-Identifier: MIT
// The stand-in radiod behind real sockets on loopback, for tests of the program: status group 239.108.155.32:5006.
// Says "ready" when it listens, and runs until it is killed.
#include <cstdio>

#include "platform/control/interfaces.h"
#include "platform/control/loop.h"
#include "platform/control/radio/group_receiver.h"
#include "platform/linux/clock.h"
#include "tests/radio/stand_in.h"

using namespace hawser;

int main() {
    radio_tests::StandInOptions options;
    radio_tests::StandIn radiod(options, os::now());
    control::Loop loop;
    control::Timer block;
    auto sender = control::GroupSender::open(true, 0);
    if (!sender) return 1;
    const std::uint32_t lo = control::loopback_index();
    const auto flush = [&] {
        radiod.run(os::now());
        for (const auto& d : radiod.take_sent())
            if (!sender->send(d.bytes, d.to, lo)) std::puts("send failed");
        block.set(radiod.next_deadline());
    };
    control::GroupReceiver::Settings settings;
    settings.port = options.status_group.port;
    control::GroupReceiver receiver(
        loop, settings,
        [&](std::span<const control::Datagram> received) {
            for (const auto& d : received)
                if (!d.bytes.empty() && d.bytes[0] == 1) radiod.on_command(d.bytes, os::now());
            flush();
        },
        [](const std::string& text) { std::puts(text.c_str()); });
    control::GroupSpec spec;
    spec.group = options.status_group;
    spec.interface = "lo";
    if (const auto joined = receiver.join(spec); !joined) {
        std::puts(joined.error().text().c_str());
        return 1;
    }
    loop.watch(block.fd(), [&] {
        block.acknowledge();
        flush();
    });
    flush();
    std::puts("ready");
    std::fflush(stdout);
    return loop.run();
}
