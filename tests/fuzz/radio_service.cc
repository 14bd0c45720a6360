// SPDX-License-Identifier: MIT
// The radio service under any sequence of packets, requests and time: it never wants to be woken for what it has done,
// never sends to a channel more often than the backoff allows, and its lists stay whole.
#include <array>
#include <vector>

#include "engine/base/check.h"
#include "engine/radio/service.h"
#include "engine/wire/radio_tlv.h"
#include "tests/fuzz/input.h"

using namespace hawser;
using namespace hawser::radio;

namespace {

// A status of one of few channels, with a tag that may be one in flight.
std::vector<std::uint8_t> status_from(fuzz::Input& input, std::uint32_t tag) {
    std::vector<std::uint8_t> room(256);
    wire::RadioBuilder builder(room, wire::RadioPacketType::status);
    builder.integer(RadioField::output_ssrc, 1 + input.below(4));
    builder.integer(RadioField::command_tag, input.below(4) != 0 ? tag : input.u32());
    builder.integer(RadioField::input_samples, input.u16());
    builder.float64(RadioField::radio_frequency, input.below(2) * 1e6);
    builder.integer(RadioField::output_samprate, 12'000);
    const auto packet = builder.finish();
    return {packet->begin(), packet->end()};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    Service service({.requests_max = 16}, Random(1));
    const std::array<RadioId, 2> radios{service.add_radio(), service.add_radio()};
    Instant now{1'000'000'000};
    std::uint32_t tag = 0;
    std::vector<WantId> wants;
    while (!input.empty()) {
        const RadioId radio = radios[input.below(2)];
        const std::uint32_t ssrc = input.below(5);
        ChannelSpec spec;
        spec.frequency = 1e6;
        if (input.below(2) == 0) spec.lifetime = input.below(100);
        switch (input.below(8)) {
            case 0: static_cast<void>(service.tune(radio, ssrc, command_for(spec), 1, now)); break;
            case 1: static_cast<void>(service.remove(radio, ssrc, now)); break;
            case 2: static_cast<void>(service.ensure(radio, ssrc, spec, now)); break;
            case 3:
                if (const auto want = service.declare(radio, ssrc, spec, now)) wants.push_back(*want);
                break;
            case 4: service.discover(radio, now); break;
            case 5:
                if (!wants.empty()) service.withdraw(wants[input.below(static_cast<std::uint32_t>(wants.size()))]);
                break;
            case 6: {
                const auto packet = input.below(4) == 0 ? std::vector<std::uint8_t>() : status_from(input, tag);
                service.on_packet(radio, Endpoint::from_v4(1, static_cast<std::uint16_t>(input.below(3))),
                                  packet.empty() ? Bytes(input.bytes(40)) : Bytes(packet), now);
                break;
            }
            default: now = now + Duration{std::int64_t{input.u16()} * 1'000'000}; break;
        }
        service.turn(now);
        while (const auto packet = service.next_packet(now)) {
            auto reader = wire::RadioReader::over(packet->bytes);
            wire::RadioElement element;
            while (reader->next(element))
                if (element.field == 1) tag = static_cast<std::uint32_t>(*wire::radio_integer(element.value));
            HAWSER_CHECK(reader->has_end_mark());
        }
        HAWSER_CHECK(service.next_deadline() > now);
        HAWSER_CHECK(service.tuner().is_consistent());
        while (const auto event = service.next_event()) HAWSER_CHECK(event->at <= now);
    }
    const auto& figures = service.tuner().figures();
    HAWSER_CHECK(figures.packets <= 9 * figures.submitted);
    return 0;
}
