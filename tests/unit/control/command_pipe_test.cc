// SPDX-License-Identifier: MIT
// Commands that are fed with audio: their text, what they get, and those that end early, badly or take nothing.
#include "platform/control/radio/command_pipe.h"

#include <poll.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <thread>

#include "platform/control/radio/recorder.h"
#include "tests/io/folder.h"

using namespace hawser;
using namespace hawser::control;
using Kind = RecordingEvent::Kind;

namespace {

using test::Folder;

RecordingSpec to_command(const std::string& command, Container container = Container::raw) {
    RecordingSpec spec;
    spec.samprate = 12'000;
    spec.container = container;
    spec.command = command;
    return spec;
}

// Of this process, whether they run or are zombies.
std::set<std::string> children_now() {
    std::set<std::string> all;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
        std::ifstream children(entry.path() / "children");
        for (std::string pid; children >> pid;) all.insert(pid);
    }
    return all;
}

// Everything that is told until so many recordings are over.
std::vector<RecordingEvent> events_of(Recorder& recorder, int recordings) {
    std::vector<RecordingEvent> all;
    while (recordings > 0) {
        pollfd p{recorder.fd(), POLLIN, 0};
        REQUIRE(::poll(&p, 1, 20'000) == 1);
        for (auto& e : recorder.take()) {
            recordings -= e.kind == Kind::closed || e.kind == Kind::failed ? 1 : 0;
            all.push_back(std::move(e));
        }
    }
    return all;
}

}  // namespace

TEST_CASE("a command's letters stand for what its channel is, and nothing from the network leaves its word") {
    const CommandFields fields{2, "hf; rm -rf $(HOME) `x`", "s16le", 14'074'000, 12'000, 14'074};
    CHECK(command_text("sox -r $r -c $c -t $f - $s.wav", fields) == "sox -r 12000 -c 2 -t s16le - 14074.wav");
    CHECK(command_text("$h $k $m", fields) == "14074000.0 14074.0000 14.0740000");
    CHECK(command_text("$d", fields) == "hf__rm_-rf___HOME___x_");
    for (const auto& [said, stands] :
         {std::pair{"--help", "_-help"}, {"..", "_."}, {".hidden", "_hidden"}, {"", "_"}}) {
        CommandFields hostile = fields;
        hostile.description = said;
        CHECK(command_text("$d", hostile) == stands);
    }
    CHECK(command_text("$$s $HOME $1 $", fields) == "$s $HOME $1 $");
}

TEST_CASE("a command gets what a file would have, and its end is waited for") {
    const Folder folder;
    const std::vector<std::uint8_t> block(480, 7);
    {
        Recorder recorder;
        const std::uint32_t raw = recorder.begin(to_command("cat > " + folder.path + "/raw"));
        const std::uint32_t wav = recorder.begin(to_command("cat > " + folder.path + "/wav", Container::wav));
        for (int i = 0; i < 50; ++i) {
            CHECK(recorder.samples(raw, std::nullopt, 240, block));
            CHECK(recorder.samples(wav, std::nullopt, 240, block));
        }
        recorder.gap(raw, 240);
        recorder.end(raw);
        recorder.end(wav);
        const auto events = events_of(recorder, 2);
        REQUIRE(events.size() == 4);
        // Either may end first.
        const auto first = std::find_if(events.begin(), events.end(), [raw](const auto& e) { return e.id == raw; });
        REQUIRE(first != events.end());
        CHECK(first->kind == Kind::finished);
        CHECK(first->path == "cat > " + folder.path + "/raw");
        CHECK(first->ticks == 51 * 240);
    }
    const std::string raw = folder.content("raw");
    REQUIRE(raw.size() == 51 * 480);
    CHECK(raw.substr(0, 50 * 480) == std::string(50 * 480, '\7'));
    CHECK(raw.substr(50 * 480) == std::string(480, '\0'));
    const std::string wav = folder.content("wav");
    CHECK(wav.size() == wav_header_bytes + 50 * 480);
    CHECK(wav.substr(0, 4) == "RIFF");
}

TEST_CASE("a command has default signals, though the writer has them blocked") {
    const Folder folder;
    Recorder recorder;
    const std::uint32_t id = recorder.begin(
        to_command("grep -E '^Sig(Blk|Ign)' /proc/self/status > " + folder.path + "/signals; cat > /dev/null"));
    CHECK(recorder.samples(id, std::nullopt, 240, std::vector<std::uint8_t>(480)));
    recorder.end(id);
    CHECK(events_of(recorder, 1).back().kind == Kind::closed);
    const std::string signals = folder.content("signals");
    CHECK(signals.substr(0, signals.find('\n')) == "SigBlk:\t0000000000000000");
    // Those of signal(7); libc keeps two of its own.
    const auto at = signals.find("SigIgn:\t");
    REQUIRE(at != std::string::npos);
    CHECK((std::stoull(signals.substr(at + 8), nullptr, 16) & 0x7FFF'FFFF) == 0);
}

TEST_CASE("a command that ends early, badly or takes nothing ends its recording in words, and no other") {
    const Folder folder;
    Recorder recorder;
    const std::uint32_t early = recorder.begin(to_command("exit 3"));
    RecordingSpec stuck_spec = to_command("exec sleep 3 > /dev/null");
    stuck_spec.command_patience = Duration{300'000'000};
    const std::uint32_t stuck = recorder.begin(stuck_spec);
    const std::uint32_t bad = recorder.begin(to_command("cat > /dev/null; exit 4"));
    const std::uint32_t good = recorder.begin(to_command("cat > " + folder.path + "/good"));
    const std::vector<std::uint8_t> part(100'000);
    for (int i = 0; i < 20; ++i) {  // twice a pipe
        CHECK(recorder.samples(early, std::nullopt, 50'000, part));
        CHECK(recorder.samples(stuck, std::nullopt, 50'000, part));
    }
    CHECK(recorder.samples(bad, std::nullopt, 50'000, part));
    CHECK(recorder.samples(good, std::nullopt, 50'000, part));
    for (const std::uint32_t id : {early, stuck, bad, good}) recorder.end(id);
    std::map<std::uint32_t, RecordingEvent> last;
    for (const RecordingEvent& e : events_of(recorder, 4))
        if (e.kind != Kind::closed) last[e.id] = e;
    CHECK(last[early].kind == Kind::failed);
    CHECK(last[early].text == "exit 3: write: Broken pipe; it ended with 3");
    CHECK(last[stuck].kind == Kind::failed);
    CHECK(last[stuck].text ==
          "exec sleep 3 > /dev/null: took nothing of its input for 0.3 s; it was ended by signal 15");
    CHECK(last[bad].kind == Kind::failed);
    CHECK(last[bad].text == "cat > /dev/null; exit 4: ended with 4");
    CHECK(last[good].kind == Kind::finished);
    CHECK(folder.content("good").size() == part.size());
}

TEST_CASE("a command that takes nothing and does not end when it is told to is killed, with what it started") {
    const Folder folder;
    const std::string deaf = "trap '' TERM; exec sleep 60 > /dev/null";
    // The first goes at once, the other, which it started, does not.
    const std::string half_deaf = "(" + deaf + ") & echo $! > " + folder.path + "/pid; wait";
    const bool is_over = GENERATE(false, true);  // its audio, when its patience is
    const auto begun = std::chrono::steady_clock::now();
    {
        Recorder recorder;
        std::map<std::uint32_t, std::string> commands;
        for (const std::string& command : {deaf, half_deaf}) {
            RecordingSpec spec = to_command(command);
            spec.command_patience = Duration{300'000'000};
            const std::uint32_t id = recorder.begin(spec);
            commands[id] = command;
            for (int i = 0; i < 20; ++i)  // twice a pipe
                CHECK(recorder.samples(id, std::nullopt, 50'000, std::vector<std::uint8_t>(100'000)));
            if (is_over) recorder.end(id);
        }
        std::map<std::uint32_t, std::string> told;
        for (const RecordingEvent& e : events_of(recorder, 2)) told[e.id] = e.text;
        for (const auto& [id, command] : commands)
            CHECK(told[id] == command + ": took nothing of its input for 0.3 s; it was ended by signal " +
                                  (command == deaf ? "9" : "15"));
    }
    const std::string started = folder.content("pid");
    CHECK(std::stoi(started) > 0);
    // A zombie of nobody's is somebody else's to bury.
    const auto has_ended = [&] {
        std::ifstream status("/proc/" + started.substr(0, started.find('\n')) + "/stat");
        std::string pid, name, state = "gone";
        status >> pid >> name >> state;
        return state == "gone" || state == "Z" || state == "X";
    };
    for (int i = 0; i < 200 && !has_ended(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    CHECK(has_ended());
    CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(10));
}

TEST_CASE("a command that is slow or stuck holds no other up: it loses samples of its own, and is named") {
    const Folder folder;
    // Blocks of 20 ms, each of one byte's value.
    constexpr std::uint32_t block_ticks = 960;
    const auto block_of = [](int i) {
        return std::vector<std::uint8_t>(block_ticks * 8, static_cast<std::uint8_t>(1 + i % 250));
    };
    constexpr int blocks = 800;  // 6 MB, in 4 s
    const std::string slow_command = "while [ $(dd bs=4096 count=1 status=none | wc -c) != 0 ]; do sleep 0.05; done";
    std::string expected;
    std::map<std::uint32_t, std::vector<RecordingEvent>> told;
    std::uint32_t slow = 0, stuck = 0, cat = 0;
    {
        Recorder recorder(1 << 20);  // less than a second of this, so that who waits for a command is found out
        const auto begin = [&recorder](const std::string& command) {
            RecordingSpec spec = to_command(command);
            spec.input = Input::f32;
            spec.samprate = 48'000;
            spec.channels = 2;
            spec.command_patience = Duration{1'000'000'000};
            return recorder.begin(spec);
        };
        slow = begin(slow_command);
        stuck = begin("exec sleep 30 > /dev/null");
        cat = begin("cat > " + folder.path + "/all");
        for (int i = 0; i < blocks; ++i) {
            const auto block = block_of(i);
            expected.append(block.begin(), block.end());
            for (const std::uint32_t id : {slow, stuck, cat})
                CHECK(recorder.samples(id, std::nullopt, block_ticks, block));
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        for (const std::uint32_t id : {slow, stuck, cat}) recorder.end(id);
        for (RecordingEvent& e : events_of(recorder, 3)) told[e.id].push_back(std::move(e));
        CHECK(recorder.figures().dropped == 0);
    }
    CHECK(folder.content("all") == expected);
    REQUIRE(told[cat].size() == 2);
    CHECK(told[cat].front().kind == Kind::finished);
    CHECK(told[cat].front().ticks == blocks * block_ticks);
    CHECK(told[stuck].back().kind == Kind::failed);
    CHECK(told[stuck].back().text ==
          "exec sleep 30 > /dev/null: took nothing of its input for 1 s; it was ended by signal 15");
    // What its pipe took nobody read either, but that is beyond our sight.
    CHECK(told[stuck].front().kind == Kind::dropped);
    CHECK(told[slow].front().kind == Kind::dropped);
    CHECK(told[slow].front().text == slow_command + " does not keep up");
    std::uint64_t lost = 0;
    for (const RecordingEvent& e : told[slow]) lost += e.kind == Kind::dropped ? e.ticks : 0;
    CHECK(lost > blocks * block_ticks / 4);
    CHECK(lost < blocks * block_ticks);
    CHECK(told[slow].back().text ==
          slow_command + ": took too little of its input in the time that it had for the rest; it still runs");
}

TEST_CASE("a command that catches up gets everything, an hour of silence too") {
    const Folder folder;
    Recorder recorder;
    const std::uint32_t id = recorder.begin(to_command("sleep 1; cat > " + folder.path + "/all"));
    const std::vector<std::uint8_t> second(24'000, 7);
    for (int i = 0; i < 60; ++i) CHECK(recorder.samples(id, std::nullopt, 12'000, second));
    recorder.gap(id, 3600 * 12'000);
    CHECK(recorder.samples(id, std::nullopt, 12'000, second));
    recorder.end(id);
    const auto events = events_of(recorder, 1);
    REQUIRE(events.size() == 2);
    CHECK(events[0].kind == Kind::finished);
    CHECK(events[0].ticks == 3661 * 12'000);
    const std::string all = folder.content("all");
    REQUIRE(all.size() == 3661 * 24'000);
    CHECK(all.find_first_not_of('\7') == 60 * 24'000);
    CHECK(all.find('\7', 60 * 24'000) == 3660 * 24'000);
}

TEST_CASE("what waits for a command is handed on as it is taken, though nothing more comes") {
    const Folder folder;
    Recorder recorder;
    RecordingSpec spec = to_command("sleep 0.3; cat > " + folder.path + "/all");
    spec.input = Input::f32;
    spec.samprate = 192'000;
    spec.channels = 2;
    const std::uint32_t id = recorder.begin(spec);
    const std::vector<std::uint8_t> block(80'000, 7);
    for (int i = 0; i < 100; ++i) CHECK(recorder.samples(id, std::nullopt, 10'000, block));
    // A pipe holds 1 MB: one in each flush would take 8 s.
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(4);
    const auto taken = [&folder] {
        std::error_code none_yet;
        const auto size = std::filesystem::file_size(folder.path + "/all", none_yet);
        return none_yet ? 0 : size;
    };
    while (taken() < 8'000'000 && std::chrono::steady_clock::now() < end)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    CHECK(taken() == 8'000'000);
    recorder.end(id);
    CHECK(events_of(recorder, 1).back().kind == Kind::closed);
}

TEST_CASE("the ends of commands are waited for together, and one that goes on is told as such") {
    const auto others = children_now();
    Recorder recorder;
    std::vector<std::uint32_t> slow;
    for (int i = 0; i < 5; ++i) {
        RecordingSpec spec = to_command("cat > /dev/null; exec sleep 2 > /dev/null");
        spec.command_patience = Duration{400'000'000};
        slow.push_back(recorder.begin(spec));
    }
    const std::uint32_t late = recorder.begin(to_command("cat > /dev/null; sleep 0.6; exit 5"));
    const std::uint32_t good = recorder.begin(to_command("cat > /dev/null"));
    const std::vector<std::uint8_t> block(480);
    for (std::uint32_t id = slow.front(); id <= good; ++id) CHECK(recorder.samples(id, std::nullopt, 240, block));
    const auto begun = std::chrono::steady_clock::now();
    for (std::uint32_t id = slow.front(); id <= good; ++id) recorder.end(id);
    std::map<std::uint32_t, RecordingEvent> last;
    for (const RecordingEvent& e : events_of(recorder, 7))
        if (e.kind != Kind::closed) last[e.id] = e;
    const auto took = std::chrono::steady_clock::now() - begun;
    CHECK(took < std::chrono::milliseconds(1900));  // one after the other: 2 s and more
    for (const std::uint32_t id : slow) CHECK(last[id].kind == Kind::running);
    CHECK(last[good].kind == Kind::finished);
    CHECK(last[late].kind == Kind::failed);
    CHECK(last[late].text == "cat > /dev/null; sleep 0.6; exit 5: ended with 5");
    // None is left as a zombie: they are looked after until they end.
    const auto end = begun + std::chrono::seconds(10);
    while (children_now().size() > others.size() && std::chrono::steady_clock::now() < end)
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    for (const std::string& pid : children_now()) CHECK(others.count(pid) == 1);
}

TEST_CASE("a recorder that ends waits for no command") {
    const auto begun = std::chrono::steady_clock::now();
    {
        Recorder recorder;
        for (int i = 0; i < 3; ++i) {
            const std::uint32_t id = recorder.begin(to_command("cat > /dev/null; exec sleep 3 > /dev/null"));
            CHECK(recorder.samples(id, std::nullopt, 240, std::vector<std::uint8_t>(480)));
            recorder.end(id);
        }
    }
    CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(2));
}

TEST_CASE("a command's input is one: it is not cut") {
    RecordingSpec spec = to_command("cat");
    CHECK(spec.refusal().empty());
    spec.period = Duration{15'000'000'000};
    CHECK(spec.refusal() == "a command's input cannot be cut into files");
}
