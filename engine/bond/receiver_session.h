// SPDX-License-Identifier: MIT
// The SRT session that one group carries, as the receiver sees it go by: who calls, which socket id the server gave,
// where its sequence numbers are. It judges what the sender's side may send to the server.
//
// Laws:
//  - Before a handshake was seen to succeed it lets everything plausible through: the receiver may have been started
//    in the middle of a session, or the server may speak a dialect.
//  - After it, packets for another socket id than the server's, and data far from the session's sequences, end here.
//  - A live session is replaced only by an induction of another caller, and only when no data has come for a while.
//    Repeats of the same induction, and late ones of the caller that was replaced, replace nothing.
//  - What the server says is believed: the socket towards it is connected, so nobody else can say it.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/base/time.h"
#include "engine/wire/srt.h"

namespace hawser::bond {

class ServerSession {
public:
    enum class Verdict : std::uint8_t {
        forward,
        replace,  // a new caller: SHUTDOWN to the server, a new socket, begin(), then forward
        bad_destination,
        implausible,
        foreign_caller,  // a second caller while one is live, or a late packet of the one replaced
        malformed,
    };
    enum class Change : std::uint8_t { none, established, refused, ended };

    // How far from the newest sequence a packet may be, in packets: twice libsrt's default flow window (25600),
    // rounded up. A longer silence ends the SRT session by itself.
    static constexpr std::int32_t sequence_window = 65536;
    // So many packets in a row that agree with each other and not with us: they are right. Untuned.
    static constexpr std::uint32_t strays_to_follow = 32;
    // How long the caller before this one is recognised by late inductions; libsrt gives a connection up after 3 s.
    static constexpr Duration late_caller{10'000'000'000};

    [[nodiscard]] Verdict on_data(wire::Seq31 sequence, std::uint32_t destination, Instant now) noexcept {
        if (has_server_id_ && destination != server_id_) [[unlikely]]
            return Verdict::bad_destination;
        const std::int32_t ahead = wire::distance(newest_, sequence);
        if (ahead < -sequence_window || ahead > sequence_window || !anchored_) [[unlikely]] {
            if (!follow(sequence)) return Verdict::implausible;
        } else {
            if (ahead > 0) newest_ = sequence;
            strays_ = 0;
        }
        data_at_ = now;
        data_seen_ = true;
        data_destination_ = destination;
        return Verdict::forward;
    }
    // A control packet of the sender's side, of no SRTLA type.
    [[nodiscard]] Verdict on_control(const wire::SrtPacket& packet, Instant now, Duration quiet) noexcept;
    // A packet of the server's.
    Change on_server(const wire::SrtPacket& packet) noexcept;
    // A shutdown of the sender's side was let through.
    void end() noexcept;
    // After Verdict::replace: everything anew, with the induction's caller.
    void begin(std::uint32_t caller, Instant now) noexcept;

    // A session that the server would miss: established, or used without our having seen its handshake.
    [[nodiscard]] bool is_live() const { return !ended_ && (established_ || data_seen_); }
    // True when a packet that passed has shown that its sender knows the server's socket id.
    [[nodiscard]] bool proves(std::uint32_t destination) const { return has_server_id_ && destination == server_id_; }
    // Where a SHUTDOWN to the server goes; absent when nothing is known of a session.
    [[nodiscard]] std::optional<std::uint32_t> server_id() const;
    [[nodiscard]] std::uint32_t caller_id() const { return caller_id_; }
    // Of the caller's data, as its conclusion said; absent when none was seen.
    [[nodiscard]] std::optional<wire::Seq31> initial_sequence() const {
        if (!has_isn_) return std::nullopt;
        return isn_;
    }

private:
    [[nodiscard]] bool follow(wire::Seq31 sequence) noexcept;
    [[nodiscard]] Verdict on_induction(std::uint32_t caller, Instant now, Duration quiet) noexcept;
    [[nodiscard]] Verdict on_conclusion(const wire::Handshake& handshake, Instant now) noexcept;
    [[nodiscard]] bool is_late(std::uint32_t caller, Instant now) const;

    // Read and written for each data packet.
    wire::Seq31 newest_;
    std::uint32_t server_id_ = 0;
    std::uint32_t data_destination_ = 0;
    std::uint32_t strays_ = 0;
    Instant data_at_;
    bool has_server_id_ = false;
    bool anchored_ = false;
    bool data_seen_ = false;
    bool established_ = false;
    bool ended_ = false;
    bool has_caller_ = false;
    bool has_previous_ = false;
    bool has_isn_ = false;
    wire::Seq31 stray_;
    wire::Seq31 isn_;  // of the newest conclusion
    std::uint32_t caller_id_ = 0;
    std::uint32_t previous_caller_ = 0;
    Instant begun_at_;
};

}  // namespace hawser::bond
