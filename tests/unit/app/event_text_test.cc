// SPDX-License-Identifier: MIT
// The sentences that other programs and operators read. belaUI searches the sender's stderr for two of them.
#include <catch2/catch.hpp>

#include <cerrno>

#include "platform/app/event_text.h"

using namespace hawser;
using app::describe;
using Catch::Contains;

namespace {

std::string text_of(EventKind kind, std::uint32_t a) {
    Event event;
    event.kind = kind;
    event.a = a;
    app::EventNames names;
    names.receiver = "relay:5000";
    return describe(event, names).text;
}

}  // namespace

TEST_CASE("what belaUI searches for is said word for word") {
    CHECK_THAT(text_of(EventKind::no_connection, 0), Contains("Failed to establish any initial connections"));
    CHECK_THAT(text_of(EventKind::no_connection, 1), Contains("no available connections"));
    // It takes the first one for a start that failed, so a later loss must not say it.
    CHECK_THAT(text_of(EventKind::no_connection, 1), !Contains("initial"));
    CHECK_THAT(text_of(EventKind::gave_up, 1), !Contains("initial"));
}

TEST_CASE("a session whose handshake was not seen is told without an id that nobody has") {
    CHECK_THAT(text_of(EventKind::session_started, 0x2d542078), Contains("0x2d542078 begins"));
    CHECK_THAT(text_of(EventKind::session_started, 0), !Contains("0x") && Contains("under way"));
}

TEST_CASE("a group without a descriptor is not laid to the SRT server") {
    CHECK_THAT(text_of(EventKind::receiver_server_refused, EMFILE),
               Contains("no socket towards the SRT server (Too many"));
    CHECK_THAT(text_of(EventKind::receiver_server_refused, ECONNREFUSED), Contains("SRT server: Connection refused"));
}
