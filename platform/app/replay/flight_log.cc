// SPDX-License-Identifier: MIT
#include "platform/app/replay/flight_log.h"

#include <algorithm>
#include <map>

#include "platform/app/flight/capture_words.h"
#include "platform/app/plain_text.h"
#include "platform/control/pcapng_reader.h"

namespace hawser::app {

namespace {

using control::PcapngReader;

// What is behind the headers of IP and UDP, and how long it was; absent where they are not whole.
struct Payload {
    Bytes head;
    std::uint16_t length = 0;
};
std::optional<Payload> udp_payload(const PcapngReader::Packet& packet) {
    if (packet.bytes.empty()) return std::nullopt;
    const std::size_t headers = packet.bytes[0] >> 4 == 6 ? 48 : 28;
    if (packet.bytes.size() < headers || packet.length - headers > 0xFFFF) return std::nullopt;
    return Payload{packet.bytes.subspan(headers), static_cast<std::uint16_t>(packet.length - headers)};
}

class LogReader {
public:
    LogReader(FlightLog& log, std::string name) : log_(log), name_(std::move(name)) {}

    Result<Unit, std::string> read(PcapngReader& capture) {
        if (!is_application(capture.application()))
            return fail("not a recording of hawser's: no capture of another program's tells what became of a packet");
        const auto sender = is_of_sender(capture.comment());
        if (!sender) return fail("not a recording of hawser send's (hawser dump makes one)");
        if (!*sender) return fail("a recording of hawser recv's: only the sender's tells how its uplinks were");
        while (true) {
            auto next = capture.next();
            if (!next) return Failure{next.error()};
            if (!next->has_value()) break;
            if (auto taken = take(capture, **next); !taken) return taken;
        }
        for (const PcapngReader::Interface& way : capture.interfaces())
            if (const auto latency = latency_in(way.description)) log_.latency = latency;
        log_.note = capture.note();
        return finish();
    }

private:
    [[nodiscard]] Failure<std::string> fail(const std::string& what) const { return Failure{name_ + ": " + what}; }

    Result<Unit, std::string> take(const PcapngReader& capture, const PcapngReader::Packet& packet) {
        const PcapngReader::Interface& way = capture.interfaces()[packet.interface];
        const auto decision = decision_in(packet.comment, way.name);
        const auto payload = udp_payload(packet);
        // Somebody else's comment, or one that was taken away.
        if (!decision || !payload) return Unit{};
        LoggedPacket logged;
        logged.decision = *decision;
        logged.at_ns = packet.utc_ns;
        if (!log_.packets.empty()) logged.at_ns = std::max(logged.at_ns, log_.packets.back().at_ns);
        logged.length = payload->length;
        logged.head = payload->head;
        if (row_of(*decision).is_uplink) {
            const auto link = link_of(packet.interface, way.name);
            if (!link) return fail("it is of more than " + std::to_string(links_max) + " uplinks");
            logged.link = *link;
        }
        log_.packets.push_back(logged);
        return Unit{};
    }

    // Several interfaces have one name where an uplink went and came again.
    std::optional<LinkId> link_of(std::uint32_t interface, std::string_view name) {
        const auto [at, is_new] = links_.try_emplace(interface, no_link);
        if (!is_new) return at->second;
        const std::string shown = printable(name);
        auto found = std::find(log_.links.begin(), log_.links.end(), shown);
        if (found == log_.links.end()) {
            if (log_.links.size() == links_max) return std::nullopt;
            log_.links.push_back(shown);
            found = log_.links.end() - 1;
        }
        at->second = LinkId(static_cast<std::uint8_t>(found - log_.links.begin()));
        return at->second;
    }

    Result<Unit, std::string> finish() {
        auto& packets = log_.packets;
        if (packets.empty()) return fail("there is no packet in it with what became of it");
        if (log_.links.empty()) return fail("there is no packet of an uplink in it");
        const std::int64_t end = packets.back().at_ns;
        const auto first = std::find_if(packets.begin(), packets.end(),
                                        [end](const LoggedPacket& p) { return end - p.at_ns <= FlightLog::ns_max; });
        packets.erase(packets.begin(), first);
        if (std::none_of(packets.begin(), packets.end(), [](const LoggedPacket& p) {
                return row_of(p.decision).is_uplink && p.is_outbound() && p.data();
            }))
            return fail("there are no data in it: no packet of media went by an uplink");
        const std::int64_t begin = packets.front().at_ns;
        for (LoggedPacket& p : packets) p.at_ns -= begin;
        return Unit{};
    }

    FlightLog& log_;
    std::string name_;
    std::map<std::uint32_t, LinkId> links_;  // by interface
};

}  // namespace

Result<FlightLog, std::string> read_flight_log(std::string file, const std::string& name) {
    FlightLog log;
    log.file = std::make_unique<const std::string>(std::move(file));
    auto capture = PcapngReader::open(*log.file, name);
    if (!capture) return Failure{capture.error()};
    if (const auto read = LogReader(log, name).read(*capture); !read) return Failure{read.error()};
    return log;
}

}  // namespace hawser::app
