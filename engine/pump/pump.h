// SPDX-License-Identifier: MIT
// The loop, one turn at a time, for either bond over any Io. It reads the clock once per turn (in wait), hands each
// completion to the bond, carries out what the bond asks for, takes a bounded number of commands, and publishes a
// snapshot now and then. It knows packets and time, and nothing of SRT.
//
// A turn's order: wait; completions; deadlines; commands; the bond's end of turn, where it has one; snapshot. The
// bond's actions are carried out after each of its calls, so that what they refer to is still in hand. The common
// packet needs none: its bond sends it through the Direct outlet, straight into the Io's queue.
#pragma once

#include <algorithm>
#include <array>
#include <utility>

#include "engine/base/time.h"
#include "engine/bond/actions.h"
#include "engine/border/border.h"
#include "engine/border/pump_snapshot.h"
#include "engine/pump/coalescer.h"
#include "engine/pump/io.h"
#include "engine/pump/stall.h"

namespace hawser {

template <Io IoModel, class Bond>
class Pump {
public:
    using Snapshot = typename Bond::Snapshot;

    // All four outlive the pump. `coalesce`: the longest wait for company; zero is prompt.
    Pump(IoModel& io, Pool& pool, Bond& bond, Border<Snapshot>& border, Duration coalesce)
        : io_(io), pool_(pool), bond_(bond), border_(border), out_(pool), coalescer_(coalesce) {}

    void start() noexcept {
        const Instant now = io_.now();
        bond_.start(now, out_);
        carry_out(now);
        publish(now);
    }

    // Waits for what comes next and handles it.
    void turn() noexcept {
        const Turn turn = io_.wait(bond_.next_deadline(), coalescer_.linger());
        const Instant now = turn.now;
        ++turns_;
        bond_.begin_turn(now);
        std::uint32_t packets = 0;
        bool woken = false;
        for (const Completion& c : turn.completions) {
            bool is_kept = false;
            if (c.kind == Completion::Kind::received) [[likely]] {
                is_kept = bond_.on_received(c, now, direct_);
                ++packets;
            } else {
                woken = on_other(c, now) || woken;
            }
            if (!out_.empty()) [[unlikely]]
                carry_out(now);
            if (!is_kept && c.has_packet()) pool_.release(c.packet.buffer);
        }
        packets_ += packets;
        coalescer_.note(packets, now);
        io_.keep_order(coalescer_.packets_per_second() < bulk_packets_per_second);
        if (now >= bond_.next_deadline()) {
            bond_.on_deadline(now, out_);
            carry_out(now);
        }
        if (woken) take_commands(now);
        if constexpr (requires { bond_.end_turn(now, direct_); }) {
            bond_.end_turn(now, direct_);
            if (!out_.empty()) [[unlikely]]
                carry_out(now);
        }
        if (now - published_at_ >= publish_interval) publish(now);
        stalls_.note(now, io_.now());
    }

    [[nodiscard]] bool finished() const noexcept { return bond_.finished(); }

    // True when events were pushed since the last call: somebody may want to wake their reader.
    [[nodiscard]] bool take_told() noexcept { return std::exchange(told_, false); }

    // After the loop has ended: puts its last packets on the wire and publishes the final figures.
    void finish() noexcept {
        const Turn last = io_.wait(io_.now(), Duration{});
        for (const Completion& c : last.completions) {
            if (c.has_packet()) pool_.release(c.packet.buffer);
        }
        publish(last.now);
    }

private:
    // A reader that looks each second sees figures that are at most this old; an idle bond turns once a second.
    static constexpr Duration publish_interval{100'000'000};

    struct Direct {
        IoModel& io;
        bond::Actions& out;
        Pool& pool;

        bool send(SocketId socket, const PacketRef& packet) noexcept {
            io.send(socket, packet, nullptr);
            return true;
        }
        // The Io has a reference of its own.
        [[nodiscard]] bool has_room() const noexcept { return true; }
        void let_go(BufferId buffer) noexcept { pool.release(buffer); }
        [[nodiscard]] bond::Actions& actions() noexcept { return out; }
    };

