// SPDX-License-Identifier: MIT
// N bidirectional UDP links on loopback, told apart by the source address of what reaches one listening port.
// Each link has its own socket towards the target, bound to its own address, so that the target sees one peer a link.
// A direction is: drop-tail queue, bottleneck of a rate, random loss from a seed, fixed delay. Packets keep their
// order. Owns one thread that sleeps until a packet arrives or is due. Memory is bounded: a direction that holds as
// many packets as its shape can explain drops the next one and counts it as lost in the queue.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine/base/random.h"
#include "engine/base/time.h"
#include "platform/app/demo/link_shape.h"
#include "platform/app/demo/problem.h"
#include "platform/linux/fd.h"

namespace hawser::demo {

struct DirectionCounts {
    std::uint64_t packets_in = 0;
    std::uint64_t bytes_in = 0;  // UDP payload
    std::uint64_t packets_out = 0;
    std::uint64_t bytes_out = 0;  // UDP payload
    std::uint64_t lost_queue = 0;
    std::uint64_t lost_random = 0;
    std::uint64_t lost_dark = 0;
};

struct LinkCounts {
    DirectionCounts up;  // from the sender to the target
    DirectionCounts down;
};

// One direction of one link: packets in order of release, each with the instant at which it comes out.
class Direction {
public:
    static constexpr std::size_t packet_bytes_max = 1500;  // what every SRTLA peer reads at most

    struct Held {
        Instant release;
        std::uint16_t size = 0;
        std::array<std::uint8_t, packet_bytes_max> bytes;
    };

    Direction(const LinkShape& shape, std::uint64_t seed);

    void accept(const std::uint8_t* bytes, std::size_t size, bool dark, Instant now);
    // The packet that is to come out by `now`, or null. It stays valid until drop_first().
    [[nodiscard]] const Held* due(Instant now) const;
    // Ends the hold on due()'s packet; `sent` says whether it went out or into the dark.
    void drop_first(bool sent);
    [[nodiscard]] Instant next_release() const;
    [[nodiscard]] const DirectionCounts& counts() const { return counts_; }

private:
    LinkShape shape_;
    Random random_;
    Instant free_at_{0};  // when the bottleneck has carried all that was let in
    std::size_t capacity_;
    std::unique_ptr<Held[]> ring_;
    std::size_t first_ = 0;
    std::size_t count_ = 0;
    DirectionCounts counts_;
};

class LinkEmulator {
public:
    struct Link {
        std::uint32_t source = 0;    // IPv4, host byte order: where the sender's packets come from
        std::uint32_t upstream = 0;  // IPv4: what the target sees
        LinkShape shape;             // of both directions
    };
    struct Options {
        std::uint16_t target_port = 0;  // on 127.0.0.1
        std::vector<Link> links;
        std::vector<DarkWindow> dark;
        std::uint64_t seed = 1;
    };

    [[nodiscard]] static Outcome<std::unique_ptr<LinkEmulator>> start(const Options& options);
    ~LinkEmulator();  // ends the thread; what is held is dropped
    LinkEmulator(const LinkEmulator&) = delete;
    LinkEmulator& operator=(const LinkEmulator&) = delete;

    // Where senders are to send, on 127.0.0.1.
    [[nodiscard]] std::uint16_t port() const { return port_; }
    // Dark windows count from here; before, none is open.
    void begin_scenario(Instant now);
    [[nodiscard]] bool is_dark(std::size_t link, Instant now) const;
    [[nodiscard]] std::vector<LinkCounts> counts() const;

private:
    struct Batch;
    struct Lane {
        Link link;
        os::Fd upstream;
        Direction up;
        Direction down;
        std::uint16_t sender_port = 0;  // of the last packet from this link's source; 0: none yet
    };

    explicit LinkEmulator(const Options& options);
    [[nodiscard]] Outcome<Unit> open();
    void run();
    void read_sender(Batch& batch, Instant now);
    void read_target(Batch& batch, Lane& lane, std::size_t index, Instant now);
    void release_due(Instant now);
    void arm_timer() const;
    [[nodiscard]] bool dark_now(std::size_t link, Instant now) const;

    Options options_;
    std::vector<Lane> lanes_;
    os::Fd sender_side_;
    os::Fd epoll_;
    os::Fd timer_;
    os::Fd stop_;
    std::uint16_t port_ = 0;

    // Guards what other threads read or set: the lanes' counts and the scenario's start.
    mutable std::mutex mutex_;
    Instant scenario_start_ = never;
    std::thread thread_;
};

}  // namespace hawser::demo
