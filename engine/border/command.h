// SPDX-License-Identifier: MIT
// What the control thread asks of the pump thread: plain values through a ring, at most 64 taken per turn.
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>

#include "engine/base/endpoint.h"
#include "engine/base/socket_spec.h"
#include "engine/base/strong.h"
#include "engine/base/time.h"
#include "engine/border/selection.h"

namespace hawser {

// Addresses that one name may resolve to; more are ignored, with a log line by the control thread.
inline constexpr std::size_t resolved_max = 8;

struct Resolved {
    std::array<Endpoint, resolved_max> addresses{};  // in the order to try them
    std::uint32_t count = 0;
};

// Classes of uplinks, 1 before all others: a class carries what the ones before it have no room for, or all when none
// of them works. An operator gives out the first four. In the fifth is what has used up its budget and may go on. The
// last carries nothing while any other uplink works.
inline constexpr std::uint8_t priority_first = 1;
inline constexpr std::uint8_t priority_last = 4;
inline constexpr std::uint8_t priority_demoted = 5;
inline constexpr std::uint8_t priority_reserve = 6;

// What an operator says of an uplink, and what has become of its budget; it may change while the uplink stays.
struct UplinkSettings {
    bool metered = false;  // each byte costs money: second copies go by other links
    std::uint8_t priority = priority_first;
    std::uint64_t rate_cap = 0;  // bit/s on the wire, IP and UDP headers counted; 0: none

    friend bool operator==(const UplinkSettings&, const UplinkSettings&) = default;
};

struct UplinkSpec {
    Endpoint source;                      // local address; port 0
    char device[device_name_bytes] = {};  // empty: none
    UplinkSettings settings;
};

enum class CommandKind : std::uint8_t {
    add_uplink,       // link, uplink
    remove_uplink,    // link
    suspend_uplink,   // link: its device or address is gone. It keeps its place and history, and is not tried
    renew_uplink,     // link, uplink: there again, or another address; opened anew at once
    set_uplink,       // link, uplink: its settings only
    set_receiver,     // resolved: where the sender finds its receiver
    set_server,       // resolved: where the receiver finds its SRT server
    set_selection,    // selection
    set_silence,      // span: without a packet from the receiver, until an uplink counts as lost
    hold_recorder,    // the flight recorder rests, to be read: PumpSnapshot::recorder_held says from when on
    resume_recorder,  // it has been read
    publish,          // a snapshot now
    stop,             // say goodbye where the protocol can, then leave the loop
    hand_over,        // leave the loop; another run carries on what there is
};

struct Command {
    CommandKind kind = CommandKind::publish;
    LinkId link = no_link;
    UplinkSpec uplink;
    Resolved resolved;
    select::Settings selection;
    Duration span;
};
static_assert(std::is_trivially_copyable_v<Command>);

}  // namespace hawser
