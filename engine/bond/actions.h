// SPDX-License-Identifier: MIT
// What a bond wants done, as values. A bond's on_* calls append; the pump carries all of it out, in order, before the
// next call, and until then keeps in hand what was received. Bounded: what does not fit is refused and counted by the
// caller.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <span>

#include "engine/base/check.h"
#include "engine/base/pool.h"
#include "engine/base/socket_spec.h"
#include "engine/border/event.h"

namespace hawser::bond {

struct SendAction {
    PacketRef packet;  // somebody else's reference holds it until the pump has run the actions
    SocketId socket;
    const Endpoint* to = nullptr;  // null on a connected socket; else stays valid until the actions have been run
};

struct OpenAction {
    SocketSpec spec;
};

class Actions {
public:
    static constexpr std::size_t sends_max = 256;  // one datagram's effects: a broadcast is at most 32 + a few
    static constexpr std::size_t opens_max = 64;
    static constexpr std::size_t closes_max = 64;
    static constexpr std::size_t events_max = 128;

    explicit Actions(Pool& pool) : pool_(pool) {}

    // As an outlet (see Sender::on_received) it is its own list of actions.
    [[nodiscard]] Actions& actions() noexcept { return *this; }

    // Sends a packet that the caller can see: the one just received, or one that the bond keeps. False when full.
    bool send(SocketId socket, PacketRef packet, const Endpoint* to = nullptr) noexcept {
        if (counts_.sends == sends_max) [[unlikely]]
            return false;
        sends_[counts_.sends++] = SendAction{packet, socket, to};
        return true;
    }
    // Sends bytes of the bond's own making, copied into a fresh buffer. False when full or out of buffers.
    bool send_bytes(SocketId socket, Bytes bytes, const Endpoint* to = nullptr) noexcept {
        if (counts_.sends == sends_max) [[unlikely]]
            return false;
        const BufferId buffer = pool_.take();
        if (buffer == no_buffer) [[unlikely]]
            return false;
        std::copy(bytes.begin(), bytes.end(), pool_.data(buffer));
        made_[counts_.made++] = buffer;
        return send(socket, PacketRef{buffer, 0, static_cast<std::uint16_t>(bytes.size())}, to);
    }
    // Gives up the caller's reference once the actions have been run: for a kept packet that is sent and let go.
    void release_after(BufferId buffer) noexcept {
        HAWSER_CHECK(counts_.made < sends_max);
        made_[counts_.made++] = buffer;
    }
    // The same as an outlet's: has_room() for a packet and let_go() of it.
    [[nodiscard]] bool has_room() const noexcept { return counts_.sends < sends_max && counts_.made < sends_max; }
    void let_go(BufferId buffer) noexcept { release_after(buffer); }
    // Opens a socket; the answer comes to the bond's on_opened(spec.tag, ...). False when full.
    bool open(const SocketSpec& spec) noexcept {
        if (counts_.opens == opens_max) return false;
        opens_[counts_.opens++] = OpenAction{spec};
        return true;
    }
    bool close(SocketId socket) noexcept {
        if (counts_.closes == closes_max) return false;
        closes_[counts_.closes++] = socket;
        return true;
    }
    // Tells the control thread. Never refused to the caller: what does not fit is counted in events_lost().
    void tell(const Event& event) noexcept {
        if (counts_.events == events_max) {
            ++events_lost_;
            return;
        }
        events_[counts_.events++] = event;
    }

    [[nodiscard]] std::span<const SendAction> sends() const noexcept { return {sends_.data(), counts_.sends}; }
    [[nodiscard]] std::span<const OpenAction> opens() const noexcept { return {opens_.data(), counts_.opens}; }
    [[nodiscard]] std::span<const SocketId> closes() const noexcept { return {closes_.data(), counts_.closes}; }
    [[nodiscard]] std::span<const Event> events() const noexcept { return {events_.data(), counts_.events}; }
    [[nodiscard]] std::uint64_t events_lost() const noexcept { return events_lost_; }
    // True when anything but sends is waiting: one test on the path of a plain packet.
    [[nodiscard]] bool has_rare() const noexcept { return (counts_.opens | counts_.closes | counts_.events) != 0; }
    [[nodiscard]] bool empty() const noexcept { return std::bit_cast<std::uint64_t>(counts_) == 0; }

    // For the pump, which by then has handed every send to the Io: gives up what send_bytes made and release_after
    // took.
    void clear_sends() noexcept {
        counts_.sends = 0;
        for (; counts_.made > 0; --counts_.made) [[unlikely]] pool_.release(made_[counts_.made - 1]);
    }
    void clear_opens() noexcept { counts_.opens = 0; }
    void clear_closes() noexcept { counts_.closes = 0; }
    void clear_events() noexcept { counts_.events = 0; }

private:
    // In one word, so that one comparison says that nothing is waiting.
    struct Counts {
        std::uint16_t sends = 0;
        std::uint16_t made = 0;
        std::uint8_t opens = 0;
        std::uint8_t closes = 0;
        std::uint16_t events = 0;
    };

    Pool& pool_;
    Counts counts_;
    std::uint64_t events_lost_ = 0;
    std::array<SendAction, sends_max> sends_;
    std::array<BufferId, sends_max> made_;  // one reference each, until the actions have been run
    std::array<OpenAction, opens_max> opens_;
    std::array<SocketId, closes_max> closes_;
    std::array<Event, events_max> events_;
};

}  // namespace hawser::bond
