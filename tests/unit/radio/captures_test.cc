// SPDX-License-Identifier: MIT
// Every packet of a real radiod that the corpus holds, against what tests/vectors/captures says is in it: commands and
// statuses element by element, RTP to the tone in it, stretches of a stream to the pieces that come out of them. How
// those lines came to be: tests/vectors/README.md.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "engine/radio/stream.h"
#include "tests/radio/captures.h"
#include "tests/radio/check_field.h"
#include "tests/radio/tone.h"
#ifdef HAWSER_HAS_AUDIO
#include "platform/control/radio/opus_decoder.h"
#endif

using namespace hawser;
using namespace hawser::radio;
using namespace hawser::radio_tests;
using wire::RadioElement;
using wire::RadioPacketType;
using wire::RadioReader;

namespace {

// What `format` reads of a line; all of it has to be there.
template <class... Into>
void read_line(const std::string& line, const char* format, Into*... into) {
    INFO(line);
    REQUIRE(std::sscanf(line.c_str(), format, into...) == sizeof...(into));
}

AudioFormat format_of(const char* encoding, unsigned rate, unsigned channels) {
    const auto number = value_of(encoding_names, std::string_view(encoding));
    REQUIRE(number);
    return {static_cast<Encoding>(*number), rate, channels};
}

std::vector<float> samples_of(Encoding encoding, Bytes payload) {
    std::vector<float> samples(payload.size());
    samples.resize(decode_samples(encoding, payload, samples));
    return samples;
}

// "tone 1500 Hz of -15.0 dB", "noise", or "constant".
void check_sound(const std::string& line, std::span<const float> samples, const AudioFormat& format, double margin_db) {
    INFO(line);
    const std::uint32_t rate = is_opus(format.encoding) ? format.tick_rate() : format.samprate;
    const Tone tone = strongest_tone(samples, rate, format.channels);
    if (line == "noise") {
        CHECK(tone.noise_db > -2);
        return;
    }
    int hz = 0;
    double db = 0;
    if (line == "constant") {
        const double mean = std::accumulate(samples.begin(), samples.end(), 0.0) / static_cast<double>(samples.size());
        CHECK(20 * std::log10(mean) == Approx(level_db(samples)).margin(0.1));
        return;
    }
    read_line(line, "tone %d Hz of %lf dB", &hz, &db);
    CHECK(std::abs(tone.hz - hz) <= 10);
    CHECK(tone.peak_db == Approx(db).margin(margin_db));
    CHECK(tone.noise_db < -15);
}

}  // namespace

TEST_CASE("every captured command and status has the elements that are told of it, in their order", "[captures]") {
    for (const Capture& capture : captures_of(HAWSER_TESTS, "radio_status")) {
        INFO(capture.name);
        char kind[16];
        std::size_t size = 0;
        read_line(capture.title, "%15[a-z], %zu bytes", kind, &size);
        REQUIRE(capture.bytes.size() == size);
        auto reader = RadioReader::over(capture.bytes);
        REQUIRE(reader);
        CHECK((reader->type() == RadioPacketType::command) == (kind == std::string("command")));
        auto as_status = capture.bytes;  // a command has the same elements
        as_status[0] = 0;
        Status status;
        const auto fault = decode_status(as_status, status);
        CHECK((!fault || (fault == StatusFault::no_ssrc && capture.name == "radiod_command_7")));
        std::size_t told = 0;
        bool is_ended = true;
        for (const std::string& line : capture.lines) {
            if (line == "without its end mark") {
                is_ended = false;
                continue;
            }
            unsigned number = 0;
            char name[40];
            int value_at = 0;
            REQUIRE(std::sscanf(line.c_str(), "%u %39s %n", &number, name, &value_at) == 2);
            RadioElement element;
            REQUIRE(reader->next(element));
            CHECK(element.field == number);
            const auto field = static_cast<RadioField>(number);
            CHECK(wire::row_of(field).name == name);
            const std::string value = line.substr(static_cast<std::size_t>(value_at));
            if (wire::row_of(field).type == wire::RadioType::integer) CHECK(std::to_string(element.bits) == value);
            if (!fault) check_field(status, field, value.c_str());
            ++told;
        }
        RadioElement more;
        CHECK_FALSE(reader->next(more));
        CHECK(reader->has_end_mark() == is_ended);
        if (!fault) CHECK(field_count(status) == told);
    }
}

TEST_CASE("every captured RTP packet has the header, samples and tone that are told of it", "[captures]") {
    for (const Capture& capture : captures_of(HAWSER_TESTS, "rtp")) {
        INFO(capture.name);
        const auto packet = wire::RtpPacket::over(capture.bytes);
        REQUIRE(packet);
        unsigned marker = 0, type = 0, sequence = 0, timestamp = 0, ssrc = 0, tuned = 0;
        read_line(capture.title, "marker %u, type %u, sequence %u, timestamp %u, ssrc %u at %u Hz", &marker, &type,
                  &sequence, &timestamp, &ssrc, &tuned);
        CHECK(packet->marker() == (marker != 0));
        CHECK(packet->payload_type() == type);
        CHECK(packet->sequence().raw() == sequence);
        CHECK(packet->timestamp().raw() == timestamp);
        CHECK(packet->ssrc() == ssrc);

        unsigned bytes = 0, rate = 0, channels = 0, frames = 0;
        char encoding[16];
        read_line(capture.lines.at(0), "payload %u bytes: %15s %u Hz, %u channels, %u frames", &bytes, encoding, &rate,
                  &channels, &frames);
        const AudioFormat format = format_of(encoding, rate, channels);
        const Bytes payload = packet->payload();
        CHECK(payload.size() == bytes);
        CHECK(format.ticks_in(payload) == frames);
        if (is_opus(format.encoding)) continue;  // a frame amid a stream is decoded with those before it, below
        const auto samples = samples_of(format.encoding, payload);
        REQUIRE(samples.size() == frames * channels);
        float first[4], last = 0;
        double level = 0;
        read_line(capture.lines.at(1), "samples %f %f %f %f ... %f", &first[0], &first[1], &first[2], &first[3], &last);
        CHECK(std::equal(std::begin(first), std::end(first), samples.begin()));
        CHECK(samples.back() == last);
        read_line(capture.lines.at(2), "level %lf dB", &level);
        CHECK(level_db(samples) == Approx(level).margin(0.01));
        check_sound(capture.lines.at(3), samples, format, 0.1);
        // The carrier is at 1 MHz.
        if (capture.lines[3].rfind("tone", 0) == 0)
            CHECK(capture.lines[3].rfind("tone " + std::to_string(1'000'000 - tuned) + " Hz", 0) == 0);
    }
}

