// SPDX-License-Identifier: MIT
#include "platform/app/event_text.h"

#include <cerrno>
#include <cstring>

#include "platform/control/quantity.h"
#include "platform/linux/sockaddr.h"

namespace hawser::app {

namespace {

constexpr Duration repetition_window{1'500'000'000};

std::string errno_text(std::uint32_t value) { return std::strerror(static_cast<int>(value)); }

std::string_view removal_text(std::uint32_t reason) {
    switch (static_cast<RemovalReason>(reason)) {
        case RemovalReason::silence: return "silent for too long";
        case RemovalReason::stopped: return "stopping";
        case RemovalReason::replaced: return "replaced";
        case RemovalReason::evicted: return "its place was needed";
    }
    return "unknown reason";
}

std::string_view refusal_text(std::uint32_t reason) {
    switch (static_cast<RefusalReason>(reason)) {
        case RefusalReason::table_full: return "the group table is full";
        case RefusalReason::group_full: return "the group has all its links";
        case RefusalReason::foreign_address: return "the address belongs to another group";
        case RefusalReason::rate: return "too many groups from that network";
        case RefusalReason::not_allowed: return "the source is not allowed";
        case RefusalReason::answer_rate: return "too many questions from that network";
    }
    return "unknown reason";
}

std::string group_text(GroupId group) { return fmt::format("group {}", group.value); }

}  // namespace

EventLine describe(const Event& e, const EventNames& names) {
    const auto uplink = [&] {
        return names.uplink != nullptr && e.link != no_link ? names.uplink(names.context, e.link)
                                                            : fmt::format("uplink {}", e.link.value);
    };
    const auto at = [&] { return os::endpoint_text(e.endpoint); };
    switch (e.kind) {
        case EventKind::listening: return {Level::info, fmt::format("waiting for an SRT caller on {}", at())};
        case EventKind::listen_failed:
            return {Level::error, fmt::format("cannot listen on {}: {}", at(), errno_text(e.a))};
        case EventKind::uplink_opened: return {Level::info, fmt::format("uplink {}: socket {}", uplink(), at())};
        case EventKind::uplink_open_failed:
            return {Level::warn,
                    fmt::format("uplink {}: no socket ({}); trying again each second", uplink(), errno_text(e.a))};
        case EventKind::uplink_connected:
            return {Level::info, fmt::format("uplink {}: connection established", uplink())};
        case EventKind::uplink_silent:
            return {Level::warn, fmt::format("uplink {}: connection failed, attempting to reconnect (silent for {} ms)",
                                             uplink(), e.a)};
        case EventKind::uplink_refused:
            return {Level::warn, fmt::format("uplink {}: the receiver refused it ({} in a row)", uplink(), e.a)};
        case EventKind::uplink_removed: return {Level::info, fmt::format("uplink {}: removed", uplink())};
        case EventKind::uplink_too_large:
            return {Level::warn, fmt::format("uplink {}: datagrams of {} bytes are too large for it", uplink(), e.a)};
        case EventKind::uplink_error: return {Level::warn, fmt::format("uplink {}: {}", uplink(), errno_text(e.a))};
        case EventKind::group_kept: return {Level::info, fmt::format("connection group found again by {}", uplink())};
        case EventKind::group_created: return {Level::info, fmt::format("connection group registered by {}", uplink())};
        case EventKind::group_lost: return {Level::warn, "the receiver has forgotten the group: registering anew"};
        case EventKind::receiver_changed: return {Level::info, fmt::format("Trying to connect to {}...", at())};
        case EventKind::no_connection:
            if (e.a != 0) return {Level::error, "warning: no available connections"};
            return {Level::error, fmt::format("Failed to establish any initial connections to {}", names.receiver)};
        case EventKind::gave_up:
            return {Level::error, e.a != 0 ? fmt::format("Failed to re-establish any connections to {}", names.receiver)
                                           : fmt::format("no address of {} answered", names.receiver)};
        case EventKind::caller_locked: return {Level::info, fmt::format("SRT caller {}", at())};
        case EventKind::caller_refused:
            return {Level::warn, fmt::format("SRT caller {} refused: another one is live", at())};
        case EventKind::caller_gone:
            return {Level::info, fmt::format("SRT caller {} is gone ({})", at(), e.a != 0 ? "shutdown" : "silent")};
        case EventKind::session_started:
            // Its handshake came before this program: the caller's id is not known.
            if (e.a == 0) return {Level::info, "SRT session taken up under way"};
            return {Level::info, fmt::format("SRT session {:#010x} begins", e.a)};
        case EventKind::session_ended: return {Level::info, "the SRT server ended the session"};
        case EventKind::no_uplink_for_data:
            return {Level::error, e.a == 0 ? std::string("no available connections: packets wait")
                                           : fmt::format("no available connections: {} packets dropped", e.a)};
        case EventKind::no_srtla_acks:
            return {Level::warn, "the receiver sends no SRTLA ACKs: reading delivery from SRT ACKs"};
        case EventKind::reserve_used:
            return {Level::error,
                    fmt::format("uplink {}: its budget is used up, and no other uplink works: it goes on", uplink())};
        case EventKind::reserve_spared:
            return {Level::warn,
                    fmt::format("uplink {}: others work again; it went on for {} ms beyond its budget", uplink(), e.a)};
        case EventKind::budget_warning:
            return {Level::warn, fmt::format("uplink {}: {} % of its budget is used ({})", uplink(), e.a,
                                             control::amount_text(std::uint64_t{e.b} * control::megabyte))};
        case EventKind::budget_used_up:
            return {Level::error, fmt::format("uplink {}: its budget is used up ({}): {}", uplink(),
                                              control::amount_text(std::uint64_t{e.b} * control::megabyte),
                                              e.a != 0 ? "it stops" : "it goes after all others from now on")};
        case EventKind::budget_renewed:
            return {Level::info, fmt::format("uplink {}: its budget begins anew{}", uplink(),
                                             e.a != 0 ? ", and it takes its place again" : "")};
        case EventKind::budget_unsaved:
            return {Level::error,
                    fmt::format("what uplinks have used of their budgets cannot be saved: {}", errno_text(e.a))};
        case EventKind::budget_saved: return {Level::info, "what uplinks have used of their budgets is saved again"};
        case EventKind::budget_redated:
            return {
                Level::warn,
                fmt::format("uplink {}: the clock went back, so its month is the one since {:04}-{:02}-{:02}: {} used",
                            uplink(), e.a / 10'000, e.a / 100 % 100, e.a % 100,
                            control::amount_text(std::uint64_t{e.b} * control::megabyte))};
        case EventKind::path_silent:
            return {Level::warn,
                    fmt::format("uplink {}: no answer with {} packets under way; others go first", uplink(), e.a)};
        case EventKind::path_answers:
            return {Level::info, fmt::format("uplink {}: answers again, after {} ms", uplink(), e.a)};
        case EventKind::giving_up:
            return {Level::warn, fmt::format("packets cannot arrive in time and are not sent: {} so far", e.a)};
        case EventKind::giving_up_ended:
            return {Level::info, fmt::format("packets arrive in time again; {} were given up in {} ms", e.a, e.b)};
        case EventKind::reports_answer:
            if (e.a == 0)
                return {Level::info, "the receiver does not report deliveries: they are read from SRTLA ACKs"};
            return {Level::info, fmt::format("the receiver reports deliveries{}",
                                             e.b != 0 ? ", and packets wait there for earlier ones" : "")};
        case EventKind::safe_rate_changed:
            return {Level::debug, fmt::format("an encoder may send {} kbit/s of media now", e.a)};
        case EventKind::resolve_wanted: return {Level::debug, fmt::format("looking up {} again", names.receiver)};
        case EventKind::receiver_listening: return {Level::info, fmt::format("waiting for SRTLA senders on {}", at())};
        case EventKind::receiver_group_created:
            return {Level::info, fmt::format("{}: registered by {}{}{}", group_text(e.group), at(),
                                             e.a != 0 ? ", gets delivery reports" : "",
                                             e.b != 0 ? ", packets wait for earlier ones" : "")};
        case EventKind::receiver_group_removed:
            return {Level::info, fmt::format("{}: removed ({})", group_text(e.group), removal_text(e.a))};
        case EventKind::receiver_group_evicted:
            return {Level::warn, fmt::format("{}: removed to make room for another", group_text(e.group))};
        case EventKind::receiver_link_added:
            return {Level::info, fmt::format("{}: link {} from {}", group_text(e.group), e.link.value, at())};
        case EventKind::receiver_link_removed:
            return {Level::info, fmt::format("{}: link {} from {} removed ({})", group_text(e.group), e.link.value,
                                             at(), removal_text(e.a))};
        case EventKind::receiver_link_evicted:
            return {Level::warn,
                    fmt::format("{}: link {} from {} made room for another", group_text(e.group), e.link.value, at())};
        case EventKind::receiver_server_opened:
            return {Level::info, fmt::format("{}: speaks to the SRT server from port {}", group_text(e.group), e.a)};
        case EventKind::receiver_server_refused:
            // The limit of this process or of the machine, and no word of the server's.
            if (e.a == EMFILE || e.a == ENFILE)
                return {Level::warn, fmt::format("{}: no socket towards the SRT server ({}); trying again each second",
                                                 group_text(e.group), errno_text(e.a))};
            return {Level::warn,
                    fmt::format("{}: SRT server: {} ({} times)", group_text(e.group), errno_text(e.a), e.b)};
        case EventKind::receiver_session_started:
            return {Level::info, fmt::format("{}: SRT session {:#010x} begins", group_text(e.group), e.a)};
        case EventKind::receiver_session_replaced:
            return {Level::info,
                    fmt::format("{}: the encoder began anew, SRT session {:#010x}", group_text(e.group), e.a)};
        case EventKind::receiver_session_refused:
            return {Level::warn,
                    fmt::format("{}: the SRT server rejected the caller (reason {})", group_text(e.group), e.a)};
        case EventKind::receiver_session_ended:
            return {Level::info, fmt::format("{}: SRT session ended", group_text(e.group))};
        case EventKind::receiver_refusing:
            return {Level::warn, fmt::format("{} registrations refused: {}", e.b, refusal_text(e.a))};
        case EventKind::receiver_uplink_error:
            return {Level::warn, fmt::format("listening socket: {}", errno_text(e.a))};
        case EventKind::receiver_hold_bounded:
            return {Level::warn, fmt::format("{} gaps given up early: too many packets wait for earlier ones", e.a)};
        case EventKind::receiver_no_server:
            return {Level::warn, fmt::format("no address of the SRT server is known yet: {} packets dropped", e.a)};
    }
    return {Level::error, fmt::format("event {}", static_cast<unsigned>(e.kind))};
}

void EventLog::tell(const Event& event) {
    const EventLine line = describe(event, names_);
    if (line.text == last_text_ && event.at - last_.at < repetition_window && event.kind != EventKind::no_connection) {
        ++repeated_;
        last_.at = event.at;
        return;
    }
    flush();
    last_ = event;
    last_text_ = line.text;
    last_level_ = line.level;
    if (logs(line.level)) log_line(line.level, line.text);
}

void EventLog::flush() {
    if (repeated_ > 0) log(last_level_, "{} ({} more times)", last_text_, repeated_);
    repeated_ = 0;
}

}  // namespace hawser::app
