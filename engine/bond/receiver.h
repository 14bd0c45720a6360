// SPDX-License-Identifier: MIT
// The receiving end: SRTLA senders (groups of addresses) on one listening socket, one connected socket per group
// towards the SRT server. It routes; tables, sessions, limits, ACKs, reports and the hold are files of their own
// (receiver_*.h).
// Pure: packets and time come in, Actions come out. One thread. Allocates in the constructor only.
//
// Laws, which tests/sim and tests/unit/bond quote:
//  - A stranger gets an answer to a well-formed REG1 or REG2 only, and never one longer than what he sent.
//  - A REG1 leaves no trace. There is a group only for who has read the answer to his.
//  - Nothing of SRTLA's own, and nothing that cannot belong to the group's SRT session, reaches the SRT server.
//  - What the server says goes only to addresses that have delivered the session's SRT packets; copies for all links,
//    only to those that still do.
//  - A group outlives its SRT server: refusals are counted and told, and the packets go on.
//  - A sender that offered nothing gets exactly SRTLA; what it asked for in its REG1 is promised in the REG2 and kept.
//  - Each packet costs O(1), ACKs and NAKs O(links of their group); nothing walks the groups but the sweep, in slices.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "engine/base/completion.h"
#include "engine/base/fixed_ring.h"
#include "engine/base/pool.h"
#include "engine/base/result.h"
#include "engine/base/secret_random.h"
#include "engine/bond/actions.h"
#include "engine/bond/receiver_acks.h"
#include "engine/bond/receiver_groups.h"
#include "engine/bond/receiver_ids.h"
#include "engine/bond/receiver_limits.h"
#include "engine/bond/receiver_options.h"
#include "engine/bond/receiver_reports.h"
#include "engine/bond/recording.h"
#include "engine/bond/reorder_hold.h"
#include "engine/border/command.h"
#include "engine/border/counters.h"
#include "engine/border/receiver_snapshot.h"

namespace hawser::bond {

class Receiver {
public:
    using Snapshot = ReceiverSnapshot;

    // `entropy`: from the system; it makes the half of the group ids that a stranger must not guess, and hash keys.
    Receiver(const ReceiverOptions& options, Pool& pool, const Entropy& entropy);
    Receiver(const Receiver&) = delete;
    Receiver& operator=(const Receiver&) = delete;

    void start(Instant now, Actions& out) noexcept;
    void begin_turn(Instant now) noexcept { static_cast<void>(now); }
    void on_opened(std::uint32_t tag, const Result<SocketId, Errno>& socket, const Endpoint& local,
                   std::uint32_t payload_bytes_max, Instant now, Actions& out) noexcept;
    // False: it never keeps the reference that came with the packet.
    template <class Outlet>
    bool on_received(const Completion& completion, Instant now, Outlet& outlet) noexcept {
        Actions& out = outlet.actions();
        if (completion.tag == uplink_tag)
            on_uplink(completion, now, out);
        else
            on_server(completion, now, out);
        HAWSER_VERIFY(is_consistent());
        return false;
    }
    void on_send_failed(const Completion& completion, Instant now, Actions& out) noexcept;
    void on_broken(const Completion& completion, Instant now, Actions& out) noexcept;
    void on_command(const Command& command, Instant now, Actions& out) noexcept;
    // One slice of what is due; what does not fit into the actions stays due.
    void on_deadline(Instant now, Actions& out) noexcept;

    [[nodiscard]] Instant next_deadline() const noexcept;
    [[nodiscard]] const Counters& counters() const noexcept { return counters_; }
    // The snapshot has been reserved for groups_max groups and groups_max * links_per_group_max links.
    void fill(ReceiverSnapshot& snapshot, Instant now) const noexcept;
    // After `stop` was carried out, or when the listening socket could not be had (failed()).
    [[nodiscard]] bool finished() const noexcept { return finished_; }
    [[nodiscard]] bool failed() const noexcept { return failed_; }
    [[nodiscard]] bool is_consistent() const noexcept;
    // As the sender's.
    [[nodiscard]] FlightRecorder& recorder() noexcept { return recorder_; }

