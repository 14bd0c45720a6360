// SPDX-License-Identifier: MIT
// The Io model of a simulated host: sockets of a World, its clock, completions in order of arrival.
//
// Two ways to live. Alone, wait() itself lets the world run until something is due for this program. In a world with
// several pumps none of them may own the clock: after step_by_world(), wait() only notes what is waited for and
// answers an empty turn, and a Stepper, which the world runs when due() has come, grants the next wait its completions.
//
// A lingering wait returns at the first completion, but not before it has lasted as long as the linger.
// Faults come from the world (fail_open, fail_sends, paths). May use the heap. One thread, wake() included.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "engine/pump/io.h"
#include "engine/sim/world.h"

namespace hawser::sim {

class SimIo {
public:
    SimIo(World& world, HostId host, Pool& pool) : world_(world), host_(host), pool_(pool) {}
    ~SimIo();
    SimIo(const SimIo&) = delete;
    SimIo& operator=(const SimIo&) = delete;

    Result<SocketId, Errno> open(const SocketSpec& spec) noexcept;
    void close(SocketId socket) noexcept;
    Endpoint local(SocketId socket) noexcept;
    std::uint32_t payload_bytes_max(SocketId socket) noexcept;
    void send(SocketId socket, PacketRef packet, const Endpoint* to) noexcept;
    void keep_order(bool) noexcept {}  // it always does
    Turn wait(Instant deadline, Duration linger) noexcept;
    Instant now() noexcept { return world_.now(); }
    void wake() noexcept { woken_ = true; }
    const IoCounters& counters() const noexcept { return counters_; }

    // For a Stepper.
    void step_by_world() noexcept { stepped_ = true; }
    void grant() noexcept { granted_ = true; }
    [[nodiscard]] Instant due() const noexcept;
    [[nodiscard]] bool has_unsent() const noexcept { return !unsent_.empty(); }

private:
    // As many as a busy wait of the kernel models reports.
    static constexpr std::size_t completions_max = 256;
    // Packets do not begin where a slot does: io_uring puts an address header before them.
    static constexpr std::uint16_t receive_offset = 32;

    struct Socket {
        Handle handle;
        std::uint32_t tag = 0;
        bool connected = false;
        bool open = false;
        bool named = false;  // closed, but the turn in hand may still speak of it
    };
    struct Unsent {
        SocketId socket;
        PacketRef packet;
        Endpoint to;
    };

    void flush() noexcept;
    void collect() noexcept;
    void take_arrived() noexcept;
    [[nodiscard]] SocketId socket_of(Handle handle) const noexcept;

    World& world_;
    HostId host_;
    Pool& pool_;
    Inbox inbox_;
    std::vector<Socket> sockets_;  // by SocketId; a slot is used again, lowest first, after the next wait
    std::deque<Unsent> unsent_;
    std::deque<Completion> refused_;
    std::vector<Completion> completions_;
    IoCounters counters_;
    Instant deadline_{};
    Duration linger_{};
    bool has_unread_ = false;  // the last turn left datagrams in the inbox
    Instant waiting_since_{};
    bool waiting_ = false;
    bool stepped_ = false;
    bool granted_ = false;
    bool woken_ = false;
};
static_assert(Io<SimIo>);

// Steps anything with a turn() that calls wait() once, as a program of the world.
template <class Pump>
class Stepper {
public:
    Stepper(SimIo& io, Pump& pump) : io_(io), pump_(pump) { io_.step_by_world(); }

    [[nodiscard]] Instant due() const { return io_.due(); }
    void run(Instant) {
        io_.grant();
        pump_.turn();
        // A further, empty turn puts what that one queued on the wire, and says what is waited for next.
        do pump_.turn();
        while (io_.has_unsent());
    }

private:
    SimIo& io_;
    Pump& pump_;
};

}  // namespace hawser::sim
