// SPDX-License-Identifier: MIT
// Recordings: what is in the files, where they are cut, what they are called, and what a sick disk does to them.
#include <catch2/catch.hpp>

#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <thread>

#include "platform/control/radio/recorder.h"
#include "tests/io/folder.h"
#ifdef HAWSER_HAS_AUDIO
#include <opus/opus.h>
#endif

using namespace hawser;
using namespace hawser::control;

namespace {

constexpr std::int64_t s_ns = 1'000'000'000;
constexpr std::int64_t noon_ns = 1'795'262'400 * s_ns;  // 2026-11-21 12:00:00 UTC
constexpr std::uint32_t rate = 12'000;
constexpr std::uint32_t block = 240;  // 20 ms
const std::atomic<bool> never_stops{false};

struct Folder : test::Folder {
    // Names in it, hidden ones too, in order.
    [[nodiscard]] std::vector<std::string> names() const {
        std::vector<std::string> out;
        for (const auto& entry : std::filesystem::directory_iterator(path)) out.push_back(entry.path().filename());
        std::sort(out.begin(), out.end());
        return out;
    }
    [[nodiscard]] std::vector<std::uint8_t> content(const std::string& name) const {
        const std::string text = test::Folder::content(name);
        return {text.begin(), text.end()};
    }
};

std::uint32_t le32(const std::vector<std::uint8_t>& bytes, std::size_t at) {
    return bytes.at(at) | (std::uint32_t{bytes.at(at + 1)} << 8) | (std::uint32_t{bytes.at(at + 2)} << 16) |
           (std::uint32_t{bytes.at(at + 3)} << 24);
}
std::vector<std::int16_t> samples_of(const std::vector<std::uint8_t>& wav) {
    std::vector<std::int16_t> out;
    for (std::size_t i = wav_header_bytes; i + 1 < wav.size(); i += 2)
        out.push_back(static_cast<std::int16_t>(wav[i] | (wav[i + 1] << 8)));
    return out;
}
Bytes bytes_of(const std::vector<std::int16_t>& samples) {
    return {reinterpret_cast<const std::uint8_t*>(samples.data()), samples.size() * 2};
}

RecordingSpec pcm(const Folder& folder, const std::string& pattern) {
    RecordingSpec spec;
    spec.samprate = rate;
    spec.pattern = folder.path + "/" + pattern;
    return spec;
}

// What a recording said.
struct Events {
    std::vector<RecordingEvent> all;
    Recording::Report report() {
        return [this](RecordingEvent e) { all.push_back(std::move(e)); };
    }
};

// Blocks of 20 ms whose samples count up from `first`, from `unix_ns` on.
void feed(Recording& recording, std::int64_t unix_ns, int blocks, int first = 1) {
    std::vector<std::int16_t> samples(block);
    for (int i = 0; i < blocks; ++i) {
        for (std::size_t k = 0; k < block; ++k)
            samples[k] =
                static_cast<std::int16_t>((first + i * static_cast<int>(block) + static_cast<int>(k)) % 30'000);
        recording.samples(unix_ns + std::int64_t{i} * s_ns / 50, block, bytes_of(samples));
    }
}

// Empty without the program.
std::string said_by(const std::string& command) {
    std::FILE* pipe = ::popen((command + " 2>/dev/null").c_str(), "r");
    std::string out;
    char line[256];
    while (pipe != nullptr && std::fgets(line, sizeof line, pipe) != nullptr) out += line;
    if (pipe != nullptr) ::pclose(pipe);
    return out;
}

}  // namespace

TEST_CASE("a reader never meets a half-written file") {
    const Folder folder;
    Events events;
    Recording recording(1, pcm(folder, "a.wav"), never_stops, events.report(), {});
    feed(recording, noon_ns, 50);
    CHECK(folder.names() == std::vector<std::string>{".a.wav.part"});
    recording.close();
    CHECK(folder.names() == std::vector<std::string>{"a.wav"});
    REQUIRE(events.all.size() == 2);
    CHECK(events.all[0].kind == RecordingEvent::Kind::finished);
    CHECK(events.all[0].path == folder.path + "/a.wav");
    CHECK(events.all[0].ticks == rate);
    CHECK(events.all[1].kind == RecordingEvent::Kind::closed);
    const auto samples = samples_of(folder.content("a.wav"));
    REQUIRE(samples.size() == rate);
    CHECK(samples.front() == 1);
    CHECK(samples.back() == 12'000);
}

TEST_CASE("a file that was cut off has a head that is right for what was flushed") {
    const Folder folder;
    Events events;
    Recording recording(1, pcm(folder, "a.wav"), never_stops, events.report(), {});
    feed(recording, noon_ns, 50);
    recording.flush();
    feed(recording, noon_ns + s_ns, 10);
    const auto wav = folder.content(".a.wav.part");
    CHECK(le32(wav, 4) == wav_header_bytes - 8 + rate * 2);
    CHECK(le32(wav, 76) == rate * 2);
    CHECK(wav.size() == wav_header_bytes + rate * 2);
}

TEST_CASE("other programs read the WAV files") {
    const Folder folder;
    Events events;
    RecordingSpec spec = pcm(folder, "a.wav");
    const bool is_float = GENERATE(false, true);
    if (is_float) spec.input = Input::f32;
    spec.channels = is_float ? 2 : 1;
    Recording recording(1, spec, never_stops, events.report(), {});
    const std::vector<std::uint8_t> second(rate * (is_float ? 8 : 2));
    recording.samples(noon_ns, rate, second);
    recording.close();
    const std::string said =
        said_by("ffprobe -v error -show_entries stream=codec_name,sample_rate,channels,duration -of csv=p=0 " +
                folder.path + "/a.wav");
    if (said.empty()) {
        WARN("skipped: no ffprobe");
        return;
    }
    CHECK(said == (is_float ? "pcm_f32le,12000,2,1.000000\n" : "pcm_s16le,12000,1,1.000000\n"));
}

TEST_CASE("what RIFF cannot count becomes RF64") {
    const auto text = [](const auto& h, std::size_t at) { return std::string(h.begin() + at, h.begin() + at + 4); };
    const auto u64 = [](const auto& h, std::size_t at) {
        std::uint64_t v = 0;
        for (std::size_t i = 8; i-- > 0;) v = v << 8 | h[at + i];
        return v;
    };
    constexpr std::uint64_t most = 0xFFFF'FFFE - (wav_header_bytes - 8);
    const auto last = wav_header(SampleFormat::s16, rate, 1, most);
    CHECK(text(last, 0) == "RIFF");
    CHECK(text(last, 12) == "JUNK");
    const auto first = wav_header(SampleFormat::s16, rate, 1, most + 2);
    CHECK(text(first, 0) == "RF64");
    CHECK(text(first, 12) == "ds64");
    CHECK(u64(first, 20) == most + 2 + wav_header_bytes - 8);
    CHECK(u64(first, 28) == most + 2);
    CHECK(u64(first, 36) == (most + 2) / 2);
}

TEST_CASE("files are cut at multiples of the period, and each is as long as the period") {
    const Folder folder;
    Events events;
    RecordingSpec spec = pcm(folder, "%H%M%S%1.wav");
    spec.period = Duration{7'500'000'000};
    {
        Recording recording(1, spec, never_stops, events.report(), {});
        feed(recording, noon_ns + 2 * s_ns, 1000);  // 12:00:02 to 12:00:22
    }
    CHECK(folder.names() == std::vector<std::string>{"1200000.wav", "1200075.wav", "1200150.wav"});
    const auto first = samples_of(folder.content("1200000.wav"));
    const auto second = samples_of(folder.content("1200075.wav"));
    CHECK(first.size() == rate * 75 / 10);
    CHECK(second.size() == rate * 75 / 10);
    CHECK(samples_of(folder.content("1200150.wav")).size() == rate * 7);
    // Silence until the first sample came; then its place is its time.
    CHECK(first.at(2 * rate - 1) == 0);
    CHECK(first.at(2 * rate) == 1);
    CHECK(second.at(0) == (1 + rate * 55 / 10) % 30'000);
}

TEST_CASE("a file's attributes say what is in it, by pcmrecord's names") {
    const Folder folder;
    if (::setxattr(folder.path.c_str(), "user.test", "1", 1, 0) != 0) {
        WARN("skipped: no attributes in /tmp");
        return;
    }
    Events events;
    RecordingSpec spec = pcm(folder, "%H%M%S%1.wav");
    spec.fields = {"hf", 14074, 14.074e6, "usb"};
    {
        Recording recording(1, spec, never_stops, events.report(), {});
        feed(recording, noon_ns + s_ns / 4, 50);
    }
    const auto attribute = [&](const std::string& name) {
        char value[64];
        const auto size = ::getxattr((folder.path + "/1200002.wav").c_str(), ("user." + name).c_str(), value, 64);
        return size < 0 ? std::string("none") : std::string(value, static_cast<std::size_t>(size));
    };
    CHECK(attribute("ssrc") == "14074");
    CHECK(attribute("frequency") == "14074000.000");
    CHECK(attribute("preset") == "usb");
    CHECK(attribute("encoding") == "s16le");
    CHECK(attribute("samprate") == "12000");
    CHECK(attribute("channels") == "1");
    CHECK(attribute("unixstarttime") == "1795262400.250000000");
}

TEST_CASE("without filling, a file begins with its first sample") {
    const Folder folder;
    Events events;
    RecordingSpec spec = pcm(folder, "%H%M%S%1.wav");
    spec.period = Duration{15 * s_ns};
    spec.fill = false;
    {
        Recording recording(1, spec, never_stops, events.report(), {});
        feed(recording, noon_ns + 2 * s_ns, 50);
        recording.gap(rate * 5);
        feed(recording, noon_ns + 8 * s_ns, 500);
    }
    CHECK(folder.names() == std::vector<std::string>{"1200020.wav", "1200150.wav"});
    CHECK(samples_of(folder.content("1200020.wav")).size() == rate * 8);
    CHECK(samples_of(folder.content("1200150.wav")).size() == rate * 3);
}

TEST_CASE("a gap is filled over the boundaries of files") {
    const Folder folder;
    Events events;
    RecordingSpec spec = pcm(folder, "%H%M%S.wav");
    spec.period = Duration{15 * s_ns};
    {
        Recording recording(1, spec, never_stops, events.report(), {});
        feed(recording, noon_ns, 50);
        recording.gap(rate * 40);
        feed(recording, noon_ns + 41 * s_ns, 50, 500);
    }
    CHECK(folder.names() == std::vector<std::string>{"120000.wav", "120015.wav", "120030.wav"});
    const auto last = samples_of(folder.content("120030.wav"));
    REQUIRE(last.size() == rate * 12);
    CHECK(last.at(11 * rate - 1) == 0);
    CHECK(last.at(11 * rate) == 500);
    CHECK(samples_of(folder.content("120015.wav")).size() == rate * 15);
}

TEST_CASE("scatter of the told time moves no sample, and a clock that is off is heeded at the next cut") {
    const Folder folder;
    Events events;
    RecordingSpec spec = pcm(folder, "%H%M%S.wav");
    spec.period = Duration{15 * s_ns};
    {
        Recording recording(1, spec, never_stops, events.report(), {});
        const std::vector<std::int16_t> samples(block, 7);
        for (int i = 0; i < 2000; ++i) {
            const std::int64_t scatter = (i % 7 - 3) * 1'000'000;
            // From the 1000th block on (12:00:20) the clock says 100 ms more.
            const std::int64_t off = i >= 1000 ? 100'000'000 : 0;
            recording.samples(noon_ns + i * s_ns / 50 + scatter + off, block, bytes_of(samples));
        }
    }
    const auto seconds = [&](const char* name) {
        return static_cast<double>(samples_of(folder.content(name)).size()) / rate;
    };
    CHECK(seconds("120000.wav") == Approx(15).margin(0.004));
    CHECK(seconds("120015.wav") == 15);
    // It began with the 100 ms that were passed over: silence.
    CHECK(samples_of(folder.content("120030.wav")).at(0) == 0);
    CHECK(seconds("120030.wav") == Approx(10.1).margin(0.005));
}

TEST_CASE("a name that is taken gets a number") {
    const Folder folder;
    std::ofstream(folder.path + "/a.wav") << "mine";
    Events events;
    for (int i = 0; i < 2; ++i) {
        Recording recording(1, pcm(folder, "a.wav"), never_stops, events.report(), {});
        feed(recording, noon_ns, 1);
    }
    CHECK(folder.names() == std::vector<std::string>{"a-2.wav", "a-3.wav", "a.wav"});
    CHECK(folder.content("a.wav").size() == 4);
}

TEST_CASE("names are made of the time and of what the channel is, and stay in their folder") {
    NameFields fields;
    fields.radio = "../../etc/passwd";
    fields.ssrc = 14'074;
    fields.frequency = 14'074'000;
    fields.preset = ".usb/\n";
    CHECK(file_name("{radio}/%Y%m%dT%H%M%S.%1Z_{frequency}_{preset}.wav", fields, noon_ns + 7'500'000'000) ==
          "_._.._etc_passwd/20261121T120007.5Z_14074000__usb__.wav");
    CHECK(file_name("{khz}-{ssrc}", fields, noon_ns) == "14074-14074");
    fields.source = "10.0.0.2";
    CHECK(file_name("{source}_{ssrc}", fields, noon_ns) == "10.0.0.2_14074");
    fields.source = "-fe80::1%eth0";
    CHECK(file_name("{source}", fields, noon_ns) == "_fe80__1_eth0");
    CHECK_FALSE(file_name("{nothing}.wav", fields, noon_ns));
    CHECK_FALSE(file_name("{khz", fields, noon_ns));
    CHECK_FALSE(file_name("", fields, noon_ns));
    CHECK_FALSE(file_name("folder/", fields, noon_ns));
}

TEST_CASE("a disk that takes no more ends that recording, keeps what it has, and leaves the others alone") {
    const Folder folder;
    rlimit old{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &old) == 0);
    const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{400'000, old.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    std::vector<RecordingEvent> events;
    {
        Recorder recorder;
        const std::uint32_t large = recorder.begin(pcm(folder, "large.wav"));
        const std::uint32_t little = recorder.begin(pcm(folder, "little.wav"));
        const std::vector<std::uint8_t> bytes(50'000);
        for (int i = 0; i < 20; ++i) CHECK(recorder.samples(large, noon_ns, 25'000, bytes));
        CHECK(recorder.samples(little, noon_ns, 25'000, bytes));
        recorder.end(large);
        recorder.end(little);
        while (std::none_of(events.begin(), events.end(),
                            [](const auto& e) { return e.kind == RecordingEvent::Kind::closed; })) {
            pollfd p{recorder.fd(), POLLIN, 0};
            REQUIRE(::poll(&p, 1, 10'000) == 1);
            for (auto& e : recorder.take()) events.push_back(std::move(e));
        }
    }
    ::setrlimit(RLIMIT_FSIZE, &old);
    std::signal(SIGXFSZ, old_handler);
    REQUIRE(events.size() == 3);
    CHECK(events[0].kind == RecordingEvent::Kind::failed);
    CHECK(events[0].text == folder.path + "/large.wav: write: File too large");
    CHECK(events[0].path == folder.path + "/large.wav");
    CHECK(events[1].kind == RecordingEvent::Kind::finished);
    const auto kept = folder.content("large.wav");
    CHECK(kept.size() == 400'000);
    CHECK(le32(kept, 76) == 400'000 - wav_header_bytes);
    CHECK(folder.content("little.wav").size() == wav_header_bytes + 50'000);
}

TEST_CASE("a file that is shorter than wanted is not kept, and that is told") {
    const Folder folder;
    Events events;
    {
        RecordingSpec spec = pcm(folder, "%H%M%S.wav");
        spec.period = Duration{2 * s_ns};
        spec.file_min = Duration{s_ns};
        spec.fill = false;
        Recording recording(1, spec, never_stops, events.report(), {});
        // The last half second of a period, a whole one, and a second and a half.
        const std::vector<std::uint8_t> half(rate);
        for (int i = 0; i < 8; ++i) recording.samples(noon_ns + 3 * s_ns / 2 + i * s_ns / 2, rate / 2, half);
    }
    CHECK(folder.names() == std::vector<std::string>{"120002.wav", "120004.wav"});
    REQUIRE(events.all.size() == 4);
    CHECK(events.all[0].kind == RecordingEvent::Kind::too_short);
    CHECK(events.all[0].ticks == rate / 2);
    CHECK(events.all[1].kind == RecordingEvent::Kind::finished);
}

TEST_CASE("a folder that cannot be is a failure with its name") {
    const Folder folder;
    std::ofstream(folder.path + "/file") << "x";
    Events events;
    Recording recording(1, pcm(folder, "file/a.wav"), never_stops, events.report(), {});
    feed(recording, noon_ns, 1);
    REQUIRE(events.all.size() == 1);
    CHECK(events.all[0].text == folder.path + "/file/a.wav: open: Not a directory");
    CHECK(recording.is_over());
}

TEST_CASE("a recording that cannot be is refused in words") {
    const Folder folder;
    RecordingSpec spec = pcm(folder, "a.opus");
    spec.container = Container::ogg_opus;
    CHECK(spec.refusal() == "the channel does not send Opus, and nothing is encoded here");
    spec = pcm(folder, "{what}");
    CHECK(spec.refusal().find("is no pattern of a file name") != std::string::npos);
    spec = pcm(folder, "a.wav");
    spec.samprate = 0;
    CHECK_FALSE(spec.refusal().empty());
    spec = pcm(folder, "a.wav");
    spec.pattern.clear();
    spec.period = Duration{15 * s_ns};
    CHECK(spec.refusal() == "standard output cannot be cut into files");
}

TEST_CASE("what the queue does not take is counted, told, and a gap in the recording") {
    const Folder folder;
    std::vector<RecordingEvent> events;
    {
        // Room for one block: while the worker has it, another fits, and no third.
        Recorder recorder(600);
        const std::uint32_t id = recorder.begin(pcm(folder, "a.wav"));
        const std::vector<std::uint8_t> bytes(480);
        // What is dropped before the first is no gap.
        while (!recorder.samples(id, noon_ns, block, bytes)) std::this_thread::yield();
        const std::uint64_t before = recorder.figures().dropped;
        for (int i = 1; i < 20'000; ++i) recorder.samples(id, noon_ns + i * s_ns / 50, block, bytes);
        CHECK(recorder.figures().dropped > before);
        CHECK(recorder.figures().blocks + recorder.figures().dropped - before == 20'000);
        recorder.end(id);
        events = recorder.take();
        // All of it is told, also what was dropped last.
        std::uint64_t told = 0;
        for (const auto& e : events) told += e.kind == RecordingEvent::Kind::dropped ? e.ticks : 0;
        CHECK(told == recorder.figures().dropped * block);
    }
    CHECK(std::any_of(events.begin(), events.end(),
                      [](const auto& e) { return e.kind == RecordingEvent::Kind::dropped && e.ticks >= block; }));
    // What was dropped last is as long as it was, too.
    CHECK(folder.content("a.wav").size() == wav_header_bytes + 20'000 * 480);
}

TEST_CASE("nothing but an end goes past the queue's bound: gaps wait as a length, beginnings fail") {
    const Folder folder;
    std::vector<RecordingEvent> events;
    {
        Recorder recorder(600);
        const std::uint32_t id = recorder.begin(pcm(folder, "a.wav"));
        const std::vector<std::uint8_t> bytes(480);
        while (!recorder.samples(id, noon_ns, block, bytes)) std::this_thread::yield();
        for (int i = 0; i < 100'000; ++i) recorder.gap(id, 1);
        std::size_t begun = 0;
        for (int i = 0; i < 2000; ++i)
            if (const auto another = recorder.begin(pcm(folder, "never"))) recorder.end(another), ++begun;
        CHECK(begun == 2000);
        recorder.end(id);
        // One beginning and what ended behind it.
        CHECK(recorder.figures().queued_bytes_max <= 600 + 1024 + 4 * 64);
        events = recorder.take();
    }
    CHECK(std::any_of(events.begin(), events.end(), [](const auto& e) {
        return e.kind == RecordingEvent::Kind::failed && e.text == "the disk does not keep up with what is begun";
    }));
    CHECK(folder.content("a.wav").size() == wav_header_bytes + 480 + 100'000 * 2);
}

TEST_CASE("at the end everything that was queued is written") {
    const Folder folder;
    {
        Recorder recorder;
        for (int r = 0; r < 8; ++r) {
            const std::uint32_t id = recorder.begin(pcm(folder, std::to_string(r) + ".wav"));
            const std::vector<std::uint8_t> bytes(480);
            for (int i = 0; i < 500; ++i) REQUIRE(recorder.samples(id, noon_ns, block, bytes));
        }
    }
    for (int r = 0; r < 8; ++r)
        CHECK(folder.content(std::to_string(r) + ".wav").size() == wav_header_bytes + 500 * 480);
    CHECK(folder.names().size() == 8);
}

#ifdef HAWSER_HAS_AUDIO
namespace {

// A tone of 1 kHz, 20 ms a packet.
std::vector<std::vector<std::uint8_t>> opus_packets(int count) {
    int error = 0;
    OpusEncoder* encoder = ::opus_encoder_create(48'000, 1, OPUS_APPLICATION_AUDIO, &error);
    std::vector<std::vector<std::uint8_t>> packets;
    std::vector<std::int16_t> samples(960);
    for (int i = 0; i < count; ++i) {
        for (int k = 0; k < 960; ++k)
            samples[static_cast<std::size_t>(k)] =
                static_cast<std::int16_t>(8000 * std::sin((i * 960 + k) * 2 * 3.14159265358979 / 48));
        std::vector<std::uint8_t> packet(1500);
        packet.resize(static_cast<std::size_t>(::opus_encode(encoder, samples.data(), 960, packet.data(), 1500)));
        packets.push_back(packet);
    }
    ::opus_encoder_destroy(encoder);
    return packets;
}

RecordingSpec opus(const Folder& folder, Container container, const char* name) {
    RecordingSpec spec = pcm(folder, name);
    spec.input = Input::opus;
    spec.container = container;
    return spec;
}

}  // namespace

TEST_CASE("Opus packets pass into Ogg pages as they are, and missing time is kept") {
    const Folder folder;
    Events events;
    const auto packets = opus_packets(100);
    {
        Recording recording(1, opus(folder, Container::ogg_opus, "a.opus"), never_stops, events.report(), {});
        for (std::size_t i = 0; i < packets.size(); ++i) {
            if (i == 50) recording.gap(48'000);
            recording.samples(noon_ns, 960, packets[i]);
        }
    }
    REQUIRE(events.all.size() == 2);
    CHECK(events.all[0].ticks == 3 * 48'000);
    const auto file = folder.content("a.opus");
    for (const auto& p : packets) CHECK(std::search(file.begin(), file.end(), p.begin(), p.end()) != file.end());
    const std::string said =
        said_by("ffprobe -v error -show_entries stream=codec_name,channels:format=duration -of csv=p=0 " + folder.path +
                "/a.opus");
    if (said.empty()) {
        WARN("skipped: no ffprobe");
        return;
    }
    CHECK(said == "opus,1\n3.000000\n");
}

TEST_CASE("Opus packets become samples at 48 kHz where a WAV file is wanted") {
    const Folder folder;
    Events events;
    const auto packets = opus_packets(100);
    {
        Recording recording(1, opus(folder, Container::wav, "a.wav"), never_stops, events.report(), {});
        for (const auto& p : packets) recording.samples(noon_ns, 960, p);
        recording.gap(48'000);
        recording.samples(noon_ns, 960, std::vector<std::uint8_t>(3, 0xFF));  // no Opus packet: as long as a lost one
        recording.samples(noon_ns, 960, packets[0]);
    }
    const auto samples = samples_of(folder.content("a.wav"));
    REQUIRE(samples.size() == 2 * 48'000 + 48'000 + 2 * 960);
    int crossings = 0;
    for (std::size_t i = 48'001; i < 96'000; ++i) crossings += (samples[i - 1] < 0) != (samples[i] < 0) ? 1 : 0;
    CHECK(crossings == Approx(2000).margin(4));
}
#endif
