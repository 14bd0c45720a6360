// SPDX-License-Identifier: MIT
// `hawser radio dump`: what is said on a group, or was when it was captured, commands of all clients included.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "engine/radio/address.h"
#include "engine/wire/radio_tlv.h"
#include "platform/app/radio/capture.h"
#include "platform/app/radio/radio_text.h"
#include "platform/app/radio/subcommands.h"
#include "platform/control/json_text.h"
#include "platform/linux/errno_text.h"
#include "platform/linux/sockaddr.h"

namespace hawser::app {

namespace {

struct DumpRequest {
    RadioOptions radio;
    bool json = false;
    std::uint64_t packets = 0;  // 0: without end
    std::string capture;        // instead of a group
    std::string usual;          // of a group: whose, where the command line names no radiod
};

struct Packet {
    Bytes bytes;
    Endpoint source;
    Endpoint destination;
};

// An element that the status model has no place for: of a number that is nobody's, or with a value that is none of its
// field's.
struct Strange {
    unsigned number = 0;
    std::string hex;  // of its value, bytes_shown_max at most
    std::size_t bytes = 0;
};
std::vector<Strange> strange_elements(Bytes packet, const radio::Status& status) {
    constexpr std::size_t bytes_shown_max = 64;
    std::vector<Strange> out;
    auto reader = wire::RadioReader::over(packet);
    wire::RadioElement e;
    while (reader && reader->next(e)) {
        if (status.has(static_cast<radio::RadioField>(e.field))) continue;
        out.push_back({e.field, "", e.value.size()});
        for (const std::uint8_t byte : e.value.first(std::min(e.value.size(), bytes_shown_max)))
            out.back().hex += fmt::format("{:02x}", byte);
    }
    return out;
}

nlohmann::ordered_json strange_json(const std::vector<Strange>& elements) {
    auto out = nlohmann::ordered_json::array();
    for (const Strange& e : elements) out.push_back({{"field", e.number}, {"bytes", e.bytes}, {"hex", e.hex}});
    return out;
}

std::string strange_text(const std::vector<Strange>& elements) {
    std::string out;
    for (const Strange& e : elements)
        out += fmt::format("{:<30} {}{}\n", fmt::format("field {}", e.number), e.hex.empty() ? "empty" : e.hex,
                           e.hex.size() < 2 * e.bytes ? fmt::format("... ({} bytes)", e.bytes) : "");
    return out;
}

// All that can be read of it: also of a packet that names no channel, and of a damaged one as far as it goes.
void dump_packet(const DumpRequest& r, const Packet& d) {
    const auto reader = wire::RadioReader::over(d.bytes);
    const bool is_command = reader && reader->type() == wire::RadioPacketType::command;
    radio::Status status;
    std::vector<std::uint8_t> copy(d.bytes.begin(), d.bytes.end());
    if (is_command) copy[0] = 0;
    const bool is_damaged = radio::decode_status(copy, status) == radio::StatusFault::damaged;
    const auto strange = strange_elements(d.bytes, status);
    const char* kind = is_command ? "CMD" : "STATUS";
    if (r.json) {
        nlohmann::ordered_json line;
        line["from"] = os::endpoint_text(d.source);
        line["to"] = os::endpoint_text(d.destination);
        line["bytes"] = d.bytes.size();
        line["packet"] = reader ? kind : "unknown";
        if (is_damaged) line["damaged"] = true;
        if (reader) line["fields"] = status_json(status);
        if (!strange.empty()) line["unknown"] = strange_json(strange);
        print(control::text_of(line) + "\n");
    } else {
        std::printf("%s -> %s %zu bytes %s%s\n%s%s\n", os::endpoint_text(d.source).c_str(),
                    os::endpoint_text(d.destination).c_str(), d.bytes.size(), reader ? kind : "of no known kind",
                    is_damaged ? ", damaged" : "", status_text(status).c_str(), strange_text(strange).c_str());
    }
}

// What is wanted of a capture: by whom it was sent, and to which status group, or to any group's status port.
struct Filter {
    std::optional<Endpoint> group;
    std::optional<Endpoint> source;
    [[nodiscard]] bool takes(const CapturedDatagram& d) const {
        if (source && d.source.address != source->address) return false;
        return group ? d.destination == *group : d.destination.port == radio::status_port;
    }
};

struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

// What is no capture is one packet.
int dump_capture(const DumpRequest& r) {
    if (!r.radio.interface.empty() || !r.radio.cache.empty() || r.radio.ttl != RadioOptions{}.ttl) {
        fail(
            "a capture has no interface, is sent nothing, and needs no cache: --iface, --ttl and --cache are not for "
            "it");
        return exit_usage;
    }
    Filter filter;
    if (!r.radio.source.empty()) filter.source = os::parse_address(r.radio.source);
    if (!r.radio.name.empty()) {
        const auto group = group_of(r.radio);
        if (!group) return exit_usage;
        filter.group = group->group;
    }
    const bool is_stdin = r.capture == "-";
    const std::unique_ptr<std::FILE, Close> opened(is_stdin ? nullptr : std::fopen(r.capture.c_str(), "re"));
    if (!is_stdin && !opened) return fail(r.capture + ": " + os::errno_text(Errno{errno, "open"}));
    CaptureReader reader(is_stdin ? stdin : opened.get());
    std::uint64_t seen = 0;
    const bool is_alone = !reader.is_capture() && reader.complaint().empty();
    if (is_alone && (filter.group || filter.source))
        return fail(r.capture + ": is no capture, but one packet, which says neither whose it is nor to whom it went");
    while (r.packets == 0 || seen < r.packets) {
        const auto d = reader.next();
        if (!d) break;
        if (!is_alone && !filter.takes(*d)) continue;
        dump_packet(r, {d->bytes, d->source, d->destination});
        if (!flush_output()) return exit_failed;
        ++seen;
    }
    if (reader.passed_over() != 0)
        std::fprintf(stderr, "hawser radio: frames without a whole UDP datagram, passed over: %llu\n",
                     static_cast<unsigned long long>(reader.passed_over()));
    if (!reader.complaint().empty()) return fail(r.capture + ": " + reader.complaint());
    if (seen != 0) return exit_ok;
    return fail(r.capture + (filter.group || filter.source ? ": no packet of that radiod's"
                                                           : ": no packet of a radiod's status port"));
}

int dump(DumpRequest& r) {
    if (!r.capture.empty()) return dump_capture(r);
    if (r.radio.name.empty()) r.radio.name = r.usual;
    if (r.radio.name.empty()) {
        fail("whose packets? Name a radiod with -r, or a capture with --read");
        return exit_usage;
    }
    const auto groups = groups_afresh(r.radio);
    if (groups.empty()) return exit_usage;
    control::Loop loop;
    const auto say = [](const std::string& text) { std::fprintf(stderr, "hawser radio: %s\n", text.c_str()); };
    std::uint64_t seen = 0;
    control::GroupReceiver receiver(
        loop, {},
        [&](std::span<const control::Datagram> received) {
            for (const control::Datagram& d : received) {
                if (r.packets != 0 && seen == r.packets) break;
                dump_packet(r, {d.bytes, d.source, d.group});
                ++seen;
            }
            if (!flush_output()) return loop.quit(exit_failed);
            if (r.packets != 0 && seen == r.packets) loop.quit(exit_ok);
        },
        say);
    loop.on_signals({SIGINT, SIGTERM}, [&](int) { loop.quit(r.packets == 0 ? exit_ok : exit_failed); });
    for (const control::GroupSpec& group : groups)
        if (const auto joined = receiver.join(group); !joined) return fail(joined.error().text());
    return loop.run();
}

}  // namespace

void add_dump_subcommand(RadioSubcommands& subcommands) {
    const auto r = std::make_shared<DumpRequest>();
    cli::App* sub =
        subcommands.add("dump", "every status and command on the group, as it comes", [r] { return dump(*r); });
    add_radio_options(*sub, r->radio)->required(false);
    // Whether one is named on the command line makes a difference.
    r->usual = std::exchange(r->radio.name, {});
    add_json_option(*sub, r->json);
    sub->add_option("-t,--read", r->capture,
                    "of a capture (tcpdump -w), in which -r and -o choose among all status ports' packets; or of one "
                    "packet; - is standard input")
        ->type_name("FILE");
    sub->add_option("-c,--count", r->packets, "end after so many packets")->type_name("N");
}

}  // namespace hawser::app
