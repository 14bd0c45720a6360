// SPDX-License-Identifier: MIT
// The receiver's tables: groups (senders), their links (sender addresses), and the three ways to find them: by slot,
// by address, by group id. Sized at construction, O(1) per lookup. It keeps the tables in step with each other;
// who may enter, and what follows, is the Receiver's business.
//
// Group g holds the link slots [g * links_per_group, (g + 1) * links_per_group); a LinkId is the offset in there.
#pragma once

#include <bit>
#include <cstdint>
#include <memory>
#include <span>

#include "engine/base/keyed_hash.h"
#include "engine/base/pool.h"
#include "engine/base/strong.h"
#include "engine/base/time.h"
#include "engine/bond/receiver_addresses.h"
#include "engine/bond/receiver_options.h"
#include "engine/bond/receiver_session.h"
#include "engine/bond/session_time.h"
#include "engine/wire/extension.h"
#include "engine/wire/srtla.h"

namespace hawser::bond {

inline constexpr std::uint32_t no_slot = 0xFFFF'FFFF;

// One sender address. What each data packet touches comes first.
struct alignas(cache_line_bytes) ReceiverLink {
    Endpoint endpoint;
    Instant heard;
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    wire::SrtlaAckBuilder ack;
    std::uint16_t group = 0;
    std::uint8_t id = 0;
    bool delivered = false;    // SRT data, or SRT control that proves knowledge of the session, came from here
    bool shook_hands = false;  // an SRT handshake came from here
    bool has_telemetry = false;
    // The queue of part-filled ACKs; valid while `ack` is not empty.
    std::uint32_t ack_next = no_slot;
    std::uint32_t ack_previous = no_slot;
    Instant ack_due;
    Instant delivered_at;
    std::uint64_t retransmissions = 0;
    std::uint64_t dropped = 0;
    Instant joined;
    wire::Telemetry telemetry;
};

// One sender. The socket towards the SRT server is its own: the server's cookie is bound to that socket's address.
struct alignas(cache_line_bytes) ReceiverGroup {
    SocketId server = no_socket;
    std::uint8_t last_link = no_link.value;       // delivered SRT last: what the server says goes there
    std::uint8_t handshake_link = no_link.value;  // brought the last SRT handshake
    bool in_use = false;
    bool opening = false;
    bool data_seen = false;
    bool numbers_messages = false;  // a packet bore a message number: one that bears 0 is parity from then on
    bool ack_seen = false;
    std::uint32_t links = 0;  // bit i: slot i holds a link
    ServerSession session;
    std::uint64_t packets_out = 0;
    std::uint64_t packets_back = 0;
    Instant heard;
    std::uint32_t srt_rtt_us = 0;  // as the SRT server's last full ACK had it; 0: none yet
    wire::Extension extension;     // what the answer to its REG1 promised
    SessionTime time;              // of a group whose packets are held
    Instant hold_from;             // until then none waits

    std::uint32_t generation = 0;     // of the socket, so that late answers of an earlier one are recognised
    std::uint32_t address_index = 0;  // which of the resolved addresses the socket is connected to
    std::uint32_t refused_in_row = 0;
    std::uint32_t sessions = 0;
    PacketRef held;  // a handshake that waits for the socket; holds a reference
    Instant data_at;
    Instant created;
    Instant open_at;                   // not before: a failed open backs off
    Instant moved_at;                  // when the address was changed last
    Instant unanswered_since = never;  // the first packet since the server's last word
    Instant tell_refused_at;           // not before
    Duration refused_pause;            // between two events about it
    Instant tell_rejected_at;
    std::uint16_t server_port = 0;
    Endpoint server_address;
    std::uint32_t active_at = 0;  // its place among the groups in use
};

class GroupTable {
public:
    GroupTable(std::uint32_t groups_max, std::uint32_t links_per_group, KeyedHash hash);

    [[nodiscard]] std::uint32_t groups_max() const noexcept { return groups_max_; }
    [[nodiscard]] std::uint32_t links_per_group() const noexcept { return links_per_group_; }
    [[nodiscard]] ReceiverGroup& group(std::uint32_t g) noexcept { return groups_[g]; }
    [[nodiscard]] const ReceiverGroup& group(std::uint32_t g) const noexcept { return groups_[g]; }
    [[nodiscard]] ReceiverLink& link(std::uint32_t slot) noexcept { return links_[slot]; }
    [[nodiscard]] const ReceiverLink& link(std::uint32_t slot) const noexcept { return links_[slot]; }
    [[nodiscard]] std::uint32_t slot_of(std::uint32_t g, std::uint32_t id) const noexcept {
        return g * links_per_group_ + id;
    }
    [[nodiscard]] const wire::GroupKey& key(std::uint32_t g) const noexcept { return keys_[g]; }
    // The groups in use, in no order; removal moves the last one into the gap.
    [[nodiscard]] std::span<const std::uint16_t> active() const noexcept { return {active_.get(), active_count_}; }
    [[nodiscard]] bool full() const noexcept { return active_count_ == groups_max_; }

    [[nodiscard]] Owner owner_of(const Endpoint& address) const noexcept { return addresses_.find(address); }
    // no_slot when no group has this id.
    [[nodiscard]] std::uint32_t find(Bytes id) const noexcept;

    // A group of this id, which none has yet. Not when full.
    std::uint32_t add_group(Bytes id, Instant now) noexcept;
    // Its links must be gone.
    void remove_group(std::uint32_t g) noexcept;
    // The slot of a new link from an address that nobody holds; no_slot when the group has no free one.
    std::uint32_t add_link(std::uint32_t g, const Endpoint& from, Instant now) noexcept;
    void remove_link(std::uint32_t slot) noexcept;

    // Calls visit(slot, link) for each link of a group. visit may remove that link.
    template <class Visit>
    void each_link(std::uint32_t g, Visit&& visit) {
        for (std::uint32_t mask = groups_[g].links; mask != 0; mask &= mask - 1) {
            const std::uint32_t slot = slot_of(g, static_cast<std::uint32_t>(std::countr_zero(mask)));
            visit(slot, links_[slot]);
        }
    }
    template <class Visit>
    void each_link(std::uint32_t g, Visit&& visit) const {
        for (std::uint32_t mask = groups_[g].links; mask != 0; mask &= mask - 1) {
            const std::uint32_t slot = slot_of(g, static_cast<std::uint32_t>(std::countr_zero(mask)));
            visit(slot, links_[slot]);
        }
    }
    [[nodiscard]] bool is_consistent() const noexcept;

private:
    [[nodiscard]] std::uint32_t key_home(Bytes id) const noexcept;
    void erase_key(std::uint32_t g) noexcept;

    std::uint32_t groups_max_;
    std::uint32_t links_per_group_;
    std::unique_ptr<ReceiverGroup[]> groups_;
    std::unique_ptr<ReceiverLink[]> links_;
    std::unique_ptr<wire::GroupKey[]> keys_;
    std::unique_ptr<std::uint16_t[]> active_;
    std::unique_ptr<std::uint16_t[]> free_;
    std::uint32_t active_count_ = 0;
    std::uint32_t free_count_;
    // Open addressing as in AddressMap: group numbers, by a keyed hash of the end of the id.
    std::uint32_t key_mask_;
    std::unique_ptr<std::uint16_t[]> key_index_;
    KeyedHash hash_;
    AddressMap addresses_;
};

}  // namespace hawser::bond