    // SocketSpec::tag of the listening socket, and of a group's socket towards the server.
    static constexpr std::uint32_t uplink_tag = 0;
    static constexpr std::uint32_t tag_group_bits = 11;
    static_assert(receiver_groups_bound < (1u << tag_group_bits));
    [[nodiscard]] static constexpr std::uint32_t server_tag(std::uint32_t group, std::uint32_t generation) {
        return (generation << tag_group_bits) | (group + 1);
    }

private:
    // receiver_uplink.cc: what senders send.
    void on_uplink(const Completion& c, Instant now, Actions& out) noexcept;
    // What became of it, for the recorder.
    Fate on_data(const Completion& c, Bytes packet, std::uint32_t slot, Instant now, Actions& out) noexcept;
    Fate on_uplink_control(const Completion& c, Bytes packet, std::uint32_t slot, Instant now, Actions& out) noexcept;
    Fate on_srt_control(const Completion& c, Bytes packet, std::uint32_t slot, Instant now, Actions& out) noexcept;
    void on_keepalive(const Completion& c, Bytes packet, std::uint32_t slot, Instant now, Actions& out) noexcept;
    void acknowledge(std::uint32_t slot, wire::Seq31 sequence, Instant now, Actions& out) noexcept;
    void send_ack(std::uint32_t slot, Instant now, Actions& out) noexcept;
    void report(std::uint32_t slot, wire::Seq31 sequence, std::size_t bytes, Instant now, Actions& out) noexcept;
    void send_report(std::uint32_t slot, Instant now, Actions& out) noexcept;
    [[nodiscard]] const ReceiverLink* carrier_of(std::uint32_t slot, Instant now) const noexcept;
    void report_by_another(const ReceiverLink& link, const ReceiverLink& carrier, wire::ReportBuilder& report,
                           Instant now, Actions& out) noexcept;
    void replace_session(std::uint32_t g, Bytes induction, Instant now, Actions& out) noexcept;
    [[nodiscard]] std::uint32_t slot_from(const Endpoint& from) noexcept;
    Fate drop(Counter why, std::uint32_t slot) noexcept;
    void record_uplink(Fate fate, std::uint32_t slot, Bytes packet, Instant now) noexcept;
    void record_server(Fate fate, std::uint32_t g, Bytes packet, Instant now) noexcept;
    void drop_from_server(Counter why, std::uint32_t g, PacketRef packet, Instant now) noexcept;
    // It went to the sender's address.
    void note_out(Decision what, const ReceiverLink& link, Bytes packet, Instant now) noexcept;
    [[nodiscard]] static Fate of_group(Decision decision, std::uint32_t g) noexcept {
        return {decision, static_cast<std::uint16_t>(g), 0};
    }

    // receiver_hold.cc: the way to the server of groups that asked for more than SRTLA.
    Fate deliver(std::uint32_t g, PacketRef ref, const wire::SrtPacket& packet, Instant now, Actions& out) noexcept;
    [[nodiscard]] Instant wait_until(std::uint32_t g, std::optional<Instant> deadline, Instant now) const noexcept;
    void drain(std::uint32_t g, Instant now, Actions& out) noexcept;
    bool release_due(Instant now, Actions& out) noexcept;
    void flush_hold(std::uint32_t g, Instant now, Actions& out) noexcept;
    void drop_held(std::uint32_t g, Instant now) noexcept;
    void pause_hold(std::uint32_t g, Instant now, Actions& out) noexcept;
    void on_server_ack(std::uint32_t g, const wire::SrtPacket& ack, Instant now, Actions& out) noexcept;
    void on_server_nak(std::uint32_t g, const wire::SrtPacket& nak) noexcept;

    // receiver_registration.cc: who may enter, and who goes.
    void on_reg1(const Completion& c, Bytes packet, Instant now, Actions& out) noexcept;
    void on_reg2(const Completion& c, Bytes packet, Instant now, Actions& out) noexcept;
    [[nodiscard]] bool make_room_for_group(Instant now, Actions& out) noexcept;
    [[nodiscard]] bool make_room_for_link(std::uint32_t g, Instant now, Actions& out) noexcept;
    [[nodiscard]] std::optional<wire::Extension> grant(Bytes id) const noexcept;
    void refuse(RefusalReason why, const Endpoint& from, Instant now, Actions& out) noexcept;
    void answer(wire::SrtlaType type, const Endpoint& to, Instant now, Actions& out) noexcept;
    void answer_reg2(const wire::GroupKey& id, const Endpoint& to, Instant now, Actions& out) noexcept;
    void send_registration(Bytes packet, const Endpoint& to, Instant now, Actions& out) noexcept;
    std::uint32_t create_group(Bytes id, const Endpoint& registrant, const Endpoint& from, Instant now,
                               Actions& out) noexcept;
    void remove_link(std::uint32_t slot, EventKind kind, RemovalReason reason, Instant now, Actions& out) noexcept;
    void remove_group(std::uint32_t g, EventKind kind, RemovalReason reason, Instant now, Actions& out) noexcept;
    void sweep(Instant now, Actions& out) noexcept;
    bool sweep_group(std::uint32_t g, Instant now, Actions& out) noexcept;