    // True for a wake-up.
    [[gnu::noinline]] bool on_other(const Completion& c, Instant now) noexcept {
        switch (c.kind) {
            case Completion::Kind::send_failed: bond_.on_send_failed(c, now, out_); return false;
            case Completion::Kind::broken: bond_.on_broken(c, now, out_); return false;
            case Completion::Kind::received:
            case Completion::Kind::woken: break;
        }
        return c.kind == Completion::Kind::woken;
    }

    [[gnu::noinline]] void carry_out(Instant now) noexcept {
        send_all();
        while (out_.has_rare()) carry_out_rare(now);
    }
    void send_all() noexcept {
        for (const bond::SendAction& s : out_.sends()) io_.send(s.socket, s.packet, s.to);
        out_.clear_sends();
    }

    // Below it a turn's packets leave in the order they came, since a stock SRT receiver asks again for every gap that
    // it sees; above it, 200 Mbit/s of media, they are gathered by uplink, which saves most of the sends.
    static constexpr double bulk_packets_per_second = 20'000;

    void carry_out_rare(Instant now) noexcept {
        told_ = told_ || !out_.events().empty();
        for (const Event& e : out_.events()) {
            if (!border_.events.push(e)) ++events_lost_;
        }
        out_.clear_events();
        for (const SocketId socket : out_.closes()) io_.close(socket);
        out_.clear_closes();
        // Answers to opens may ask for more: take the list away first.
        const auto opens = out_.opens();
        const std::size_t count = std::min(opens.size(), opens_.size());
        std::copy_n(opens.begin(), count, opens_.begin());
        out_.clear_opens();
        for (std::size_t i = 0; i < count; ++i) {
            const Result<SocketId, Errno> opened = io_.open(opens_[i].spec);
            const Endpoint local = opened ? io_.local(*opened) : opens_[i].spec.local;
            const std::uint32_t payload = opened ? io_.payload_bytes_max(*opened) : 0;
            bond_.on_opened(opens_[i].spec.tag, opened, local, payload, now, out_);
            send_all();
        }
    }

    void take_commands(Instant now) noexcept {
        Command command;
        int taken = 0;
        for (; taken < commands_per_turn && border_.commands.pop(command); ++taken) {
            if (command.kind == CommandKind::publish) {
                published_at_ = now - publish_interval;
                told_ = true;  // whoever asked waits for it
            }
            bond_.on_command(command, now, out_);
            carry_out(now);
        }
        if (taken == commands_per_turn) io_.wake();  // the rest in the next turn
    }

    void publish(Instant now) noexcept {
        Snapshot& draft = border_.snapshots.draft();
        bond_.fill(draft, now);
        draft.pump.turns = turns_;
        draft.pump.packets = packets_;
        draft.pump.turn_max = stalls_.longest();
        draft.pump.turn_max_recent = stalls_.recent();
        draft.pump.turn_times = stalls_.times();
        draft.pump.events_lost = events_lost_ + out_.events_lost();
        draft.pump.pool_free = pool_.free_slots();
        draft.pump.io = io_.counters();
        border_.snapshots.publish();
        published_at_ = now;
    }

    IoModel& io_;
    Pool& pool_;
    Bond& bond_;
    Border<Snapshot>& border_;
    bond::Actions out_;
    std::array<bond::OpenAction, bond::Actions::opens_max> opens_{};
    Direct direct_{io_, out_, pool_};
    Coalescer coalescer_;
    StallWatch stalls_;
    std::uint64_t turns_ = 0;
    std::uint64_t packets_ = 0;
    std::uint64_t events_lost_ = 0;
    Instant published_at_{-1'000'000'000'000};
    bool told_ = false;
};

}  // namespace hawser