namespace {

// One format's samples, as they came out in a piece.
struct Piece {
    AudioFormat format;
    wire::RtpTime from;
    std::optional<std::int64_t> unix_ns;
    std::uint32_t ticks = 0;
    std::vector<float> samples;
#ifdef HAWSER_HAS_AUDIO
    std::optional<control::OpusAudio> opus{};
#endif

    void append(Bytes payload) {
        if (!is_opus(format.encoding)) {
            const auto more = samples_of(format.encoding, payload);
            samples.insert(samples.end(), more.begin(), more.end());
            return;
        }
#ifdef HAWSER_HAS_AUDIO
        if (!opus) opus = control::OpusAudio::open(format.channels);
        for (const std::int16_t x : opus->decode(payload)) samples.push_back(static_cast<float>(x) / 32'768);
#endif
    }
};

struct Played {
    Stream stream;
    Instant now{1'000'000'000};
    std::vector<Piece> pieces;
    std::size_t packets = 0, statuses = 0;

    // As the corpus has them: 100 us since the one before, length, packet.
    void play(Bytes stretch) {
        while (stretch.size() >= 4) {
            now = now + Duration{std::int64_t{load_be16(stretch.data())} * 100'000};
            const std::size_t length = load_be16(stretch.data() + 2);
            REQUIRE(4 + length <= stretch.size());
            const Bytes packet = stretch.subspan(4, length);
            stretch = stretch.subspan(4 + length);
            Status status;
            if (!decode_status(packet, status))
                ++statuses, stream.on_status(status, now);
            else
                ++packets, stream.on_rtp(*wire::RtpPacket::over(packet), now);
            take_out();
        }
        for (; stream.next_deadline() != never; take_out()) now = stream.next_deadline();
    }
    void take_out() {
        while (const auto item = stream.next(now)) {
            if (item->kind == Stream::Kind::epoch) {
                pieces.push_back({item->format, item->timestamp, item->unix_ns, 0, {}});
                continue;
            }
            REQUIRE(item->kind == Stream::Kind::samples);
            REQUIRE_FALSE(pieces.empty());
            pieces.back().ticks += item->ticks;
            pieces.back().append(item->payload);
        }
    }
};

void check_piece(const std::string& line, const std::string& sound, const Piece& piece) {
    INFO(line);
    char encoding[16], utc[32];
    unsigned rate = 0, channels = 0, ticks = 0, from = 0;
    read_line(line, "%15s %u Hz, %u channels: %u ticks from %u, UTC %31s", encoding, &rate, &channels, &ticks, &from,
              utc);
    CHECK(piece.format == format_of(encoding, rate, channels));
    CHECK(piece.ticks == ticks);
    CHECK(piece.from.raw() == from);
    std::string told = "unknown";
    if (piece.unix_ns) {
        char text[32];
        std::snprintf(text, sizeof text, "%lld.%09lld", static_cast<long long>(*piece.unix_ns / 1'000'000'000),
                      static_cast<long long>(*piece.unix_ns % 1'000'000'000));
        told = text;
    }
    CHECK(told == utc);
    if (piece.samples.empty()) return;  // Opus, built without its library
    // The decoder begins amid the stream, and the encoder had only begun: both need some frames.
    const bool is_coded = is_opus(piece.format.encoding);
    check_sound(sound, std::span(piece.samples).subspan(is_coded ? std::size_t{5} * 960 : 0), piece.format,
                is_coded ? 1 : 0.1);
}

}  // namespace

TEST_CASE("every captured stretch of a stream comes out as the pieces that are told of it", "[captures]") {
    for (const Capture& capture : captures_of(HAWSER_TESTS, "radio_stream")) {
        INFO(capture.name);
        std::size_t packets = 0, statuses = 0, unexplained = 0;
        read_line(capture.title, "%zu packets, %zu statuses, %zu unexplained", &packets, &statuses, &unexplained);
        REQUIRE(std::equal(capture.bytes.begin(), capture.bytes.begin() + 4, "RTP+"));
        Played played;
        played.play(Bytes(capture.bytes).subspan(4));
        CHECK(played.packets == packets);
        CHECK(played.statuses == statuses);
        CHECK(played.stream.quality().undecodable == unexplained);
        CHECK(played.stream.quality().packets == packets - unexplained);
        CHECK(played.stream.quality().completeness() == 1);
        REQUIRE(capture.lines.size() == 2 * played.pieces.size());
        for (std::size_t i = 0; i < played.pieces.size(); ++i)
            check_piece(capture.lines[2 * i], capture.lines[2 * i + 1], played.pieces[i]);
    }
}