    // receiver_server.cc: the sockets towards the SRT server, and what comes from them.
    void on_server(const Completion& c, Instant now, Actions& out) noexcept;
    void on_session_change(std::uint32_t g, ServerSession::Change change, Bytes packet, Instant now,
                           Actions& out) noexcept;
    void to_all(std::uint32_t g, PacketRef packet, Instant now, Actions& out) noexcept;
    void to_last(std::uint32_t g, PacketRef packet, Instant now, Actions& out) noexcept;
    void to_two(std::uint32_t g, PacketRef packet, std::uint8_t first, Instant now, Actions& out) noexcept;
    void to_link(std::uint32_t slot, PacketRef packet, Instant now, Actions& out) noexcept;
    Fate to_server(std::uint32_t g, PacketRef packet, Actions& out) noexcept;
    // The group has no socket: opens one if it may, and keeps a handshake for it.
    Fate without_server(std::uint32_t g, PacketRef packet, bool hold, Instant now, Actions& out) noexcept;
    void open_server(std::uint32_t g, Instant now, Actions& out) noexcept;
    void close_server(std::uint32_t g, Instant now, Actions& out) noexcept;
    void shut_down_server(std::uint32_t g, Actions& out) noexcept;
    void shut_down_caller(std::uint32_t g, Instant now, Actions& out) noexcept;
    void server_error(std::uint32_t g, int error, Instant now, Actions& out) noexcept;
    void next_address(std::uint32_t g, Instant now, Actions& out) noexcept;
    void release_held(std::uint32_t g) noexcept;
    // no_slot when the tag is of an earlier socket than the group's.
    [[nodiscard]] std::uint32_t group_of(std::uint32_t tag) const noexcept;
    [[nodiscard]] bool is_listed(const Endpoint& server) const noexcept;

    void stop_slice(Instant now, Actions& out) noexcept;
    static Event event(EventKind kind, Instant now, std::uint32_t g, std::uint32_t a = 0, std::uint32_t b = 0);
    Event link_event(EventKind kind, Instant now, const ReceiverLink& link, RemovalReason reason) const;

    // Nothing sent before close() is certain to leave, so a socket lives on for a moment after its SHUTDOWN.
    struct Closing {
        SocketId socket = no_socket;
        Instant due;
    };
    static constexpr std::size_t closing_max = 4096;  // four times the groups; each is closed a few ms later

    ReceiverOptions options_;
    Pool& pool_;
    SecretRandom secret_;
    KeyedHash hash_;
    GroupIds ids_;
    Counters counters_;
    GroupTable table_;
    AckQueue acks_;
    ReportBook reports_;
    HeldPackets held_;
    std::unique_ptr<ReorderHold[]> holds_;  // one for each group; where its extension is any()
    RegistrationLimiter limiter_;
    AnswerLimiter answers_;
    RefusalTally tally_;
    FixedRing<Closing, closing_max> closing_;
    FlightRecorder recorder_;
    Strangers strangers_;

    SocketId uplink_ = no_socket;
    // Packets come in runs from one address.
    Endpoint cached_from_;
    std::uint32_t cached_slot_ = no_slot;

    Resolved servers_;
    std::uint32_t preferred_server_ = 0;  // the one that answered last

    Instant full_until_;  // no group can be evicted for a newcomer before this is looked into again
    Instant sweep_at_ = never;
    Instant sweep_round_at_;        // when this round began
    std::uint32_t sweep_left_ = 0;  // groups below this place are still to be visited in this round

    bool stopping_ = false;
    bool finished_ = false;
    bool failed_ = false;
};

}  // namespace hawser::bond
