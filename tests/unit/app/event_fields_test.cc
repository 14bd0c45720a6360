// SPDX-License-Identifier: MIT
// What events bear beside their sentences: figures by name, each of one level.
#include <catch2/catch.hpp>

#include <cerrno>

#include "platform/app/events/event_fields.h"
#include "platform/app/events/link_states.h"
#include "platform/app/rpc/event_json.h"

using namespace hawser;
using namespace hawser::app;

namespace {

Event event_of(EventKind kind, std::uint32_t a = 0, std::uint32_t b = 0) {
    Event event;
    event.kind = kind;
    event.link = LinkId(2);
    event.a = a;
    event.b = b;
    return event;
}

}  // namespace

TEST_CASE("an event bears the figures of its sentence") {
    CHECK(event_fields(event_of(EventKind::uplink_silent, 4012)) == Json{{"silent_ms", 4012}});
    CHECK(event_fields(event_of(EventKind::budget_warning, 75, 7'500)) ==
          Json{{"percent", 75}, {"used_bytes", 7'500'000'000}});
    CHECK(event_fields(event_of(EventKind::budget_used_up, 1, 10))["at_limit"] == "stop");
    CHECK(event_fields(event_of(EventKind::budget_redated, 20261105, 3))["month_since"] == "2026-11-05");
    CHECK(event_fields(event_of(EventKind::caller_gone, 1)) == Json{{"reason", "shutdown"}});
    CHECK(event_fields(event_of(EventKind::safe_rate_changed, 4200, 3900)) ==
          Json{{"safe_bits_per_second", 4'200'000}, {"safe_bits_per_second_before", 3'900'000}});
    const Json error = event_fields(event_of(EventKind::uplink_error, ENETUNREACH, 1));
    CHECK(error["errno"] == ENETUNREACH);
    CHECK(error["error"] == "Network is unreachable");
    CHECK(error["socket_lost"] == true);
    CHECK(event_fields(event_of(EventKind::receiver_link_removed,
                                static_cast<std::uint32_t>(RemovalReason::silence))) == Json{{"reason", "silence"}});
    CHECK(event_fields(event_of(EventKind::receiver_refusing, static_cast<std::uint32_t>(RefusalReason::rate), 9)) ==
          Json{{"reason", "rate"}, {"count", 9}});
}

TEST_CASE("no event's figures hide what each event has, and all are of one level") {
    for (unsigned kind = 0; kind <= static_cast<unsigned>(EventKind::receiver_hold_bounded); ++kind) {
        const Json fields = event_fields(event_of(static_cast<EventKind>(kind), 1, 2));
        CAPTURE(kind);
        for (const auto& [key, value] : fields.items()) {
            CHECK(value.is_primitive());
            for (const char* own : {"event", "kind", "time", "monotonic_ms", "level", "text", "link", "name", "group",
                                    "endpoint", "uplink"})
                CHECK(key != own);
        }
    }
}

TEST_CASE("what clients are told has the figures too") {
    const Event event = event_of(EventKind::uplink_silent, 4012);
    const Json told = event_json(event, describe(event, {}), {});
    CHECK(told["event"] == "uplink_silent");
    CHECK(told["silent_ms"] == 4012);
    CHECK(told["link"] == 2);
}

TEST_CASE("an uplink's event tells its state, and the one before where it was another") {
    LinkStates states;
    const auto tell = [&](const Event& event) {
        Json out = states.after(event);
        states.note(event);
        return out;
    };
    CHECK(tell(event_of(EventKind::uplink_opened)) == Json{{"state", "joining"}, {"state_before", "absent"}});
    CHECK(tell(event_of(EventKind::uplink_connected)) == Json{{"state", "connected"}, {"state_before", "joining"}});
    CHECK(tell(event_of(EventKind::path_silent)).empty());
    CHECK(tell(event_of(EventKind::uplink_error, ENETUNREACH, 0)).empty());
    CHECK(tell(event_of(EventKind::uplink_silent)) == Json{{"state", "silent"}, {"state_before", "connected"}});
    CHECK(tell(event_of(EventKind::uplink_silent)) == Json{{"state", "silent"}});
    CHECK(tell(event_of(EventKind::uplink_connected))["state_before"] == "silent");
    CHECK(tell(event_of(EventKind::group_lost)).empty());
    CHECK(tell(event_of(EventKind::uplink_connected))["state_before"] == "joining");
    CHECK(tell(event_of(EventKind::uplink_error, ENODEV, 1))["state"] == "no socket");
    // Its interface goes, of which the pump tells nothing.
    CHECK(tell(event_of(EventKind::uplink_opened))["state_before"] == "no socket");
    CHECK(tell(event_of(EventKind::uplink_connected))["state_before"] == "joining");
    CHECK(states.enter(event_of(EventKind::uplink_opened).link, UplinkState::closed) ==
          Json{{"state", "no socket"}, {"state_before", "connected"}});
    CHECK(tell(event_of(EventKind::uplink_opened)) == Json{{"state", "joining"}, {"state_before", "no socket"}});
}

TEST_CASE("figures of a connection have get_stats' names, and no round trip before one was measured") {
    UplinkSnapshot u;
    u.window = 20'000;
    u.in_flight = 7;
    u.naks = 3;
    CHECK(link_event_figures(u) == Json{{"window", 20'000}, {"in_flight", 7}, {"nak_count", 3}, {"lost", 0}});
    u.rtt = Duration{43'700'000};
    CHECK(link_event_figures(u)["rtt_ms"] == 43);
    CHECK(is_of_connection(EventKind::path_silent));
    CHECK_FALSE(is_of_connection(EventKind::budget_warning));
}
