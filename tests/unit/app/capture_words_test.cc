// SPDX-License-Identifier: MIT
// The words of a recording are read as they were written, for every decision there is.
#include <catch2/catch.hpp>

#include "engine/border/counters.h"
#include "engine/wire/srt.h"
#include "platform/app/flight/capture_words.h"
#include "platform/app/flight/flight_copy.h"
#include "platform/control/pcapng_reader.h"

using namespace hawser;
using namespace hawser::app;

namespace {

constexpr LinkId words_link{3};

FlightRecord words_record(Decision decision, std::uint16_t type) {
    FlightRecord r{};
    r.decision = decision;
    r.link = row_of(decision).is_uplink ? words_link : no_link;
    r.kept = FlightRecord::head_bytes_max;
    r.length = 44;
    r.number = 2;
    r.detail = 3;
    store_be16(r.head.data(), type);
    return r;
}

}  // namespace

TEST_CASE("each decision's words in a capture are read as that decision", "[flight]") {
    // Of media, of SRT's control packets, an SRTLA ACK.
    const auto type = static_cast<std::uint16_t>(GENERATE(0x1234, 0x8002, 0x9100));
    const std::string name = GENERATE("wwan0", "10.0.0.1", "a; sent first", "uplink", "");
    CAPTURE(type, name);
    FlightCopy copy;
    copy.ways[{uplink_way(0, words_link), Instant{}}] = {name, "uplink", {}, {}};
    copy.ways[{local_way(0), Instant{}}] = {"srt", caller_description(Duration{1'500'000'000}), {}, {}};
    for (const DecisionRow& row : decision_table) copy.records.push_back(words_record(row.id, type));
    std::string file;
    flight_capture(copy, [&file](std::string_view piece) {
        file += piece;
        return true;
    });
    auto reader = control::PcapngReader::open(file, "x");
    REQUIRE(reader);
    CHECK(is_application(reader->application()));
    CHECK(is_of_sender(reader->comment()) == true);
    for (const DecisionRow& row : decision_table) {
        const auto packet = reader->next();
        REQUIRE(packet);
        REQUIRE(packet->has_value());
        const auto& way = reader->interfaces().at((**packet).interface);
        CAPTURE((**packet).comment);
        CHECK(decision_in((**packet).comment, way.name) == row.id);
        CHECK((**packet).is_outbound == row.is_outbound);
        if (!row.is_uplink) CHECK(latency_in(way.description) == Duration{1'500'000'000});
    }
}

TEST_CASE("other words are no decision", "[flight]") {
    for (const char* comment :
         {"", "uplink", "uplink wwan0", "uplink wwan0; ", "uplink wwan0; sen", "uplink wwan1; sent first",
          "wwan0; sent first", "uplink wwan0; given up: no uplink brings it in time"})
        CHECK_FALSE(decision_in(comment, "wwan0"));
    CHECK(decision_in("uplink wwan0; sent first, seq 1", "wwan0") == Decision::sent);
}

TEST_CASE("which end's a recording is, and the latency, are read as they were written", "[flight]") {
    CHECK(is_of_sender(capture_comment(true)) == true);
    CHECK(is_of_sender(capture_comment(false)) == false);
    CHECK_FALSE(is_of_sender("What became of it?"));
    CHECK_FALSE(is_application("Dumpcap (Wireshark)"));
    for (const char* text : {"", "the SRT caller", "the SRT caller, latency  ms", "the SRT caller, latency -5 ms",
                             "the SRT caller, latency 5 s", "the SRT caller, latency 99999999999999999999 ms"})
        CHECK_FALSE(latency_in(text));
}
