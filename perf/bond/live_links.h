// SPDX-License-Identifier: MIT
// The links of a trip in real time: the simulator's own lines, driven by the clock of the machine, with UDP sockets on
// loopback at both ends. Link i is known by its source, 127.0.0.(2 + i); the target sees it as 127.0.1.(2 + i).
// What a simulated trip does to a datagram, this does to a real one with the same seed and the same arrival.
// Owns one thread, at real-time priority where that is permitted, since what it is late by is added to every delay:
// late() tells by how much it was. Memory is bounded by a pool; what finds no room is lost and counted.
#pragma once

#include <netinet/in.h>

#include <array>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine/base/pool.h"
#include "engine/base/result.h"
#include "engine/sim/line_machine.h"
#include "engine/sim/trip.h"
#include "platform/linux/clock.h"
#include "platform/linux/fd.h"

namespace hawser::perf {

[[nodiscard]] std::string source_address(std::size_t link);

class LiveLinks {
public:
    struct Options {
        std::vector<sim::TripLink> links;  // what their traces view outlives this
        std::uint64_t seed = 1;
        std::uint16_t listen_port = 0;  // on 127.0.0.1, for the sender
        std::uint16_t target_port = 0;  // on 127.0.0.1: the receiver
    };
    struct Lateness {
        double mean_ms = 0;  // of the direction that was worst
        double max_ms = 0;
    };

    [[nodiscard]] static Result<std::unique_ptr<LiveLinks>, std::string> start(const Options& options);
    ~LiveLinks() { stop(); }
    LiveLinks(const LiveLinks&) = delete;
    LiveLinks& operator=(const LiveLinks&) = delete;

    // Starts the scenario's clock and the figures; answers with the instant at which it began.
    [[nodiscard]] Instant begin();
    // Ends the thread. The figures below are for afterwards.
    void stop();
    [[nodiscard]] std::vector<sim::LinkOutcome> outcomes();
    [[nodiscard]] Lateness late() const;
    [[nodiscard]] std::uint64_t unheld() const { return unheld_; }
    [[nodiscard]] bool is_realtime() const { return is_realtime_; }

private:
    static constexpr std::size_t batch_max = 64;  // datagrams per recvmmsg; untuned
    static constexpr std::size_t slots = 32768;   // as a simulated trip has

    struct Direction {
        sim::LineMachine<PacketRef> line;
        std::uint64_t released = 0;
        std::int64_t late_ns_sum = 0;
        std::int64_t late_ns_max = 0;
    };
    struct Lane {
        os::Fd upstream;
        sockaddr_in sender{};  // of the last datagram from this link's source
        bool is_heard = false;
        Direction up;
        Direction down;
    };

    explicit LiveLinks(const Options& options) : options_(options) {}
    [[nodiscard]] Result<Unit, std::string> open();
    void run();
    void begin_now();
    [[nodiscard]] std::size_t receive(int socket);
    void read_sender();
    void read_target(Lane& lane);
    void accept(Direction& direction, std::size_t i, Instant now);
    void release_due();
    template <class Send>
    void release(Direction& direction, Instant now, Send&& send);
    void arm_timer() const;
    // The lines' clock begins with the emulator, as a simulated trip's does: so the callers of all runs dial at the
    // same place of a recording, and what delays the handshake is the base of all deadlines.
    [[nodiscard]] Instant now() const { return Instant{} + (os::now() - epoch_); }

    Options options_;
    // Not zeroed: of its 64 MiB a run touches what it needs.
    std::unique_ptr<std::uint8_t[]> slab_ =
        std::make_unique_for_overwrite<std::uint8_t[]>(slots * std::size_t{pool_slot_bytes});
    Pool pool_{std::span(slab_.get(), slots* std::size_t{pool_slot_bytes}), pool_slot_bytes};
    std::vector<Lane> lanes_;
    os::Fd listener_;
    os::Fd epoll_;
    os::Fd timer_;
    os::Fd wake_;
    std::uint64_t unheld_ = 0;
    bool is_realtime_ = false;
    Instant epoch_{};
    Instant ended_{};

    std::array<BufferId, batch_max> buffers_;  // where the next datagrams are read into; no_buffer: none
    std::array<iovec, batch_max> vectors_{};
    std::array<mmsghdr, batch_max> headers_{};
    std::array<sockaddr_in, batch_max> sources_{};

    std::mutex mutex_;  // guards the two below
    std::condition_variable changed_;
    enum class Wish : std::uint8_t { none, begin, stop } wish_ = Wish::none;
    Instant begun_ = never;
    std::thread thread_;
};

}  // namespace hawser::perf
