// SPDX-License-Identifier: MIT
#include "platform/app/rpc/event_json.h"

#include "platform/app/events/event_fields.h"
#include "platform/linux/sockaddr.h"

namespace hawser::app {

std::string_view name_of(EventKind kind) {
    switch (kind) {
        case EventKind::listening: return "listening";
        case EventKind::listen_failed: return "listen_failed";
        case EventKind::uplink_opened: return "uplink_opened";
        case EventKind::uplink_open_failed: return "uplink_open_failed";
        case EventKind::uplink_connected: return "uplink_connected";
        case EventKind::uplink_silent: return "uplink_silent";
        case EventKind::uplink_refused: return "uplink_refused";
        case EventKind::uplink_removed: return "uplink_removed";
        case EventKind::uplink_too_large: return "uplink_too_large";
        case EventKind::uplink_error: return "uplink_error";
        case EventKind::group_created: return "group_created";
        case EventKind::group_kept: return "group_kept";
        case EventKind::group_lost: return "group_lost";
        case EventKind::receiver_changed: return "receiver_changed";
        case EventKind::no_connection: return "no_connection";
        case EventKind::gave_up: return "gave_up";
        case EventKind::caller_locked: return "caller_locked";
        case EventKind::caller_refused: return "caller_refused";
        case EventKind::caller_gone: return "caller_gone";
        case EventKind::session_started: return "session_started";
        case EventKind::session_ended: return "session_ended";
        case EventKind::no_uplink_for_data: return "no_uplink_for_data";
        case EventKind::no_srtla_acks: return "no_srtla_acks";
        case EventKind::resolve_wanted: return "resolve_wanted";
        case EventKind::path_silent: return "path_silent";
        case EventKind::path_answers: return "path_answers";
        case EventKind::reserve_used: return "reserve_used";
        case EventKind::reserve_spared: return "reserve_spared";
        case EventKind::budget_warning: return "budget_warning";
        case EventKind::budget_used_up: return "budget_used_up";
        case EventKind::budget_renewed: return "budget_renewed";
        case EventKind::budget_unsaved: return "budget_unsaved";
        case EventKind::budget_saved: return "budget_saved";
        case EventKind::budget_redated: return "budget_redated";
        case EventKind::giving_up: return "giving_up";
        case EventKind::giving_up_ended: return "giving_up_ended";
        case EventKind::reports_answer: return "reports_answer";
        case EventKind::safe_rate_changed: return "safe_rate_changed";
        case EventKind::receiver_listening: return "receiver_listening";
        case EventKind::receiver_group_created: return "receiver_group_created";
        case EventKind::receiver_group_removed: return "receiver_group_removed";
        case EventKind::receiver_group_evicted: return "receiver_group_evicted";
        case EventKind::receiver_link_added: return "receiver_link_added";
        case EventKind::receiver_link_removed: return "receiver_link_removed";
        case EventKind::receiver_link_evicted: return "receiver_link_evicted";
        case EventKind::receiver_server_opened: return "receiver_server_opened";
        case EventKind::receiver_server_refused: return "receiver_server_refused";
        case EventKind::receiver_no_server: return "receiver_no_server";
        case EventKind::receiver_session_started: return "receiver_session_started";
        case EventKind::receiver_session_replaced: return "receiver_session_replaced";
        case EventKind::receiver_session_refused: return "receiver_session_refused";
        case EventKind::receiver_session_ended: return "receiver_session_ended";
        case EventKind::receiver_refusing: return "receiver_refusing";
        case EventKind::receiver_uplink_error: return "receiver_uplink_error";
        case EventKind::receiver_hold_bounded: return "receiver_hold_bounded";
    }
    return "?";
}

Json event_json(const Event& event, const EventLine& line, const EventNames& names) {
    Json out{{"event", name_of(event.kind)},
             {"monotonic_ms", event.at.ms()},
             {"level", name_of(line.level)},
             {"text", line.text}};
    if (event.link != no_link) {
        out["link"] = event.link.value;
        if (names.uplink != nullptr) out["name"] = names.uplink(names.context, event.link);
    }
    if (event.group != no_group) out["group"] = event.group.value;
    if (event.endpoint != Endpoint{}) out["endpoint"] = os::endpoint_text(event.endpoint);
    out.update(event_fields(event));
    return out;
}

}  // namespace hawser::app
