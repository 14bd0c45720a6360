// SPDX-License-Identifier: MIT
// A channel's stream on its way into files: its time, what a restart leaves out, what another format does.
#include "platform/control/radio/channel_recording.h"

#include <poll.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "tests/io/folder.h"
#include "tests/radio/samples.h"

using namespace hawser;
using namespace hawser::control;
using radio::AudioFormat;
using radio::Encoding;
using radio::Stream;

namespace {

constexpr std::int64_t s_ns = 1'000'000'000;
constexpr std::int64_t noon_ns = 1'795'262'400 * s_ns;  // 2026-11-21 12:00:00 UTC
constexpr std::uint32_t block = 240;                    // 20 ms at 12 kHz

struct Fixture {
    explicit Fixture(ChannelRecording::Settings settings = {}) {
        char name[] = "/tmp/hawser-channel-XXXXXX";
        folder = ::mkdtemp(name);
        settings.pattern = folder + "/%H%M%S";
        recording.emplace(recorder, settings, NameFields{});
    }
    ~Fixture() { std::filesystem::remove_all(folder); }

    void epoch(const AudioFormat& to) {
        format = to;
        recording->on_item({Stream::Kind::epoch, {}, 0, format, {}, {}});
    }
    // Blocks of a constant level; the time of the first, or none.
    void blocks(int count, float level, std::optional<std::int64_t> at) {
        for (int i = 0; i < count; ++i) {
            std::vector<std::uint8_t> payload;
            for (std::uint32_t j = 0; j < block * format.channels; ++j)
                radio_tests::append_sample(format.encoding, level, payload);
            Stream::Item item{Stream::Kind::samples, {}, block, format, payload, {}};
            if (at) item.unix_ns = *at + std::int64_t{i} * block * s_ns / format.samprate;
            recording->on_item(item);
        }
    }
    void gap(std::uint32_t ticks) { recording->on_item({Stream::Kind::gap, {}, ticks, format, {}, {}}); }
    // Names and samples of the files, when all of it is written.
    std::map<std::string, std::vector<std::int16_t>> finish() {
        recording->finish();
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (!recording->is_closed() && std::chrono::steady_clock::now() < end) {
            pollfd fd{recorder.fd(), POLLIN, 0};
            ::poll(&fd, 1, 100);
            for (const auto& event : recorder.take()) REQUIRE(recording->on_event(event));
        }
        REQUIRE(recording->is_closed());
        std::map<std::string, std::vector<std::int16_t>> files;
        for (const auto& entry : std::filesystem::directory_iterator(folder)) {
            std::ifstream in(entry.path(), std::ios::binary);
            const std::vector<char> bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
            auto& samples = files[entry.path().filename()];
            for (std::size_t i = wav_header_bytes; i + 1 < bytes.size(); i += 2)
                samples.push_back(static_cast<std::int16_t>(static_cast<std::uint8_t>(bytes[i]) |
                                                            (static_cast<std::uint8_t>(bytes[i + 1]) << 8)));
        }
        return files;
    }

