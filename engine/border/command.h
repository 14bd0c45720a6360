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

// What an operator says of an uplink; it may change while the uplink stays.
struct UplinkSettings {
    bool metered = false;  // each byte costs money: second copies go by other links

    friend bool operator==(const UplinkSettings&, const UplinkSettings&) = default;
};

struct UplinkSpec {
    Endpoint source;                      // local address; port 0
    char device[device_name_bytes] = {};  // empty: none
    UplinkSettings settings;
};

enum class CommandKind : std::uint8_t {
    add_uplink,      // link, uplink
    remove_uplink,   // link
    suspend_uplink,  // link: its device or address is gone. It keeps its place and history, and is not tried
    renew_uplink,    // link, uplink: there again, or another address; opened anew at once
    set_uplink,      // link, uplink: its settings only
    set_receiver,    // resolved: where the sender finds its receiver
    set_server,      // resolved: where the receiver finds its SRT server
    set_selection,   // selection
    set_silence,     // span: without a packet from the receiver, until an uplink counts as lost
    publish,         // a snapshot now
    stop,            // say goodbye where the protocol can, then leave the loop
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
