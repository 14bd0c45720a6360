// SPDX-License-Identifier: MIT
// Recordings of the flight recorder: whose packet it was, what stands beside it, and files within their bounds.
#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <new>
#include <string_view>

#include "engine/border/counters.h"
#include "engine/wire/srt.h"
#include "platform/app/flight/capture_words.h"
#include "platform/app/flight/flight_dumps.h"
#include "platform/app/text_file.h"
#include "tests/io/loop_until.h"

using namespace hawser;
using namespace hawser::app;
using Catch::Contains;

namespace {

constexpr LinkId uplink{3};

Instant at(std::int64_t ms) { return Instant{ms * 1'000'000}; }

std::vector<std::uint8_t> data_packet(std::uint32_t sequence) {
    std::vector<std::uint8_t> packet(wire::srt_header_bytes + 100, 0xEE);
    std::fill_n(packet.begin(), wire::srt_header_bytes, std::uint8_t{0});
    store_be32(packet.data(), sequence);
    return packet;
}

// A recorder, and what is written to it.
struct Recorded {
    explicit Recorded(std::size_t payload_bytes = 0)
        : cells(16 * FlightRecorder::stride(payload_bytes) / sizeof(FlightRecord)) {
        recorder.attach({reinterpret_cast<std::uint8_t*>(cells.data()), cells.size() * sizeof(FlightRecord)},
                        payload_bytes);
    }
    void note(Fate fate, LinkId link, Instant when, std::uint32_t sequence = 77) {
        recorder.note_data<wire::srt_header_bytes>(fate, link, data_packet(sequence), when);
    }
    [[nodiscard]] FlightCopy copy(bool is_sender) {
        recorder.hold();
        FlightCopy made = copy_flight(recorder, is_sender);
        recorder.resume();
        return made;
    }
    std::vector<FlightRecord> cells;
    FlightRecorder recorder;
};

SenderSnapshot with_uplink(LinkId link) {
    SenderSnapshot s;
    s.uplinks[link.index()].state = UplinkState::connected;
    return s;
}

struct Capture {
    std::string bytes;
    std::size_t pieces = 0;
    std::size_t bytes_of_piece_max = 0;
    std::uint64_t packets = 0;
};

Capture capture(const FlightCopy& copy) {
    Capture out;
    out.packets = flight_capture(copy, [&](std::string_view piece) {
        out.bytes += piece;
        ++out.pieces;
        out.bytes_of_piece_max = std::max(out.bytes_of_piece_max, piece.size());
        return true;
    });
    return out;
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
    return found;
}

}  // namespace

TEST_CASE("a packet is shown under the name that its uplink's place had at its time", "[flight]") {
    WayHistory history;
    history.begin(uplink_way(0, uplink), former_uplink("wwan0"), at(100));
    history.begin(uplink_way(0, uplink), former_uplink("usb1"), at(200));
    std::array<std::string, links_max> names;
    names[uplink.index()] = "usb1";
    Recorded recorded;
    for (const int ms : {50, 150, 199, 200, 250}) recorded.note({Decision::sent, 1, 0}, uplink, at(ms));
    FlightCopy copy = recorded.copy(true);
    copy.ways = flight_ways(history, with_uplink(uplink), names, Endpoint{});
    const std::string file = capture(copy).bytes;
    CHECK(count(file, "uplink wwan0; sent first") == 2);
    CHECK(count(file, "uplink usb1; sent first") == 2);
    // Of before the first that is known.
    CHECK(count(file, "uplink #3; sent first") == 1);
    // And after it is gone, with nobody in its place.
    copy.ways = flight_ways(history, SenderSnapshot{}, names, Endpoint{});
    CHECK(count(capture(copy).bytes, "uplink usb1; sent first") == 2);
}

TEST_CASE("a link's place in a group has the addresses of whoever had it then", "[flight]") {
    const Endpoint listen = Endpoint::from_v4(0x0A630002, 5000);
    const Endpoint first = Endpoint::from_v4(0x0A4D0101, 6001);
    const Endpoint second = Endpoint::from_v4(0x0A4D0202, 6002);
    WayHistory history;
    const GroupId group{1};
    history.begin(uplink_way(1, uplink), former_link(group, uplink, listen, first), at(100));
    history.begin(uplink_way(1, uplink), former_link(group, uplink, listen, second), at(200));
    const FlightWays ways = flight_ways(history, ReceiverSnapshot{}, listen);
    CHECK(way_at(ways, uplink_way(1, uplink), at(99)) == nullptr);
    CHECK(way_at(ways, uplink_way(1, uplink), at(100))->remote == first);
    CHECK(way_at(ways, uplink_way(1, uplink), at(200))->remote == second);
    CHECK(way_at(ways, uplink_way(2, uplink), at(200)) == nullptr);
    CHECK(way_at(ways, local_way(1), at(200)) == nullptr);
}

