// SPDX-License-Identifier: MIT
#include "engine/bond/receiver_session.h"

namespace hawser::bond {

using wire::Handshake;
using wire::Seq31;
using wire::SrtControl;
using wire::SrtPacket;

// The first data packet of a session whose handshake went past unseen, or one far off: a run of strays that are near
// each other is followed, a lone one is not.
bool ServerSession::follow(Seq31 sequence) noexcept {
    if (!anchored_) {
        anchored_ = true;
        newest_ = sequence;
        return true;
    }
    const std::int32_t step = wire::distance(stray_, sequence);
    strays_ = strays_ != 0 && step >= -sequence_window && step <= sequence_window ? strays_ + 1 : 1;
    stray_ = sequence;
    if (strays_ < strays_to_follow) return false;
    strays_ = 0;
    newest_ = sequence;
    return true;
}

ServerSession::Verdict ServerSession::on_control(const SrtPacket& packet, Instant now, Duration quiet) noexcept {
    if (packet.control_type() == SrtControl::handshake) {
        const auto handshake = Handshake::over(packet);
        if (!handshake) return Verdict::malformed;
        // A caller knows no id of the server's until its conclusion was answered.
        if (packet.destination() != 0 && has_server_id_ && packet.destination() != server_id_)
            return Verdict::bad_destination;
        if (handshake->request_type() == wire::handshake_induction)
            return on_induction(handshake->socket_id(), now, quiet);
        if (handshake->request_type() == wire::handshake_conclusion) return on_conclusion(*handshake, now);
        return Verdict::forward;
    }
    if (has_server_id_ && packet.destination() != server_id_) return Verdict::bad_destination;
    return Verdict::forward;
}

bool ServerSession::is_late(std::uint32_t caller, Instant now) const {
    return has_previous_ && caller == previous_caller_ && now - begun_at_ < late_caller;
}

ServerSession::Verdict ServerSession::on_induction(std::uint32_t caller, Instant now, Duration quiet) noexcept {
    if (has_caller_ && caller == caller_id_ && !ended_) return Verdict::forward;
    if (!is_live()) {
        begin(caller, now);
        return Verdict::forward;
    }
    if (is_late(caller, now)) return Verdict::foreign_caller;
    if (data_seen_ && now - data_at_ < quiet) return Verdict::foreign_caller;
    return Verdict::replace;
}

ServerSession::Verdict ServerSession::on_conclusion(const Handshake& handshake, Instant now) noexcept {
    const std::uint32_t caller = handshake.socket_id();
    if (!has_caller_ || caller != caller_id_) {
        // Its induction was not let through, or never came by here.
        if (is_live()) return Verdict::foreign_caller;
        begin(caller, now);
    }
    isn_ = handshake.initial_sequence();
    has_isn_ = true;
    return Verdict::forward;
}

// Everything anew with this caller; the one before it stays known for its late packets.
void ServerSession::begin(std::uint32_t caller, Instant now) noexcept {
    const bool had_caller = has_caller_;
    const std::uint32_t old_caller = caller_id_;
    *this = ServerSession{};
    has_caller_ = true;
    caller_id_ = caller;
    has_previous_ = had_caller;
    previous_caller_ = old_caller;
    begun_at_ = now;
}

void ServerSession::end() noexcept { ended_ = true; }

ServerSession::Change ServerSession::on_server(const SrtPacket& packet) noexcept {
    if (packet.is_data() || packet.control_type() == SrtControl::ack) return Change::none;
    if (packet.control_type() == SrtControl::shutdown) {
        if (!is_live()) return Change::none;
        ended_ = true;
        return Change::ended;
    }
    const auto handshake = Handshake::over(packet);
    // An answer to a caller before this one says nothing of this one.
    if (!handshake || (has_caller_ && packet.destination() != caller_id_)) return Change::none;
    if (handshake->request_type() >= wire::handshake_rejection_min) {
        if (established_) return Change::none;
        return Change::refused;
    }
    if (handshake->request_type() != wire::handshake_conclusion) return Change::none;
    // The server repeats its answer until the caller is content: only the first, or another socket's, is news.
    if (has_server_id_ && server_id_ == handshake->socket_id()) return Change::none;
    server_id_ = handshake->socket_id();
    has_server_id_ = true;
    established_ = true;
    ended_ = false;
    strays_ = 0;
    if (has_isn_) {
        newest_ = isn_.plus(-1);
        anchored_ = true;
    }
    return Change::established;
}

std::optional<std::uint32_t> ServerSession::server_id() const {
    if (has_server_id_) return server_id_;
    if (data_seen_) return data_destination_;
    return std::nullopt;
}

}  // namespace hawser::bond
