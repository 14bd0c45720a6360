// SPDX-License-Identifier: MIT
// What a bond wants done, as values. A bond's on_* calls append; the pump carries all of it out, in order, before the
// next call, and until then keeps in hand what was received. Bounded: what does not fit is refused and counted by the
// caller.
#pragma once

#include <algorithm>
#include <array>
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
        if (send_count_ == sends_max) [[unlikely]]
            return false;
        sends_[send_count_++] = SendAction{packet, socket, to};
        return true;
    }
    // Sends bytes of the bond's own making, copied into a fresh buffer. False when full or out of buffers.
    bool send_bytes(SocketId socket, Bytes bytes, const Endpoint* to = nullptr) noexcept {
        if (send_count_ == sends_max) [[unlikely]]
            return false;
        const BufferId buffer = pool_.take();
        if (buffer == no_buffer) [[unlikely]]
            return false;
        std::copy(bytes.begin(), bytes.end(), pool_.data(buffer));
        made_[made_count_++] = buffer;
        return send(socket, PacketRef{buffer, 0, static_cast<std::uint16_t>(bytes.size())}, to);
    }
    // Gives up the caller's reference once the actions have been run: for a kept packet that is sent and let go.
    void release_after(BufferId buffer) noexcept {
        HAWSER_CHECK(made_count_ < sends_max);
        made_[made_count_++] = buffer;
    }
    // Opens a socket; the answer comes to the bond's on_opened(spec.tag, ...). False when full.
    bool open(const SocketSpec& spec) noexcept {
        if (open_count_ == opens_max) return false;
        opens_[open_count_++] = OpenAction{spec};
        return true;
    }
    bool close(SocketId socket) noexcept {
        if (close_count_ == closes_max) return false;
        closes_[close_count_++] = socket;
        return true;
    }
    // Tells the control thread. Never refused to the caller: what does not fit is counted in events_lost().
    void tell(const Event& event) noexcept {
        if (event_count_ == events_max) {
            ++events_lost_;
            return;
        }
        events_[event_count_++] = event;
    }

    [[nodiscard]] std::span<const SendAction> sends() const noexcept { return {sends_.data(), send_count_}; }
    [[nodiscard]] std::span<const OpenAction> opens() const noexcept { return {opens_.data(), open_count_}; }
    [[nodiscard]] std::span<const SocketId> closes() const noexcept { return {closes_.data(), close_count_}; }
    [[nodiscard]] std::span<const Event> events() const noexcept { return {events_.data(), event_count_}; }
    [[nodiscard]] std::uint64_t events_lost() const noexcept { return events_lost_; }
    // True when anything but sends is waiting: one test on the path of a plain packet.
    [[nodiscard]] bool has_rare() const noexcept { return (open_count_ | close_count_ | event_count_) != 0; }
    [[nodiscard]] bool empty() const noexcept { return (send_count_ | made_count_) == 0 && !has_rare(); }

    // For the pump, which by then has handed every send to the Io: gives up what send_bytes made and release_after took.
    void clear_sends() noexcept {
        send_count_ = 0;
        for (; made_count_ > 0; --made_count_) [[unlikely]] pool_.release(made_[made_count_ - 1]);
    }
    void clear_opens() noexcept { open_count_ = 0; }
    void clear_closes() noexcept { close_count_ = 0; }
    void clear_events() noexcept { event_count_ = 0; }

private:
    Pool& pool_;
    std::size_t send_count_ = 0;
    std::size_t made_count_ = 0;
    std::size_t open_count_ = 0;
    std::size_t close_count_ = 0;
    std::size_t event_count_ = 0;
    std::uint64_t events_lost_ = 0;
    std::array<SendAction, sends_max> sends_;
    std::array<BufferId, sends_max> made_;  // one reference each, until the actions have been run
    std::array<OpenAction, opens_max> opens_;
    std::array<SocketId, closes_max> closes_;
    std::array<Event, events_max> events_;
};

}  // namespace hawser::bond
