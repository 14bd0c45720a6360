// SPDX-License-Identifier: MIT
// Order, gaps, formats and time of a channel's stream; the life of a real channel at the end.
#include "engine/radio/stream.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <map>
#include <vector>

#include "engine/base/random.h"
#include "tests/radio/samples.h"
#include "tests/radio/tone.h"
#include "tests/vectors/hex.h"
#include "tests/vectors/radiod.h"
#include "tests/vectors/radiod_train.h"

using namespace hawser;
using namespace hawser::literals;
using namespace hawser::radio;
namespace golden = vectors::radiod;

namespace {

constexpr Instant start{1'000'000'000};

std::vector<std::uint8_t> rtp(std::uint16_t sequence, std::uint32_t timestamp, std::size_t payload_bytes = 4,
                              std::uint8_t type = 122) {
    const auto header =
        wire::build_rtp_header({false, type, wire::RtpSequence(sequence), wire::RtpTime(timestamp), 1000});
    std::vector<std::uint8_t> bytes(header.begin(), header.end());
    bytes.resize(bytes.size() + payload_bytes, static_cast<std::uint8_t>(sequence));
    return bytes;
}
void has(Status& status, RadioField field) { status.present[static_cast<std::size_t>(field)] = true; }
Status told(Encoding encoding, std::uint32_t rate, std::uint32_t channels, std::uint8_t type, std::uint32_t snap = 0,
            std::uint64_t gps = 0) {
    Status status;
    status.output.encoding = encoding;
    status.output.samprate = rate;
    status.output.channels = channels;
    status.output.payload_type = type;
    status.output.timesnap = snap;
    status.channel.gps_time = gps;
    has(status, RadioField::output_encoding);
    has(status, RadioField::rtp_pt);
    if (gps != 0) has(status, RadioField::gps_time), has(status, RadioField::rtp_timesnap);
    return status;
}

struct Order {
    Resequencer sequence;
    Instant now = start;
    std::vector<int> out;
    std::vector<std::uint32_t> lost;

    void push(int number) {
        const auto bytes = rtp(static_cast<std::uint16_t>(number), 0);
        sequence.push(*wire::RtpPacket::over(bytes), now);
        drain();
    }
    void drain() {
        while (const auto packet = sequence.pop(now)) {
            REQUIRE(packet->payload.size() == 4);
            REQUIRE(packet->payload[0] == static_cast<std::uint8_t>(packet->header.sequence.raw()));
            out.push_back(packet->header.sequence.raw());
            lost.push_back(packet->lost);
        }
    }
};

}  // namespace

TEST_CASE("packets leave in order, and those in order leave at once", "[resequencer]") {
    Order order;
    for (const int n : {65534, 65535, 1, 0, 2, 4, 3}) order.push(n);
    CHECK(order.out == std::vector<int>{65534, 65535, 0, 1, 2, 3, 4});
    CHECK(order.sequence.figures().reordered == 2);
    CHECK(order.sequence.figures().lost == 0);
    CHECK(order.sequence.next_deadline() == never);
}

TEST_CASE("a gap is waited for 100 ms and then counted as lost", "[resequencer]") {
    Order order;
    order.push(1);
    order.push(3);
    CHECK(order.sequence.next_deadline() == start + 100_ms);
    order.now = start + 99_ms;
    order.drain();
    CHECK(order.out.size() == 1);
    order.now = start + 100_ms;
    order.drain();
    CHECK(order.out == std::vector<int>{1, 3});
    CHECK(order.lost.back() == 1);
    order.push(2);
    CHECK(order.out.size() == 2);
    CHECK(order.sequence.figures().late == 1);
    order.push(3);
    CHECK(order.sequence.figures().duplicates == 1);
}

TEST_CASE("a gap with half a window behind it is given up before its time", "[resequencer]") {
    Order order;
    order.push(0);
    for (int n = 2; n < 33; ++n) order.push(n);
    REQUIRE(order.out.size() < 33);
    order.push(33);
    CHECK(order.out.size() == 33);
    CHECK(order.sequence.figures().lost == 1);
}

TEST_CASE("a sender that begins anew is followed from its second packet", "[resequencer]") {
    Order order;
    for (int n = 1000; n < 1010; ++n) order.push(n);
    for (int n = 0; n < 4; ++n) order.push(n);
    CHECK(std::vector<int>(order.out.end() - 3, order.out.end()) == std::vector<int>{1, 2, 3});
    CHECK(order.sequence.figures().jumps == 1);
    // One stray packet from far behind moves nothing.
    order.push(60000);
    order.push(4);
    CHECK(order.out.back() == 4);
}

TEST_CASE("any loss, repetition and disorder within the wait leaves each packet once and in order",
          "[resequencer][property]") {
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        hawser::Random random(seed);
        struct Arrival {
            std::int64_t at;
            int number;
        };
        std::vector<Arrival> arrivals;
        std::map<int, bool> sent;
        for (int i = 0; i < 400; ++i) {
            if (i != 0 && random.below(100) < 5) continue;
            sent[i] = true;
            // The first is first, so that none is before it; disorder within the wait and half a window.
            const int copies = 1 + (random.below(100) < 5 ? 1 : 0);
            for (int c = 0; c < copies; ++c)
                arrivals.push_back(
                    {std::int64_t{i} * 5'000'000 + (i == 0 ? 0 : random.below(90'000)) * std::int64_t{1'000}, i});
        }
        std::stable_sort(arrivals.begin(), arrivals.end(),
                         [](const Arrival& a, const Arrival& b) { return a.at < b.at; });
        Order order;
        for (const Arrival& arrival : arrivals) {
            const Instant at = start + Duration{arrival.at};
            while (order.sequence.next_deadline() <= at) {
                order.now = order.sequence.next_deadline();
                order.drain();
            }
            order.now = at;
            order.push(arrival.number + 65400);
        }
        order.now = order.now + 1_s;
        order.drain();
        std::vector<int> wanted;
        for (const auto& [number, came] : sent) wanted.push_back((number + 65400) % 65536);
        REQUIRE(order.out == wanted);
        REQUIRE(order.sequence.figures().lost == static_cast<std::uint64_t>(sent.rbegin()->first + 1) - sent.size());
    }
}

namespace {

struct Listener {
    Stream stream;
    Instant now = start;
    std::vector<Stream::Item> items;  // without payloads

