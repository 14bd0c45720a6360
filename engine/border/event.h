// SPDX-License-Identifier: MIT
// What the pump thread tells the control thread: plain values, written without formatting. Control renders them,
// collapses equal ones and limits their rate.
#pragma once

#include <cstdint>
#include <type_traits>

#include "engine/base/endpoint.h"
#include "engine/base/strong.h"
#include "engine/base/time.h"

namespace hawser {

enum class EventKind : std::uint8_t {
    // Sender. `a` and `b` as said; `endpoint` where there is one.
    listening,           // endpoint: where SRT callers are expected
    listen_failed,       // a: errno
    uplink_opened,       // link, endpoint: local address
    uplink_open_failed,  // link, a: errno, endpoint: local address wanted
    uplink_connected,    // link: REG3 received
    uplink_silent,       // link, a: silence in ms
    uplink_refused,      // link: REG_ERR; a: times in a row
    uplink_removed,      // link
    uplink_too_large,    // link, a: datagram bytes, b: largest payload known to fit (0: unknown)
    uplink_error,        // link, a: errno; b: 1 when its socket is lost, to be opened anew
    group_created,       // the receiver answered REG1
    group_kept,          // the receiver still has the group of before it was out of reach, or of an earlier run of ours
    group_lost,          // the receiver knows the group no more
    receiver_changed,    // endpoint: the next resolved address is tried; a: its index
    no_connection,       // a: 1 when there had been one. Repeated each second while it lasts.
    gave_up,             // a: 1 when there had been a connection; the process is to end
    caller_locked,       // endpoint: an SRT caller was taken
    caller_refused,      // endpoint: another one while the first is live
    caller_gone,         // endpoint; a: 1 shutdown, 0 silence
    session_started,     // a: caller's SRT socket id, b: initial sequence
    session_ended,
    no_uplink_for_data,  // no link can take data; a: packets dropped since last told, 0: they wait
    no_srtla_acks,       // the receiver sends none: delivery is read from SRT ACKs
    resolve_wanted,      // the control thread is to look the receiver's name up again
    reserve_used,        // link: no other works, so what was stopped at its budget carries data
    reserve_spared,      // link; a: how long it was needed, in ms
    // Selector adaptive. Told when they have lasted, so that a link that flaps says so once.
    path_silent,        // link, a: packets under way on it; its connection may still be up
    path_answers,       // link, a: how long it did not, in ms
    giving_up,          // packets that cannot arrive in time are not sent; a: how many at once
    giving_up_ended,    // a: how many in all, b: over so many ms
    reports_answer,     // what the receiver made of the offer; a: 1: reports deliveries, b: 1: puts packets in order
    safe_rate_changed,  // what the encoder may send; kbit/s of media: a: now, b: as told last (0: not yet)
    // Budgets, by the control thread. `a`: percent.
    budget_warning,  // link; a: what is used, percent of the budget; b: bytes of it in MB
    budget_used_up,  // link; a: 1: it stops, 0: it goes after all others; b: bytes of it in MB
    budget_renewed,  // link: another month, or it was reset or changed; a: 1: it had been used up
    budget_unsaved,  // a: errno: the state file could not be written
    budget_saved,    // it can be again
    budget_redated,  // link: the clock went back; a: the month's first day now, as in 20261105, b: used in it, in MB
    // Receiver. `group`, `link` where there is one.
    receiver_listening,         // endpoint
    receiver_group_created,     // group, endpoint: of the REG1; asked for and granted: a: reports, b: reorder hold
    receiver_group_removed,     // group; a: RemovalReason
    receiver_group_evicted,     // group: it made room for another
    receiver_link_added,        // group, link, endpoint
    receiver_link_removed,      // group, link, endpoint; a: RemovalReason
    receiver_link_evicted,      // group, link, endpoint
    receiver_server_opened,     // group; a: local port of the socket towards the SRT server
    receiver_server_refused,    // group; a: errno, b: times in a row
    receiver_no_server,         // the SRT server's address is not known yet; a: packets dropped since last told
    receiver_session_started,   // group; a: caller's SRT socket id
    receiver_session_replaced,  // group; a: caller's SRT socket id: the encoder began anew
    receiver_session_refused,   // group; a: the handshake's request type (1000 + reason)
    receiver_session_ended,     // group
    receiver_refusing,          // registrations are refused; a: reason (RefusalReason), b: how many since last told
    receiver_uplink_error,      // a: errno on the listening socket
    receiver_hold_bounded,      // packets no longer wait for earlier ones, for lack of room; a: gaps since last told
};

enum class RemovalReason : std::uint8_t { silence, stopped, replaced, evicted };
enum class RefusalReason : std::uint8_t { table_full, group_full, foreign_address, rate, not_allowed, answer_rate };

struct Event {
    Instant at;
    EventKind kind = EventKind::listening;
    LinkId link = no_link;
    GroupId group = no_group;
    std::uint32_t a = 0;
    std::uint32_t b = 0;
    Endpoint endpoint;
};
static_assert(std::is_trivially_copyable_v<Event>);

}  // namespace hawser