    std::string folder;
    Recorder recorder;
    std::optional<ChannelRecording> recording;
    AudioFormat format;
};

constexpr AudioFormat pcm{Encoding::s16be, 12'000, 1};

}  // namespace

TEST_CASE("what the writer drops of a channel is known of it to the end", "[channel_recording]") {
    const test::Folder folder;
    Recorder recorder(600);  // one block, as in recording_test.cc
    ChannelRecording::Settings settings;
    settings.pattern = folder.file("a");
    ChannelRecording recording(recorder, settings, NameFields{});
    recording.on_item({Stream::Kind::epoch, {}, 0, pcm, {}, {}});
    const std::vector<std::uint8_t> payload(block * 2);
    Stream::Item item{Stream::Kind::samples, {}, block, pcm, payload, noon_ns};
    for (int i = 0; i < 20'000; ++i, *item.unix_ns += s_ns / 50) recording.on_item(item);
    recording.finish();
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!recording.is_closed() && std::chrono::steady_clock::now() < end)
        for (const auto& event : recorder.take()) CHECK(recording.on_event(event));
    CHECK(recorder.figures().dropped > 0);
    CHECK(recording.dropped() == Duration{static_cast<std::int64_t>(recorder.figures().dropped) * s_ns / 50});
}

TEST_CASE("what came before the first status has its time from it", "[channel_recording]") {
    ChannelRecording::Settings settings;
    settings.period = Duration{s_ns};
    settings.fill = false;
    Fixture f(settings);
    f.epoch(pcm);
    // 0.4 s that nobody knew the time of: they began at a quarter second before noon.
    f.blocks(20, 0.25F, std::nullopt);
    f.blocks(1, 0.25F, noon_ns + 150'000'000);
    const auto files = f.finish();
    REQUIRE(files.size() == 2);
    CHECK(files.at("115959.wav").size() == 3000);
    CHECK(files.at("120000.wav").size() == 21 * block - 3000);
}

TEST_CASE("a restart is a gap as long as it took, in the same recording", "[channel_recording]") {
    Fixture f;
    f.epoch(pcm);
    f.blocks(50, 0.25F, noon_ns);
    f.epoch(pcm);
    f.blocks(10, 0.25F, std::nullopt);
    f.blocks(10, 0.25F, noon_ns + 3 * s_ns + 200'000'000);  // the first of them at 3.2 s
    const auto files = f.finish();
    REQUIRE(files.size() == 1);
    const auto& samples = files.at("120000.wav");
    CHECK(samples.size() == 3 * 12'000 + 20 * block);
    CHECK(samples[11'999] == 8192);
    CHECK(samples[12'000] == 0);
    CHECK(samples[35'999] == 0);
    CHECK(samples[36'000] == 8192);
}

TEST_CASE("a clock that goes back takes nothing away", "[channel_recording]") {
    Fixture f;
    f.epoch(pcm);
    f.blocks(50, 0.25F, noon_ns);
    f.epoch(pcm);
    f.blocks(50, 0.25F, noon_ns - 5 * s_ns);
    CHECK(f.finish().at("120000.wav").size() == 24'000);
}

TEST_CASE("encodings that hold the same kind of samples share a recording, others begin one", "[channel_recording]") {
    Fixture f;
    f.epoch(pcm);
    f.blocks(5, 0.25F, noon_ns);
    f.epoch({Encoding::s16le, 12'000, 1});
    f.blocks(5, 0.25F, noon_ns + 100'000'000);
    f.epoch({Encoding::alaw, 12'000, 1});
    f.blocks(5, 0.25F, noon_ns + 200'000'000);
    f.epoch({Encoding::s16be, 16'000, 1});
    f.blocks(5, 0.25F, noon_ns + 300'000'000);
    f.epoch({Encoding::s16be, 16'000, 2});
    f.blocks(5, 0.25F, noon_ns + 400'000'000);
    const auto files = f.finish();
    REQUIRE(files.size() == 3);
    const auto& first = files.at("120000.wav");
    REQUIRE(first.size() == 15 * block);
    for (const std::int16_t sample : first) CHECK(std::abs(sample - 8192) < 300);
}

TEST_CASE("whole periods begin at their boundary, to the sample", "[channel_recording]") {
    for (const std::int64_t off : {0, 1, 41'000, 42'000, 83'333, 500'000, 19'999'999}) {
        ChannelRecording::Settings settings;
        settings.period = Duration{s_ns};
        settings.whole_periods = true;
        settings.limit = Duration{3 * s_ns / 2};
        Fixture f(settings);
        f.epoch(pcm);
        f.blocks(200, 0.25F, noon_ns - s_ns / 2 + off);
        CHECK(f.recording->state() == ChannelRecording::State::done);
        const auto files = f.finish();
        REQUIRE(files.size() == 2);
        const auto& first = files.at("120000.wav");
        CHECK(first.size() == 12'000);
        // Within half a sample of the boundary: at most one is silence.
        CHECK(first[1] == 8192);
        CHECK(files.at("120001.wav").size() + (first[0] == 0 ? 1 : 0) >= 6'000);
        CHECK(files.at("120001.wav").size() <= 6'000);
    }
}

TEST_CASE("a limit is exact, and counts what is missing", "[channel_recording]") {
    ChannelRecording::Settings settings;
    settings.limit = Duration{700'000'000};
    Fixture f(settings);
    f.epoch(pcm);
    f.blocks(10, 0.25F, noon_ns);
    f.gap(2400);
    f.blocks(100, 0.25F, noon_ns + 400'000'000);
    CHECK(f.recording->state() == ChannelRecording::State::done);
    CHECK(f.recording->recorded() == Duration{700'000'000});
    const auto files = f.finish();
    REQUIRE(files.at("120000.wav").size() == 8'400);
    CHECK(files.at("120000.wav")[2400] == 0);
    CHECK(files.at("120000.wav")[4800] == 8192);
}

TEST_CASE("after a rest the next samples begin another file, at their own time", "[channel_recording]") {
    Fixture f;
    f.epoch(pcm);
    f.blocks(50, 0.25F, noon_ns);
    f.recording->rest();
    f.recording->rest();
    f.gap(60 * 12'000);
    f.blocks(25, 0.25F, noon_ns + 61 * s_ns);
    const auto files = f.finish();
    REQUIRE(files.size() == 2);
    CHECK(files.at("120000.wav").size() == 12'000);
    CHECK(files.at("120101.wav").size() == 6'000);
    CHECK(f.recording->recorded() == Duration{3 * s_ns / 2});
}

TEST_CASE("a channel whose time nobody tells is recorded all the same", "[channel_recording]") {
    Fixture f;
    f.epoch(pcm);
    f.blocks(120, 0.25F, std::nullopt);
    const auto files = f.finish();
    REQUIRE(files.size() == 1);
    CHECK(files.begin()->second.size() == 120 * block);
}
