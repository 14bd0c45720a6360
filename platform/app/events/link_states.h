// SPDX-License-Identifier: MIT
// What events say that a sender's uplinks are: the state that each leaves its uplink in, and the one before.
// Control thread only.
#pragma once

#include <array>

#include "engine/base/strong.h"
#include "engine/border/event.h"
#include "engine/border/sender_snapshot.h"
#include "platform/app/figures.h"

namespace hawser::app {

// Of one uplink's connection: its figures belong to it.
[[nodiscard]] bool is_of_connection(EventKind kind);
// Those, under the names that get_stats has for them.
[[nodiscard]] Json link_event_figures(const UplinkSnapshot& uplink);

class LinkStates {
public:
    // `state`, and `state_before` where that was another: what it is after the event, which note() takes in. Empty for
    // events that change none.
    [[nodiscard]] Json after(const Event& event) const;
    void note(const Event& event);
    // The same two, of a state that the control thread brings about by itself; it is taken in.
    [[nodiscard]] Json enter(LinkId link, UplinkState state);

private:
    [[nodiscard]] Json change(LinkId link, UplinkState state) const;

    std::array<UplinkState, links_max> states_{};  // absent, to begin with
};

}  // namespace hawser::app