TEST_CASE("of those who had a way before, the last are known, and none is taken for another", "[flight]") {
    WayHistory history;
    constexpr int all = 2 * static_cast<int>(WayHistory::former_max);
    for (int i = 0; i < all; ++i)
        history.begin(uplink_way(0, uplink), former_uplink(std::to_string(i)), at(100 * (i + 1)));
    CHECK(history.all().size() == WayHistory::former_max + 1);
    CHECK(way_at(history.all(), uplink_way(0, uplink), at(150)) == nullptr);
    CHECK(way_at(history.all(), uplink_way(0, uplink), at(100 * all - 1))->name == std::to_string(all - 2));
    CHECK(way_at(history.all(), uplink_way(0, uplink), at(1'000'000))->name == std::to_string(all - 1));
}

TEST_CASE("payload is in a recording only where the recorder keeps it", "[flight]") {
    const std::size_t room = GENERATE(0u, 60u);
    Recorded recorded(room);
    recorded.note({Decision::sent, 1, 0}, uplink, at(1));
    const FlightCopy copy = recorded.copy(true);
    CHECK(copy.records.size() == 1);
    CHECK(copy.payload.size() == room);
    const Capture made = capture(copy);
    CHECK(made.packets == 1);
    CHECK(count(made.bytes, std::string(60, '\xEE')) == (room == 0 ? 0 : 1));
}

