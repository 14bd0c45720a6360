// SPDX-License-Identifier: MIT
// `hawser radio dump`: what is said on a group, commands of all clients included.
#include <csignal>
#include <cstdio>
#include <memory>

#include "platform/app/radio/radio_text.h"
#include "platform/app/radio/subcommands.h"
#include "platform/control/json_text.h"
#include "platform/linux/sockaddr.h"

namespace hawser::app {

namespace {

struct DumpRequest {
    RadioOptions radio;
    bool json = false;
    std::uint64_t packets = 0;  // 0: without end
};

void dump_packet(const DumpRequest& r, const control::Datagram& d) {
    const auto reader = wire::RadioReader::over(d.bytes);
    const bool is_command = reader && reader->type() == wire::RadioPacketType::command;
    radio::Status status;
    std::vector<std::uint8_t> copy(d.bytes.begin(), d.bytes.end());
    if (is_command) copy[0] = 0;
    const auto fault = radio::decode_status(copy, status);
    const char* kind = is_command ? "CMD" : "STATUS";
    if (r.json) {
        nlohmann::ordered_json line;
        line["from"] = os::endpoint_text(d.source);
        line["to"] = os::endpoint_text(d.group);
        line["bytes"] = d.bytes.size();
        line["packet"] = reader ? kind : "unknown";
        if (!fault) line["fields"] = status_json(status);
        print(control::text_of(line) + "\n");
    } else {
        std::printf("%s -> %s %zu bytes %s\n%s\n", os::endpoint_text(d.source).c_str(),
                    os::endpoint_text(d.group).c_str(), d.bytes.size(), reader ? kind : "of no known kind",
                    fault ? "" : status_text(status).c_str());
    }
}

int dump(const DumpRequest& r) {
    auto group = group_of(r.radio);
    if (!group) return exit_usage;
    control::Loop loop;
    const auto say = [](const std::string& text) { std::fprintf(stderr, "hawser radio: %s\n", text.c_str()); };
    std::uint64_t seen = 0;
    control::GroupReceiver receiver(
        loop, {},
        [&](std::span<const control::Datagram> received) {
            for (const control::Datagram& d : received) {
                if (r.packets != 0 && seen == r.packets) break;
                dump_packet(r, d);
                ++seen;
            }
            std::fflush(stdout);
            if (r.packets != 0 && seen == r.packets) loop.quit(exit_ok);
        },
        say);
    loop.on_signals({SIGINT, SIGTERM}, [&](int) { loop.quit(r.packets == 0 ? exit_ok : exit_failed); });
    if (const auto joined = receiver.join(*group); !joined) return fail(joined.error().text());
    return loop.run();
}

}  // namespace

void add_dump_subcommand(RadioSubcommands& subcommands) {
    const auto r = std::make_shared<DumpRequest>();
    cli::App* sub =
        subcommands.add("dump", "every status and command on the group, as it comes", [r] { return dump(*r); });
    add_radio_options(*sub, r->radio);
    add_json_option(*sub, r->json);
    sub->add_option("-c,--count", r->packets, "end after so many packets")->type_name("N");
}

}  // namespace hawser::app
