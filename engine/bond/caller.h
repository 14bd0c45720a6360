// SPDX-License-Identifier: MIT
// The one SRT caller whose stream is bonded: its address, its SRT session, and the range of sequences that answers
// may name. The first caller is taken; another is refused until the first has said goodbye or has been silent. One that
// has only dialled so far gives way much sooner than one whose connection is up.
// What cannot belong to the session (a foreign socket id, an ACK or NAK of what was never sent) is not let through:
// libsrt ends a connection over such packets (Haivision/srt#3088).
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "engine/base/endpoint.h"
#include "engine/base/time.h"
#include "engine/wire/loss_list.h"
#include "engine/wire/seq.h"
#include "engine/wire/srt.h"

namespace hawser::bond {

class Caller {
public:
    // A forward step that no loss explains: four of libsrt's default flow windows (25600 packets).
    static constexpr std::int32_t session_jump = 4 * 25600;
    // How far behind the newest sequence an answer may reach: the same bound backwards.
    static constexpr std::int32_t answer_reach = session_jump;
    // A caller without a connection repeats its handshake every 250 ms (Haivision/srt c39196c9, updateConnStatus), over
    // a socket that loses nothing: two missed, and it has gone.
    static constexpr Duration dialling_silence_max{500'000'000};
    // One that keeps dialling and hears nothing from the server. Not as short: an answer takes the uplinks' round trip,
    // and if two callers could drive each other out before any answer came, neither would ever be connected. Six
    // handshakes, half of libsrt's 3 s for connecting.
    static constexpr Duration dialling_unanswered_max{1'500'000'000};

    [[nodiscard]] bool has_caller() const { return locked_; }
    [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }
    [[nodiscard]] bool is(const Endpoint& from) const { return endpoint_ == from; }
    // Whether a packet from elsewhere may take the caller's place.
    [[nodiscard]] bool is_replaceable(Instant now, Duration idle_max) const {
        if (!locked_ || ended_ || now - heard_at_ >= idle_max) return true;
        if (is_established()) return false;
        return now - heard_at_ >= dialling_silence_max || now - answered_at_ >= dialling_unanswered_max;
    }
    // It has a connection: the server accepted it, or it sent what only a connected caller sends.
    [[nodiscard]] bool is_established() const { return established_ || newest_ != dialled_newest_; }
    [[nodiscard]] Instant heard_at() const { return heard_at_; }

    void lock(const Endpoint& from, Instant now) {
        *this = Caller{};
        endpoint_ = from;
        locked_ = true;
        heard_at_ = answered_at_ = now;
    }
    void unlock() { *this = Caller{}; }
    void heard(Instant now) { heard_at_ = now; }

    // A data packet's sequence. True when it opens a new session (none known, or a jump).
    bool on_data(wire::Seq31 sequence) {
        if (has_range_) [[likely]] {
            const std::int32_t step = wire::distance(newest_, sequence);
            if (step > -session_jump && step < session_jump) [[likely]] {
                if (step > 0) newest_ = sequence;
                return false;
            }
        }
        newest_ = sequence;
        has_range_ = true;
        established_ = true;
        return true;
    }
    // Any control packet of the caller's but a handshake: there is a connection, whoever saw it begin.
    void on_connected_control() { established_ = true; }
    // The server's socket, as the caller's own packets name it.
    void on_destination(std::uint32_t id) { server_id_ = id; }
    // The caller's own handshake. True when it opens a new session: another socket id than the last.
    bool on_handshake(const wire::Handshake& handshake) {
        ended_ = false;
        // An encoder that starts anew on the same port: it needs the answers to its induction under its new id.
        dialling_id_ = handshake.socket_id();
        acked_id_ = 0;
        if (handshake.request_type() != wire::handshake_conclusion) return false;
        if (socket_id_ == handshake.socket_id() && has_range_) return false;
        socket_id_ = handshake.socket_id();
        server_id_ = 0;
        newest_ = dialled_newest_ = handshake.initial_sequence().plus(-1);
        has_range_ = true;
        established_ = false;
        return true;
    }
    // The server's answer to a handshake of the caller's.
    void on_answer(const wire::Handshake& handshake, Instant now) {
        answered_at_ = now;
        if (handshake.request_type() == wire::handshake_conclusion) established_ = true;
    }
    // The last word of either side: the next caller need not wait.
    void on_shutdown() { ended_ = true; }
    [[nodiscard]] bool ended() const { return ended_; }

    // Whether a packet from the server may be meant for this caller.
    [[nodiscard]] bool accepts_destination(std::uint32_t destination) const {
        return (socket_id_ == 0 && dialling_id_ == 0) || accepts_answer(destination);
    }
    // A handshake answers one of the caller's own. Who joins in mid-stream takes packets for any socket until the
    // caller dials, but not the answer to a stranger's dialling.
    [[nodiscard]] bool accepts_answer(std::uint32_t destination) const {
        return destination != 0 && (destination == socket_id_ || destination == dialling_id_);
    }
    [[nodiscard]] bool accepts_ack(wire::Seq31 next_expected) const {
        if (!has_range_) return false;
        const std::int32_t behind = wire::distance(next_expected, newest_.plus(1));
        return behind >= 0 && behind < answer_reach;
    }
    [[nodiscard]] bool accepts_losses(const wire::LossList& losses) const {
        if (!has_range_) return false;
        bool inside = true;
        losses.each_range([&](wire::LossRange range) {
            const std::int32_t behind = wire::distance(range.first, newest_);
            inside = inside && behind < answer_reach && wire::distance(range.last, newest_) >= 0;
        });
        return inside;
    }
    // Whom the server's ACK was for: no other word is of a caller whose handshake an earlier run of ours has seen.
    void on_ack(std::uint32_t destination) { acked_id_ = destination; }
    // 0: not known.
    [[nodiscard]] std::uint32_t socket_id() const { return socket_id_ != 0 ? socket_id_ : acked_id_; }
    // The other end's; 0 as there.
    [[nodiscard]] std::uint32_t server_id() const { return server_id_; }
    [[nodiscard]] wire::Seq31 newest() const { return newest_; }

private:
    // Where no packet comes from, so that one comparison says both that there is a caller and that it is this one.
    static constexpr Endpoint nobody() {
        Endpoint e;
        e.reserved = 1;
        return e;
    }

    Endpoint endpoint_ = nobody();
    Instant heard_at_;
    Instant answered_at_;  // by the server while dialling, or locked
    std::uint32_t socket_id_ = 0;
    std::uint32_t acked_id_ = 0;
    std::uint32_t server_id_ = 0;
    std::uint32_t dialling_id_ = 0;  // of the caller's last handshake; 0: none
    wire::Seq31 newest_;
    wire::Seq31 dialled_newest_;  // what newest_ is until the first data packet after a conclusion
    bool locked_ = false;
    bool established_ = false;
    bool ended_ = false;
    bool has_range_ = false;
};

// The answer that refuses a caller's handshake: the same packet addressed back, with the refusal in its request type.
[[nodiscard]] std::optional<std::array<std::uint8_t, wire::handshake_bytes_min>> build_rejection(
    const wire::SrtPacket& handshake);

}  // namespace hawser::bond