    void rtp_in(std::uint16_t sequence, std::uint32_t timestamp, std::size_t bytes, std::uint8_t type = 122) {
        const auto packet = rtp(sequence, timestamp, bytes, type);
        stream.on_rtp(*wire::RtpPacket::over(packet), now);
        drain();
    }
    void status_in(const Status& status) {
        stream.on_status(status, now);
        drain();
    }
    void drain() {
        while (auto item = stream.next(now)) {
            item->payload = {};
            items.push_back(*item);
        }
    }
    [[nodiscard]] std::vector<Stream::Kind> kinds() const {
        std::vector<Stream::Kind> all;
        for (const auto& item : items) all.push_back(item.kind);
        return all;
    }
};
using Kind = Stream::Kind;

}  // namespace

TEST_CASE("silence is no loss, and loss is no silence", "[stream]") {
    Listener l;
    l.status_in(told(Encoding::s16be, 12'000, 1, 122));
    l.rtp_in(0, 0u - 240, 480);
    l.rtp_in(1, 0, 480);
    l.rtp_in(2, 240 + 2400, 480);        // nothing is missing: squelched for 200 ms
    l.rtp_in(4, 240 + 2400 + 480, 480);  // number 3 is
    l.now = l.now + 100_ms;
    l.drain();
    CHECK(l.kinds() == std::vector<Kind>{Kind::epoch, Kind::samples, Kind::samples, Kind::silence, Kind::samples,
                                         Kind::gap, Kind::samples});
    CHECK(l.items[3].ticks == 2400);
    CHECK(l.items[3].timestamp == wire::RtpTime(240));
    CHECK(l.items[5].ticks == 240);
    CHECK(l.stream.quality().lost_ticks == 240);
    CHECK(l.stream.quality().silent_ticks == 2400);
    CHECK(l.stream.quality().completeness() == Approx(0.8));
}

TEST_CASE("an outage of any length is counted by its packets and its time", "[stream]") {
    // Within the sequence's half, beyond it, and beyond its wrap.
    for (const std::uint32_t missing : {64u, 100u, 5000u, 40'000u, 65'000u, 70'000u, 300'000u}) {
        Listener l;
        l.status_in(told(Encoding::s16be, 12'000, 1, 122));
        std::uint32_t n = 65'000;
        const auto next = [&] {
            l.rtp_in(static_cast<std::uint16_t>(n), n * 240, 480);
            ++n;
            l.now = l.now + 20_ms;
        };
        for (int i = 0; i < 100; ++i) next();
        n += missing;
        l.now = l.now + Duration{std::int64_t{missing} * 20'000'000};
        for (int i = 0; i < 100; ++i) next();
        const auto& q = l.stream.quality();
        const std::uint64_t lost = l.stream.sequence_figures().lost;
        INFO(missing);
        // From behind, the first packet shows only that something may have happened.
        CHECK(q.packets + lost == 200 + missing);
        CHECK(q.packets >= 199);
        CHECK(lost - missing <= 1);
        CHECK(q.lost_ticks / 240 == lost);
        CHECK(q.gaps == 1);
        CHECK(q.completeness() == Approx(200.0 / (200.0 + missing)).epsilon(0.01));
        CHECK(q.epochs == 2);
    }
}

TEST_CASE("a channel that was made anew has lost nothing, whatever its numbers are", "[stream]") {
    hawser::Random random(3);
    for (int round = 0; round < 500; ++round) {
        Listener l;
        l.status_in(told(Encoding::s16be, 12'000, 1, 122));
        // After hours, half a minute of which were read late at the most.
        const auto sequence = static_cast<std::uint16_t>(random.next());
        if (static_cast<std::uint16_t>(sequence + 100) < 200) continue;  // within the window of its new ones
        const auto ticks = static_cast<std::uint32_t>(random.below(0xFFF0'0000));
        l.rtp_in(sequence, ticks, 480);
        l.now = l.now + 2_s;
        for (std::uint16_t i = 0; i < 3; ++i) {
            l.status_in(told(Encoding::s16be, 12'000, 1, 122));
            l.rtp_in(i, (i - 1u) * 240u, 480);
        }
        const auto& q = l.stream.quality();
        INFO(sequence << " " << ticks);
        REQUIRE(q.lost_ticks == 0);
        REQUIRE(q.silences == 0);
        REQUIRE(l.stream.sequence_figures().lost == 0);
        REQUIRE(q.epochs == 2);
    }
}

TEST_CASE("a restart after hours is an epoch, and no silence until the clock's wrap", "[stream]") {
    Listener l;
    l.status_in(told(Encoding::s16be, 48'000, 1, 122));
    // More than half of the clock: its way back is shorter forward.
    l.rtp_in(10, 3'000'000'000, 480);
    l.status_in(told(Encoding::s16be, 48'000, 1, 122));
    l.now = l.now + 20_ms;
    l.rtp_in(11, 0u - 960, 480);
    CHECK(l.kinds() == std::vector<Kind>{Kind::epoch, Kind::samples, Kind::epoch, Kind::samples});
    CHECK(l.stream.quality().silences == 0);
}

TEST_CASE("before the first status packets wait, and are decoded when it comes", "[stream]") {
    Listener l;
    for (std::uint16_t i = 0; i < 5; ++i) l.rtp_in(i, i * 240u, 480);
    CHECK(l.items.empty());
    CHECK(l.stream.next_deadline() == start + 600_ms);
    l.status_in(told(Encoding::s16be, 12'000, 1, 122));
    CHECK(l.items.size() == 6);
}

TEST_CASE("a sequence that begins anew is one epoch, whichever way the timestamp goes", "[stream]") {
    for (const std::uint32_t timestamp : {0u, 240u, 1'000'000u}) {
        Listener l;
        l.status_in(told(Encoding::s16be, 12'000, 1, 122));
        l.rtp_in(1000, 0, 480);
        // More than a window ahead, at once; far behind, from the second packet on.
        l.rtp_in(5000, timestamp, 480);
        // A timestamp that goes back waits for a status, as after any restart.
        l.status_in(told(Encoding::s16be, 12'000, 1, 122));
        l.rtp_in(5001, timestamp + 240, 480);
        CHECK(l.kinds() == std::vector<Kind>{Kind::epoch, Kind::samples, Kind::epoch, Kind::samples, Kind::samples});
        l.rtp_in(7, 0, 480);
        l.rtp_in(8, 240, 480);
        l.status_in(told(Encoding::s16be, 12'000, 1, 122));
        l.rtp_in(9, 480, 480);
        CHECK(l.stream.quality().epochs == 3);
        CHECK(l.stream.sequence_figures().jumps == 2);
        CHECK(l.stream.quality().gaps == 0);
        CHECK(l.items.back().timestamp == wire::RtpTime(480));
    }
}

TEST_CASE("packets that no status explains in time are dropped and counted", "[stream]") {
    Listener l;
    l.rtp_in(0, 0, 480);
    l.now = start + 600_ms;
    l.drain();
    CHECK(l.stream.quality().undecodable == 1);
    for (std::uint16_t i = 1; i < 200; ++i) l.rtp_in(i, i * 240u, 480);
    CHECK(l.items.empty());
    CHECK(l.stream.quality().undecodable >= 160);
}

TEST_CASE("a new payload type waits for the status that tells what it is", "[stream]") {
    Listener l;
    l.status_in(told(Encoding::s16be, 12'000, 1, 122));
    l.rtp_in(0, 0, 480);
    l.status_in(told(Encoding::s16be, 12'000, 1, 122));  // periodic, of just before the change
    l.rtp_in(1, 240, 960, 77);
    CHECK(l.items.size() == 2);
    l.status_in(told(Encoding::f32le, 12'000, 1, 77));
    CHECK(l.kinds() == std::vector<Kind>{Kind::epoch, Kind::samples, Kind::epoch, Kind::samples});
    CHECK(l.items[3].ticks == 240);
    CHECK(l.items[3].format.encoding == Encoding::f32le);
}

TEST_CASE("a status that a later one overtook changes no format", "[stream]") {
    Listener l;
    const std::uint64_t gps = 1'479'252'561'000'000'000;
    l.status_in(told(Encoding::s16be, 12'000, 1, 122, 0, gps));
    l.rtp_in(0, 0, 480);
    l.status_in(told(Encoding::f32le, 12'000, 1, 77, 480, gps + 40'000'000));
    l.status_in(told(Encoding::s16be, 12'000, 1, 122, 240, gps + 20'000'000));
    l.rtp_in(1, 240, 960, 77);
    CHECK(l.kinds() == std::vector<Kind>{Kind::epoch, Kind::samples, Kind::epoch, Kind::samples});
    // A clock that was set back is no disorder.
    l.status_in(told(Encoding::s16le, 12'000, 1, 122, 480, gps - 3'600'000'000'000));
    CHECK(l.stream.format()->encoding == Encoding::s16le);
}

TEST_CASE("the life of a real channel is followed without a lost, misread or unexplained packet", "[stream]") {
    Listener l;
    std::uint64_t packets = 0;
    std::vector<Encoding> encodings;
    for (const auto& row : golden::train) {
        l.now = start + Duration{std::int64_t{row.at_us} * 1'000};
        if (row.samprate != 0) {
            l.status_in(told(static_cast<Encoding>(row.payload_bytes), row.samprate, row.channels, row.payload_type,
                             row.timestamp, row.gps_time));
            continue;
        }
        ++packets;
        // The rows hold no payload. An Opus packet's first byte says 20 ms, as radiod's did.
        auto bytes = rtp(row.sequence, row.timestamp, row.payload_bytes, row.payload_type);
        if (row.payload_type == 111) bytes[12] = 0x98;
        l.stream.on_rtp(*wire::RtpPacket::over(bytes), l.now);
        l.drain();
    }
    const StreamQuality& q = l.stream.quality();
    CHECK(q.packets == packets);
    CHECK(q.undecodable == 0);
    CHECK(q.gaps == 0);
    CHECK(l.stream.sequence_figures().lost == 0);
    // Parked for half a second.
    CHECK(q.silences == 1);
    CHECK(q.silent_ticks == Approx(6000).margin(480));
    for (const auto& item : l.items) {
        if (item.kind == Kind::epoch && (encodings.empty() || encodings.back() != item.format.encoding))
            encodings.push_back(item.format.encoding);
    }
    CHECK(encodings == std::vector<Encoding>{Encoding::s16be, Encoding::f32le, Encoding::s16le, Encoding::mulaw,
                                             Encoding::f16le, Encoding::f32be, Encoding::opus, Encoding::s16be});
    // Time goes on evenly: within what scheduling did to radiod's statuses, each packet left when it was captured.
    std::int64_t least = 0, most = 0;
    bool has_any = false;
    for (const auto& item : l.items) {
        if (item.kind != Kind::samples || !item.unix_ns) continue;
        if (!has_any) least = most = *item.unix_ns;
        has_any = true;
        most = std::max(most, *item.unix_ns);
    }
    REQUIRE(has_any);
    CHECK(static_cast<double>(most - least) * 1e-9 == Approx(7.1).margin(0.3));
}

TEST_CASE("the clock takes the earliest of the last statuses and runs through the wrap", "[clock]") {
    RtpClock clock;
    CHECK_FALSE(clock.unix_ns_at(wire::RtpTime(0)));
    const std::uint64_t gps = 1'479'252'561'000'000'000;
    clock.on_status(gps + 3'000'000, wire::RtpTime(0xFFFF'FF00), 12'000);
    clock.on_status(gps + 500'000'000, wire::RtpTime(0xFFFF'FF00u + 6000), 12'000);
    clock.on_status(gps + 1'002'000'000, wire::RtpTime(0xFFFF'FF00u + 12'000), 12'000);
    CHECK(clock.unix_ns_at(wire::RtpTime(0xFFFF'FF00)) == unix_ns_of_gps(gps));
    CHECK(clock.unix_ns_at(wire::RtpTime(0xFFFF'FF00u + 12)) == unix_ns_of_gps(gps) + 1'000'000);
    CHECK(unix_ns_of_gps(gps) / 1'000'000'000 == 1'795'217'343);
    // A snapshot that contradicts what was: a restart that nobody saw.
    clock.on_status(gps + 2'000'000'000, wire::RtpTime(0), 12'000);
    CHECK(clock.contradictions() == 1);
    CHECK(clock.unix_ns_at(wire::RtpTime(0)) == unix_ns_of_gps(gps + 2'000'000'000));
    clock.reset();
    CHECK_FALSE(clock.unix_ns_at(wire::RtpTime(0)));
}

TEST_CASE("a count of time that no radiod can have is no time") {
    RtpClock clock;
    clock.on_status(std::numeric_limits<std::uint64_t>::max(), wire::RtpTime(0), 12'000);
    clock.on_status(std::uint64_t{1} << 63, wire::RtpTime(0), 12'000);
    clock.on_status((std::uint64_t{1} << 63) - 1, wire::RtpTime(0), 12'000);
    CHECK_FALSE(clock.unix_ns_at(wire::RtpTime(0)));
    CHECK(unix_ns_of_gps(std::numeric_limits<std::uint64_t>::max()) == unix_ns_of_gps(gps_ns_max));
}

TEST_CASE("the clock is exact over days and at the rates of radiod", "[clock]") {
    for (const std::uint32_t rate : {8000u, 12'000u, 44'100u, 48'000u, 384'000u}) {
        RtpClock clock;
        const std::uint64_t gps = 1'479'252'561'000'000'000;
        for (int s = 0; s < 200'000; s += 1000)
            clock.on_status(gps + static_cast<std::uint64_t>(s) * 1'000'000'000,
                            wire::RtpTime(static_cast<std::uint32_t>(static_cast<std::uint64_t>(s) * rate)), rate);
        CHECK(clock.contradictions() == 0);
        CHECK(clock.unix_ns_at(wire::RtpTime(static_cast<std::uint32_t>(std::uint64_t{199'001} * rate))) ==
              unix_ns_of_gps(gps) + std::int64_t{199'001} * 1'000'000'000);
    }
}

TEST_CASE("samples of every encoding come out as they went in", "[payload]") {
    const std::vector<float> values{0.0F, 0.25F, -0.25F, 0.5F, -0.9F, 0.001F, -0.125F};
    for (const auto encoding : {Encoding::s16le, Encoding::s16be, Encoding::f32le, Encoding::f32be, Encoding::f16le,
                                Encoding::f16be, Encoding::mulaw, Encoding::alaw}) {
        INFO(name_of(encoding_names, static_cast<std::uint64_t>(encoding)));
        std::vector<std::uint8_t> coded;
        for (const float value : values) radio_tests::append_sample(encoding, value, coded);
        std::vector<float> out(values.size() + 3);
        REQUIRE(decode_samples(encoding, coded, out) == values.size());
        for (std::size_t i = 0; i < values.size(); ++i) {
            // G.711 keeps four bits beneath the leading one.
            const bool companded = encoding == Encoding::mulaw || encoding == Encoding::alaw;
            CHECK(out[i] == Approx(values[i]).margin(companded ? std::abs(values[i]) / 30 + 0.0005 : 0.0005));
        }
        CHECK(decode_samples(encoding, coded, std::span(out).first(2)) == 2);
    }
    std::vector<float> out(4);
    CHECK(decode_samples(Encoding::opus, std::vector<std::uint8_t>(20), out) == 0);
}

TEST_CASE("half floats keep their subnormals, infinities and signs", "[payload]") {
    std::vector<float> out(6);
    REQUIRE(decode_samples(Encoding::f16be,
                           vectors::from_hex("0001"
                                             "8001"
                                             "7c00"
                                             "fc00"
                                             "3c00"
                                             "8000"),
                           out) == 6);
    CHECK(out[0] == 0x1p-24F);
    CHECK(out[1] == -0x1p-24F);
    CHECK(std::isinf(out[2]));
    CHECK(out[3] == -out[2]);
    CHECK(out[4] == 1.0F);
    CHECK(std::signbit(out[5]));
}

TEST_CASE("G.711's bytes are the recommendation's values", "[payload]") {
    // Silence, the largest of each sign, and the smallest steps.
    std::vector<float> out(4);
    REQUIRE(decode_samples(Encoding::mulaw,
                           vectors::from_hex("ff"
                                             "7f"
                                             "80"
                                             "00"),
                           out) == 4);
    CHECK(out[0] * 32768 == 0);
    CHECK(out[1] * 32768 == 0);
    CHECK(out[2] * 32768 == 32124);
    CHECK(out[3] * 32768 == -32124);
    REQUIRE(decode_samples(Encoding::alaw,
                           vectors::from_hex("d5"
                                             "55"
                                             "aa"
                                             "2a"),
                           out) == 4);
    CHECK(out[0] * 32768 == 8);
    CHECK(out[1] * 32768 == -8);
    CHECK(out[2] * 32768 == 32256);
    CHECK(out[3] * 32768 == -32256);
}

TEST_CASE("a real packet's tone is a tone", "[payload]") {
    // usb at 998.5 kHz beside a carrier at 1 MHz: 1500 Hz at 12 kHz, a period of eight samples.
    const auto bytes = vectors::from_hex(golden::rtp_first);
    std::vector<float> out(240);
    REQUIRE(decode_samples(Encoding::s16be, wire::RtpPacket::over(bytes)->payload(), out) == 240);
    double in_tone = 0, all = 0;
    double re = 0, im = 0;
    for (std::size_t i = 0; i < 240; ++i) {
        all += double{out[i]} * double{out[i]};
        re += double{out[i]} * std::cos(2 * M_PI * static_cast<double>(i) / 8);
        im += double{out[i]} * std::sin(2 * M_PI * static_cast<double>(i) / 8);
    }
    in_tone = 2 * (re * re + im * im) / 240;
    CHECK(in_tone / all > 0.9);
}

TEST_CASE("a real IQ packet's tone is above its middle", "[payload]") {
    // At 999 kHz beside the carrier: +1000 Hz at 16 kHz, in both channels as strong, of the AGC's -15 dB.
    const auto bytes = vectors::from_hex(golden::rtp_iq);
    std::vector<float> out(400);
    REQUIRE(decode_samples(Encoding::f32le, wire::RtpPacket::over(bytes)->payload(), out) == 360);
    out.resize(360);
    CHECK(out[0] == 0x1.0134c4p-3F);
    const radio_tests::Tone tone = radio_tests::strongest_tone(out, 16'000, 2);
    CHECK(tone.hz == 1000);
    CHECK(tone.peak_db == Approx(-15).margin(0.1));
    CHECK(tone.noise_db < -30);
    CHECK(radio_tests::level_db(out) == Approx(-18).margin(0.1));
}

TEST_CASE("an Opus packet's length is in its first bytes", "[payload]") {
    const auto ticks = [](const char* hex) { return opus_ticks(vectors::from_hex(hex)); };
    CHECK(opus_ticks(wire::RtpPacket::over(vectors::from_hex(golden::rtp_opus))->payload()) == 960u);
    CHECK(ticks("08") == 960u);
    CHECK(ticks("18") == 2880u);
    CHECK(ticks("80") == 120u);
    CHECK(ticks("99") == 1920u);
    CHECK(ticks("9b03") == 2880u);
    CHECK_FALSE(ticks("9b00"));
    CHECK_FALSE(ticks("9b"));
    CHECK_FALSE(ticks("1b3f"));
    CHECK_FALSE(opus_ticks({}));
}
