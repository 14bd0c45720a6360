// SPDX-License-Identifier: MIT
// The sends between two flushes, laid out as they are queued the way the kernel wants them: per socket a chain of runs
// in order, each run the vectors of what one UDP GSO send may carry (equal lengths, the last one may be shorter), or
// one packet. A flush only walks the runs, socket by socket. Where order is to be kept across connected sockets, a
// model takes a run as soon as the next packet goes elsewhere, so that there is one at most. Every queued packet holds
// one reference until clear().
#pragma once

#include <netinet/udp.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cstdint>
#include <memory>

#include "engine/base/pool.h"
#include "platform/linux/sockaddr.h"
#include "platform/linux/sockets.h"

namespace hawser::os {

// UDP_MAX_SEGMENTS of Linux before 6.9 (then 128).
inline constexpr std::uint32_t segments_max = 64;
// Largest UDP payload over IPv4: 65535 - 20 - 8.
inline constexpr std::uint32_t segmented_bytes_max = 65507;

// The control message that asks for segmentation, ready but for the segment's length.
struct SegmentControl {
    alignas(cmsghdr) unsigned char bytes[CMSG_SPACE(sizeof(std::uint16_t))] = {};

    SegmentControl() noexcept {
        auto* header = reinterpret_cast<cmsghdr*>(bytes);
        header->cmsg_level = SOL_UDP;
        header->cmsg_type = UDP_SEGMENT;
        header->cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
    }
    void set(std::size_t segment) noexcept {
        const auto bytes16 = static_cast<std::uint16_t>(segment);
        __builtin_memcpy(bytes + CMSG_LEN(0), &bytes16, sizeof bytes16);
    }
};

class SendQueue {
public:
    // Most sends between two flushes; at the bound a model flushes early. A turn's 512 packets, and as many again.
    static constexpr std::uint32_t capacity = 1024;

    explicit SendQueue(Pool& pool)
        : pool_(pool),
          buffers_(std::make_unique<BufferId[]>(capacity)),
          runs_(std::make_unique<Run[]>(capacity + 1)),
          vectors_(new iovec[capacity * run_stride]),
          addresses_(std::make_unique<SocketAddress[]>(capacity)),
          dirty_(std::make_unique<std::uint16_t[]>(capacity)) {}

    [[nodiscard]] Pool& pool() noexcept { return pool_; }
    [[nodiscard]] bool full() const noexcept { return count_ == capacity; }
    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    // Sockets that have runs, or had some that were taken; one may come up more than once.
    [[nodiscard]] std::uint32_t dirty_count() const noexcept { return dirty_count_; }
    [[nodiscard]] std::uint16_t dirty(std::size_t i) const noexcept { return dirty_[i]; }

    // Whether packets of different connected sockets leave in the order they were queued; true at first.
    void keep_order(bool keep) noexcept { in_order_ = keep; }
    [[nodiscard]] bool keeps_order() const noexcept { return in_order_; }

    // The runs of a socket, first to last; from here on it has none. no_run: nothing queued, or closed since.
    [[nodiscard]] std::uint16_t take_runs(Socket& socket) noexcept {
        const std::uint16_t first = socket.first_run;
        socket.first_run = socket.last_run = no_run;
        return first;
    }
    [[nodiscard]] std::uint16_t next(std::uint16_t run) const noexcept { return runs_[run].next; }
    [[nodiscard]] iovec* vectors(std::uint16_t run) noexcept { return &vectors_[run * run_stride]; }
    [[nodiscard]] std::uint32_t length(std::uint16_t run) noexcept {
        return static_cast<std::uint32_t>(runs_[run].end - vectors(run));
    }
    // Where a run of an unconnected socket goes.
    [[nodiscard]] SocketAddress& address(std::uint16_t run) noexcept { return addresses_[run]; }

    // Call only when not full(). False when the packet is not the next of the socket's last run: then begin_run().
    [[nodiscard]] bool extend_run(const Socket& socket, const PacketRef& packet) noexcept {
        Run& run = runs_[socket.last_run];
        // An empty datagram is no segment.
        if (packet.length - 1u >= run.segment) return false;
        if (packet.length != run.segment || --run.left == 0) run.segment = 0;
        append(run, packet);
        return true;
    }

    // Call only when not full(), for an open socket; `to` is null exactly on a connected one.
    void begin_run(SocketId id, Socket& socket, const PacketRef& packet, const Endpoint* to) noexcept {
        const auto index = static_cast<std::uint16_t>(run_count_++);
        Run& run = runs_[index];
        run.end = vectors(index);
        run.next = no_run;
        // segment_bytes_max is 0 where GSO is refused or the socket is not connected.
        run.left = static_cast<std::uint16_t>(run_packets_max(packet.length) - 1);
        run.segment = packet.length <= socket.segment_bytes_max && run.left != 0 ? packet.length : std::uint16_t{0};
        if (to != nullptr) to_sockaddr(*to, socket.is_v4 ? AF_INET : AF_INET6, addresses_[index]);
        if (socket.first_run == no_run) {
            socket.first_run = index;
            dirty_[dirty_count_++] = id.value;
        } else {
            runs_[socket.last_run].next = index;
        }
        socket.last_run = index;
        append(run, packet);
    }

    // Gives up every reference. All runs must have been taken.
    void clear() noexcept {
        pool_.release_all(std::span<const BufferId>(buffers_.get(), count_));
        count_ = 0;
        run_count_ = 0;
        dirty_count_ = 0;
    }
    // Drops what a socket has queued, when it is closed; the references go with the others.
    void forget(Socket& socket) noexcept { socket.first_run = socket.last_run = no_run; }

private:
    struct Run {
        iovec* end = nullptr;       // after its last vector
        std::uint16_t left = 0;     // packets that it may still take
        std::uint16_t segment = 0;  // longest packet that it may still take; 0: it is complete
        std::uint16_t next = no_run;
    };
    static_assert(sizeof(void*) != 8 || sizeof(Run) == 16);
    // One more than a run can fill, so that the first vectors of all runs do not share a few sets of the cache.
    static constexpr std::uint32_t run_stride = segments_max + 1;
    static_assert(no_run == capacity, "the entry past the last is the run that takes nothing");

    // What one GSO send takes of that length. For the lengths in use without a division, which would take longer than
    // all else here.
    [[nodiscard]] static std::uint32_t run_packets_max(std::uint32_t bytes) noexcept {
        constexpr std::uint32_t usual_bytes_max = 1500;
        if (bytes <= segmented_bytes_max / segments_max) return segments_max;
        if (bytes <= usual_bytes_max) return segmented_bytes_max / usual_bytes_max;
        return std::max<std::uint32_t>(segmented_bytes_max / bytes, 1);
    }
    void append(Run& run, const PacketRef& packet) noexcept {
        pool_.add_ref(packet.buffer);
        *run.end++ = {pool_.data(packet), packet.length};
        buffers_[count_++] = packet.buffer;
    }

    Pool& pool_;
    std::uint32_t count_ = 0;
    std::uint32_t run_count_ = 0;
    std::uint32_t dirty_count_ = 0;
    bool in_order_ = true;
    std::unique_ptr<BufferId[]> buffers_;  // of all packets, for their references
    std::unique_ptr<Run[]> runs_;
    std::unique_ptr<iovec[]> vectors_;  // run_stride of them per run; what is not used is never touched
    std::unique_ptr<SocketAddress[]> addresses_;
    std::unique_ptr<std::uint16_t[]> dirty_;
};

}  // namespace hawser::os