TEST_CASE("a long recording comes in pieces, and no more of it where one is not taken", "[flight]") {
    Recorded recorded;
    recorded.note({Decision::sent, 1, 0}, uplink, at(1));
    FlightCopy copy = recorded.copy(true);
    copy.records.resize(20'000, copy.records.front());
    const Capture made = capture(copy);
    CHECK(made.packets == 20'000);
    CHECK(made.bytes.size() > 2'000'000);
    CHECK(made.bytes_of_piece_max < 80'000);
    CHECK(count(made.bytes, "sent first") == 20'000);
    std::size_t pieces = 0;
    CHECK(flight_capture(copy, [&](std::string_view) { return ++pieces < 3; }) < 20'000);
    CHECK(pieces == 3);
}

TEST_CASE("what became of a packet stands beside it, with why", "[flight]") {
    Recorded recorded;
    recorded.note({Decision::too_late, 2, 0}, no_link, at(1));
    recorded.note({Decision::overtaken, 0, 0}, no_link, at(1));
    recorded.note({Decision::session_over, 0, 0}, no_link, at(1));
    recorded.note({Decision::local_refused, 0, ENOBUFS}, no_link, at(1));
    recorded.note({Decision::local_dropped, 0, static_cast<std::uint32_t>(Counter::drop_rate_cap)}, no_link, at(1));
    recorded.note({Decision::local_dropped, 41, static_cast<std::uint32_t>(Counter::drop_foreign_caller)}, no_link,
                  at(1));
    const FlightCopy copy = recorded.copy(true);
    std::vector<std::string> said;
    for (const FlightRecord& r : copy.records) said.push_back(flight_comment(r, "srt", true));
    CHECK(said[0] == "srt; given up: no uplink brings it in time, seq 77; sent 2 times before");
    CHECK(said[1] == "srt; given up unsent: the receiver waits for it no more, seq 77");
    CHECK(said[2] == "srt; dropped unsent: its session is over, seq 77");
    CHECK(said[3] == "srt; refused by the socket to the SRT side, seq 77: No buffer space available");
    CHECK_THAT(said[4], Contains("waited too long for an uplink that is at its rate cap (drop_rate_cap)"));
    CHECK_THAT(said[5], Contains("a second SRT caller") && Contains("; 41 of strangers left out before it"));
}

TEST_CASE("strangers have a way of their own, however many of them were left out", "[flight]") {
    Recorded recorded;
    for (const std::uint16_t left_out : {std::uint16_t{0}, std::uint16_t{900}})
        recorded.note({Decision::uplink_dropped, left_out, static_cast<std::uint32_t>(Counter::drop_unknown_source)},
                      no_link, at(1));
    const std::string file = capture(recorded.copy(false)).bytes;
    CHECK(count(file, "strangers; dropped") == 2);
    CHECK(count(file, "; 900 of strangers left out before it") == 1);
}

namespace {

struct Folder {
    Folder() { REQUIRE(::mkdtemp(path) != nullptr); }
    ~Folder() { std::filesystem::remove_all(path); }
    char path[32] = "/tmp/hawser-rec-XXXXXX";
};

// FlightDumps, and a pump that does what a test says.
struct Bench {
    Bench() {
        RecorderSettings settings;
        settings.folder = std::string(folder.path) + "/recordings";
        recorded.note({Decision::sent, 1, 0}, uplink, at(1));
        dumps.emplace(loop, settings, "send",
                      FlightDumps::Pump{[this](CommandKind kind) { orders.push_back(kind); },
                                        [this](std::function<void()> then) {
                                            asked.push_back(std::move(then));
                                            return true;
                                        },
                                        [this] { return is_still; },
                                        [this] {
                                            if (has_no_memory) throw std::bad_alloc();
                                            return recorded.copy(true);
                                        }});
        dumps->add_methods(methods);
    }
    void answer() {
        const auto now = std::exchange(asked, {});
        for (const auto& then : now) then();
    }
    [[nodiscard]] rpc::Json status() {
        rpc::Request request;
        request.method = "recorder.status";
        const auto outcome = methods.call(request, {});
        REQUIRE(outcome);
        return *outcome;
    }
    [[nodiscard]] bool ends() {
        return test::comes_true(loop, [this] { return status()["writing"] == false; });
    }
    Folder folder;
    control::Loop loop;
    rpc::Methods methods;
    Recorded recorded;
    std::vector<CommandKind> orders;
    std::vector<std::function<void()>> asked;
    bool is_still = true;
    bool has_no_memory = false;
    std::optional<FlightDumps> dumps;
};

}  // namespace

TEST_CASE("a recording is a file of its owner's alone, and the recorder goes on", "[flight]") {
    Bench b;
    const auto path = b.dumps->begin("a.pcapng");
    REQUIRE(path);
    CHECK(b.status()["writing"] == true);
    CHECK_FALSE(b.dumps->begin("b.pcapng"));
    b.answer();
    CHECK(b.orders == std::vector{CommandKind::hold_recorder, CommandKind::resume_recorder});
    REQUIRE(b.ends());
    CHECK(b.status()["last"]["packets"] == 1);
    struct stat s {};
    REQUIRE(::stat(path->c_str(), &s) == 0);
    CHECK((s.st_mode & 0777) == 0600);
    const auto again = b.dumps->begin("a.pcapng");
    REQUIRE_FALSE(again);
    CHECK_THAT(again.error(), Contains("there already"));
}

TEST_CASE("names that are no file of the folder's are refused", "[flight]") {
    Bench b;
    for (const char* name : {"../a", "/a", ".a", "-a", "a b", "a/b"}) CHECK_FALSE(b.dumps->begin(name));
    CHECK(b.orders.empty());
}

TEST_CASE("a pump that is not still yet is asked again, a bounded number of times", "[flight]") {
    Bench b;
    b.is_still = false;
    REQUIRE(b.dumps->begin("a"));
    int answers = 0;
    for (; !b.asked.empty() && answers < 100; ++answers) b.answer();
    CHECK(answers < 20);
    CHECK(b.status()["last"]["error"] == "the pump did not answer");
    CHECK(b.orders.back() == CommandKind::resume_recorder);
}

TEST_CASE("a recording that there is no memory for is told, and the next one may be asked for", "[flight]") {
    Bench b;
    b.has_no_memory = true;
    REQUIRE(b.dumps->begin("a"));
    b.answer();
    CHECK_THAT(b.status()["last"]["error"].get<std::string>(), Contains("no memory"));
    CHECK(b.orders.back() == CommandKind::resume_recorder);
    b.has_no_memory = false;
    REQUIRE(b.dumps->begin("a"));
    b.answer();
    REQUIRE(b.ends());
    CHECK(b.status()["last"]["packets"] == 1);
}

TEST_CASE("a full folder is refused, and takes a recording again when there is room", "[flight]") {
    Bench b;
    const std::string folder = std::string(b.folder.path) + "/recordings";
    std::filesystem::create_directory(folder);
    for (std::size_t i = 0; i < recordings_bound; ++i) std::ofstream(folder + "/" + std::to_string(i)) << "x";
    const auto refused = b.dumps->begin({});
    REQUIRE_FALSE(refused);
    CHECK_THAT(refused.error(), Contains("32 recordings already"));
    CHECK(b.orders.empty());
    std::filesystem::remove(folder + "/0");
    CHECK(b.dumps->begin({}));
    b.answer();
    CHECK(b.ends());
}

TEST_CASE("a recording that the pump's end overtook is written at the end, or told", "[flight]") {
    Bench b;
    const bool has_ended = GENERATE(true, false);
    b.is_still = has_ended;
    const auto path = b.dumps->begin("a");
    REQUIRE(path);
    b.dumps->finish();
    CHECK(b.status()["writing"] == false);
    CHECK(std::filesystem::exists(*path) == has_ended);
    CHECK(b.status()["last"].contains("error") != has_ended);
    b.answer();  // an answer that comes after all changes nothing
    CHECK(b.status()["writing"] == false);
}
