// SPDX-License-Identifier: MIT
#include "platform/app/events/event_fields.h"

#include <fmt/format.h>

#include <cstring>

#include "platform/control/quantity.h"

namespace hawser::app {

namespace {

constexpr std::uint64_t bits_per_kbit = 1000;

std::string_view name_of(RemovalReason reason) {
    switch (reason) {
        case RemovalReason::silence: return "silence";
        case RemovalReason::stopped: return "stopped";
        case RemovalReason::replaced: return "replaced";
        case RemovalReason::evicted: return "evicted";
    }
    return "?";
}

std::string_view name_of(RefusalReason reason) {
    switch (reason) {
        case RefusalReason::table_full: return "table_full";
        case RefusalReason::group_full: return "group_full";
        case RefusalReason::foreign_address: return "foreign_address";
        case RefusalReason::rate: return "rate";
        case RefusalReason::not_allowed: return "not_allowed";
        case RefusalReason::answer_rate: return "answer_rate";
    }
    return "?";
}

Json error_fields(std::uint32_t error) {
    return Json{{"errno", error}, {"error", std::strerror(static_cast<int>(error))}};
}
// As the sentences write it.
Json socket_field(std::uint32_t id) { return Json{{"srt_socket_id", fmt::format("{:#010x}", id)}}; }
std::uint64_t bytes_of(std::uint32_t megabytes) { return std::uint64_t{megabytes} * control::megabyte; }

Json uplink_fields(const Event& e) {
    switch (e.kind) {
        case EventKind::uplink_open_failed: return error_fields(e.a);
        case EventKind::uplink_silent: return Json{{"silent_ms", e.a}};
        case EventKind::uplink_refused: return Json{{"times", e.a}};
        case EventKind::uplink_too_large: {
            Json out{{"datagram_bytes", e.a}};
            if (e.b != 0) out["payload_bytes_max"] = e.b;
            return out;
        }
        case EventKind::uplink_error: {
            Json out = error_fields(e.a);
            out["socket_lost"] = e.b != 0;
            return out;
        }
        case EventKind::path_silent: return Json{{"in_flight", e.a}};
        case EventKind::path_answers: return Json{{"silent_ms", e.a}};
        case EventKind::reserve_spared: return Json{{"lasted_ms", e.a}};
        case EventKind::budget_warning: return Json{{"percent", e.a}, {"used_bytes", bytes_of(e.b)}};
        case EventKind::budget_used_up:
            return Json{{"percent", 100}, {"used_bytes", bytes_of(e.b)}, {"at_limit", e.a != 0 ? "stop" : "demote"}};
        case EventKind::budget_renewed: return Json{{"was_used_up", e.a != 0}};
        case EventKind::budget_redated:
            return Json{{"month_since", fmt::format("{:04}-{:02}-{:02}", e.a / 10'000, e.a / 100 % 100, e.a % 100)},
                        {"used_bytes", bytes_of(e.b)}};
        default: return Json::object();
    }
}

Json sender_fields(const Event& e) {
    switch (e.kind) {
        case EventKind::listen_failed:
        case EventKind::budget_unsaved: return error_fields(e.a);
        case EventKind::receiver_changed: return Json{{"index", e.a}};
        case EventKind::no_connection:
        case EventKind::gave_up: return Json{{"had_connection", e.a != 0}};
        case EventKind::caller_gone: return Json{{"reason", e.a != 0 ? "shutdown" : "silence"}};
        case EventKind::session_started: {
            Json out = e.a != 0 ? socket_field(e.a) : Json::object();
            out["sequence"] = e.b;
            return out;
        }
        case EventKind::no_uplink_for_data:
        case EventKind::giving_up: return Json{{"packets", e.a}};
        case EventKind::giving_up_ended: return Json{{"packets", e.a}, {"lasted_ms", e.b}};
        case EventKind::reports_answer: return Json{{"delivery_reports", e.a != 0}, {"reorder_hold", e.b != 0}};
        case EventKind::safe_rate_changed:
            return Json{{"safe_bits_per_second", e.a * bits_per_kbit},
                        {"safe_bits_per_second_before", e.b * bits_per_kbit}};
        default: return uplink_fields(e);
    }
}

}  // namespace

Json event_fields(const Event& e) {
    switch (e.kind) {
        case EventKind::receiver_group_created: return Json{{"delivery_reports", e.a != 0}, {"reorder_hold", e.b != 0}};
        case EventKind::receiver_group_removed:
        case EventKind::receiver_link_removed: return Json{{"reason", name_of(static_cast<RemovalReason>(e.a))}};
        case EventKind::receiver_server_opened: return Json{{"local_port", e.a}};
        case EventKind::receiver_server_refused: {
            Json out = error_fields(e.a);
            out["times"] = e.b;
            return out;
        }
        case EventKind::receiver_no_server: return Json{{"packets", e.a}};
        case EventKind::receiver_session_started:
        case EventKind::receiver_session_replaced: return socket_field(e.a);
        case EventKind::receiver_session_refused: return Json{{"srt_rejection", e.a}};
        case EventKind::receiver_refusing:
            return Json{{"reason", name_of(static_cast<RefusalReason>(e.a))}, {"count", e.b}};
        case EventKind::receiver_uplink_error: return error_fields(e.a);
        case EventKind::receiver_hold_bounded: return Json{{"gaps", e.a}};
        default: return sender_fields(e);
    }
}

}  // namespace hawser::app
