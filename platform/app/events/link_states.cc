// SPDX-License-Identifier: MIT
#include "platform/app/events/link_states.h"

#include <optional>

#include "platform/app/sender_figures.h"

namespace hawser::app {

namespace {

std::optional<UplinkState> state_after(const Event& event) {
    switch (event.kind) {
        case EventKind::uplink_opened: return UplinkState::joining;
        case EventKind::uplink_open_failed: return UplinkState::closed;
        case EventKind::uplink_connected: return UplinkState::connected;
        case EventKind::uplink_silent: return UplinkState::silent;
        case EventKind::uplink_removed: return UplinkState::absent;
        case EventKind::uplink_error:
            if (event.b != 0) return UplinkState::closed;
            break;
        default: break;  // its connection stays as it is
    }
    return std::nullopt;
}

}  // namespace

bool is_of_connection(EventKind kind) {
    switch (kind) {
        case EventKind::uplink_connected:
        case EventKind::uplink_silent:
        case EventKind::uplink_refused:
        case EventKind::uplink_too_large:
        case EventKind::uplink_error:
        case EventKind::path_silent:
        case EventKind::path_answers: return true;
        default: return false;
    }
}

Json link_event_figures(const UplinkSnapshot& u) {
    Json out{{"window", u.window}, {"in_flight", u.in_flight}, {"nak_count", u.naks}, {"lost", u.lost}};
    // Not measured yet, or not any more.
    if (u.rtt.ns != 0) out["rtt_ms"] = u.rtt.ms();
    return out;
}

Json LinkStates::after(const Event& event) const {
    const auto state = state_after(event);
    return state && event.link.index() < links_max ? change(event.link, *state) : Json::object();
}

Json LinkStates::change(LinkId link, UplinkState state) const {
    Json out{{"state", state_text(state)}};
    const UplinkState before = states_[link.index()];
    if (before != state) out["state_before"] = state_text(before);
    return out;
}

Json LinkStates::enter(LinkId link, UplinkState state) {
    Json out = change(link, state);
    states_[link.index()] = state;
    return out;
}

void LinkStates::note(const Event& event) {
    // The receiver has forgotten them all: each joins anew.
    if (event.kind == EventKind::group_lost)
        for (UplinkState& state : states_)
            if (state == UplinkState::connected) state = UplinkState::joining;
    if (const auto state = state_after(event); state && event.link.index() < links_max)
        states_[event.link.index()] = *state;
}

}  // namespace hawser::app
