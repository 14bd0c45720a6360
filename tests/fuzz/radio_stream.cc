// SPDX-License-Identifier: MIT
// A stream under any sequence of RTP packets, statuses and time: everything that comes out is a whole number of frames
// of the format told, in order between epochs, and what is asked for by a deadline happens at it.
#include <algorithm>
#include <string_view>
#include <vector>

#include "engine/base/check.h"
#include "engine/radio/stream.h"
#include "tests/fuzz/input.h"

using namespace hawser;
using namespace hawser::radio;

namespace {

Status status_from(fuzz::Input& input) {
    Status status;
    status.output.encoding = static_cast<Encoding>(input.below(12));
    status.output.samprate = input.below(5) * 12'000;
    status.output.channels = input.below(4);
    status.output.payload_type = static_cast<std::uint8_t>(input.below(4));
    status.output.timesnap = input.u32();
    status.channel.gps_time = std::uint64_t{input.u32()} << (input.below(2) == 0 ? 30u : 32u);
    for (const RadioField field :
         {RadioField::output_encoding, RadioField::rtp_pt, RadioField::gps_time, RadioField::rtp_timesnap})
        status.present[static_cast<std::size_t>(field)] = true;
    return status;
}

// What comes out now, held against itself.
void take_out(Stream& stream, Instant now) {
    bool begun = false;
    wire::RtpTime expected;
    while (const auto item = stream.next(now)) {
        HAWSER_CHECK(item->kind == Stream::Kind::samples || item->payload.empty());
        if (item->kind == Stream::Kind::samples) {
            HAWSER_CHECK(item->format.ticks_in(item->payload) == item->ticks);
            std::vector<float> samples(item->payload.size());
            const std::size_t count = decode_samples(item->format.encoding, item->payload, samples);
            HAWSER_CHECK(is_opus(item->format.encoding) || count == item->ticks * item->format.channels);
        }
        if (begun && item->kind != Stream::Kind::epoch) HAWSER_CHECK(item->timestamp == expected);
        expected = item->timestamp.plus(item->ticks);
        begun = true;
    }
    HAWSER_CHECK(stream.next_deadline() > now);
    const StreamQuality& q = stream.quality();
    HAWSER_CHECK(q.completeness() >= 0 && q.completeness() <= 1);
}

// Packets as they were captured: 100 us since the one before, length, and the bytes of an RTP packet or a status.
constexpr std::string_view capture_mark = "RTP+";
void play_capture(fuzz::Input& input) {
    Stream stream;
    Instant now{1'000'000'000};
    while (!input.empty()) {
        now = now + Duration{std::int64_t{input.u16()} * 100'000};
        const Bytes packet = input.bytes(input.u16());
        Status status;
        if (!decode_status(packet, status))
            stream.on_status(status, now);
        else if (const auto rtp = wire::RtpPacket::over(packet))
            stream.on_rtp(*rtp, now);
        take_out(stream, now);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    const bool is_capture = size >= capture_mark.size() && std::equal(capture_mark.begin(), capture_mark.end(), data);
    if (is_capture) {
        static_cast<void>(input.bytes(capture_mark.size()));
        play_capture(input);
        return 0;
    }
    Stream stream;
    Instant now{1'000'000'000};
    std::uint16_t sequence = input.u16();
    std::uint32_t timestamp = input.u32();
    while (!input.empty()) {
        switch (input.below(4)) {
            case 0: stream.on_status(status_from(input), now); break;
            case 1: now = now + Duration{std::int64_t{input.u16()} * 10'000}; break;
            default: {
                sequence = static_cast<std::uint16_t>(sequence + input.below(5) - 1);
                timestamp += input.below(3) * 120;
                if (input.below(16) == 0) sequence = input.u16(), timestamp = input.u32();
                std::vector<std::uint8_t> bytes(wire::rtp_header_bytes);
                const auto header = wire::build_rtp_header({false, static_cast<std::uint8_t>(input.below(4)),
                                                            wire::RtpSequence(sequence), wire::RtpTime(timestamp), 1});
                std::copy(header.begin(), header.end(), bytes.begin());
                const auto payload = input.bytes(input.below(64));
                bytes.insert(bytes.end(), payload.begin(), payload.end());
                stream.on_rtp(*wire::RtpPacket::over(bytes), now);
            }
        }
        take_out(stream, now);
    }
    return 0;
}
