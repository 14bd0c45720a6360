// SPDX-License-Identifier: MIT
// Commands that are confirmed: each is one packet, repeated with the same tag until a STATUS of its channel echoes the
// tag, or its time is over. Owns what is in flight; sends nothing itself. Control thread only.
//  - One command in flight per channel (radiod's queue has two places, and drops silently); later ones wait in order,
//    also behind one that was cancelled after it was sent, until it is answered or its answer overdue: radiod may carry
//    it out yet, and of two that wait there it may carry out the later one first, whose values would be lost.
//  - Repeated after 100 ms, doubling to 1 s, each with 10 % of jitter: at most 9 packets in the 5 s that a command has.
//  - The limit runs from submit(): commands behind one that a dead radiod does not answer expire with it.
//  - Bounded: requests_max commands at once; more are refused.
//  - next_deadline() is a repetition, an expiry or an overdue answer, never anything else: an idle tuner wakes nobody.
// The caller's loop: next_expired() until it has none, next_packet() until it has none, sleep until next_deadline() or
// a packet, on_status() for each status.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/due_heap.h"
#include "engine/base/random.h"
#include "engine/base/result.h"
#include "engine/base/strong.h"
#include "engine/base/time.h"
#include "engine/radio/command.h"

namespace hawser::radio {

// A status group that commands go to: the service's number for it.
using RadioId = Strong<struct RadioTag, std::uint16_t>;
// A command in hand; never used twice.
using RequestId = Strong<struct RequestTag, std::uint64_t>;

struct TunerOptions {
    Duration first_retry{100'000'000};
    Duration retry_max{1'000'000'000};
    Duration limit{5'000'000'000};
    std::uint32_t requests_max = 4096;
};

enum class TuneRefusal : std::uint8_t {
    too_many,  // requests_max commands are in hand
    bad_ssrc,  // 0 and the poll-all number are no channels
};

struct Request {
    RadioId radio;
    std::uint32_t ssrc = 0;
    std::uint64_t owner = 0;  // the submitter's, handed back
};

class Tuner {
public:
    struct Done {
        RequestId id;
        Request request;
        Duration took;  // since submit()
        std::uint32_t packets = 0;
        bool confirmed = false;  // else expired
    };
    struct Packet {
        RadioId radio;
        Bytes bytes;  // valid until the next call
    };
    struct Figures {
        std::uint64_t submitted = 0;
        std::uint64_t packets = 0;
        std::uint64_t confirmed = 0;
        std::uint64_t expired = 0;
        std::uint64_t cancelled = 0;
        std::uint64_t refused = 0;
        std::uint64_t stray_tags = 0;  // statuses of a channel in flight with another tag: other clients', or periodic
    };

    Tuner(const TunerOptions& options, Random random);

    // Queues the command; next_packet() has it at once unless another is in flight to its channel.
    Result<RequestId, TuneRefusal> submit(const Request& request, const Command& command, Instant now);
    // Of one that is in hand still: it is neither repeated nor reported. What was sent cannot be called back, and has
    // the next of its channel wait for the answer, first_retry after it was sent last at most.
    bool cancel(RequestId id);

    // The next packet to send, and its repetition's timer is set. To be called after submit(), on_status() and when
    // next_deadline() has come.
    [[nodiscard]] std::optional<Packet> next_packet(Instant now);
    // The command that the status confirms, which is then done with.
    [[nodiscard]] std::optional<Done> on_status(RadioId radio, std::uint32_t ssrc, std::uint32_t tag, Instant now);
    // The next command whose time is over.
    [[nodiscard]] std::optional<Done> next_expired(Instant now);
    [[nodiscard]] Instant next_deadline() const { return due_.next(); }

    [[nodiscard]] std::uint32_t in_hand() const { return in_hand_ - lingering_; }
    [[nodiscard]] bool is_busy(RadioId radio, std::uint32_t ssrc) const {
        return channels_.count(key(radio, ssrc)) != 0;
    }
    [[nodiscard]] const Figures& figures() const { return figures_; }
    [[nodiscard]] bool is_consistent() const;

private:
    static constexpr std::uint32_t none = 0xFFFF'FFFF;

    enum class State : std::uint8_t { free, queued, to_send, waiting, cancelled };
    struct Slot {
        State state = State::free;
        std::uint32_t generation = 0;
        Request request;
        std::uint32_t tag = 0;
        std::uint32_t packets = 0;
        Instant submitted;
        Instant sent;                 // last
        Instant retry;                // when waiting
        std::uint32_t behind = none;  // the next of its channel; of a free slot: the next free one
        Command command;
    };
    struct Channel {
        std::uint32_t first = none;
        std::uint32_t last = none;
    };

    [[nodiscard]] static std::uint64_t key(RadioId radio, std::uint32_t ssrc) {
        return (std::uint64_t{radio.value} << 32) | ssrc;
    }
    [[nodiscard]] RequestId id_of(std::uint32_t slot) const {
        return RequestId((std::uint64_t{slots_[slot].generation} << 32) | slot);
    }
    [[nodiscard]] std::uint32_t take_slot();
    void set_timer(std::uint32_t slot);
    [[nodiscard]] Duration wait_after(std::uint32_t packets);
    // Repetitions that are due are made ready, and overdue answers of what was cancelled given up, as far as the next
    // command whose time is over.
    void collect_due(Instant now);
    [[nodiscard]] Done finish(std::uint32_t slot, bool confirmed, Instant now);
    // Takes it out of its channel's line; the one behind the first is next.
    void unlink(std::uint32_t slot);
    void release(std::uint32_t slot);
    void end_cancelled(std::uint32_t slot);
    void make_ready(std::uint32_t slot);

    TunerOptions options_;
    Random random_;
    std::vector<Slot> slots_;
    std::uint32_t free_ = none;
    std::uint32_t in_hand_ = 0;                            // with those that were cancelled
    std::uint32_t lingering_ = 0;                          // those
    std::unordered_map<std::uint64_t, Channel> channels_;  // those with a command in hand
    std::vector<std::uint32_t> ready_;                     // slots to be sent for the first time, in order
    std::size_t ready_at_ = 0;
    DueHeap due_;
    Figures figures_;
    std::array<std::uint8_t, command_packet_bytes_max> room_{};
};

}  // namespace hawser::radio
