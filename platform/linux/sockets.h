// SPDX-License-Identifier: MIT
// The sockets of a model: a fixed table whose index is the SocketId. What the data path touches sits in one half of
// a cache line per socket; descriptors and addresses lie apart.
// A closed slot keeps its number out of use until the next wait(), because completions of the turn in hand may still
// name it; its generation tells late kernel completions of the old socket from those of the new.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <memory>

#include "engine/base/check.h"
#include "engine/base/endpoint.h"
#include "engine/base/strong.h"
#include "platform/linux/fd.h"
#include "platform/linux/socket.h"

namespace hawser::os {

// No run of queued sends: the end of a chain. It is the entry past the last of SendQueue's, which takes no packet.
inline constexpr std::uint16_t no_run = 1024;

struct Socket {
    std::uint32_t tag = 0;
    int fd = -1;
    std::uint16_t generation = 0;
    std::uint16_t first_run = no_run;  // chain of queued sends, in order
    std::uint16_t last_run = no_run;
    std::uint16_t segment_bytes_max = 0;  // longest segment that may go out by UDP GSO; 0: none
    bool is_open = false;
    bool connected = false;
    bool is_v4 = false;  // family of the descriptor, not of its peers
    bool joins_segments = false;
    bool is_receiving = false;  // io_uring: a multishot receive is armed, or its arming is queued
    std::uint8_t reserved[3] = {};
    std::uint32_t reserved_words[2] = {};
};
static_assert(sizeof(Socket) == 32);

class Sockets {
public:
    explicit Sockets(std::uint32_t capacity)
        : capacity_(capacity),
          hot_(std::make_unique<Socket[]>(capacity)),
          cold_(std::make_unique<Cold[]>(capacity)),
          free_(std::make_unique<std::uint16_t[]>(capacity)),
          closed_(std::make_unique<std::uint16_t[]>(capacity)),
          free_count_(capacity) {
        HAWSER_CHECK(capacity > 0 && capacity < no_socket.value);
        for (std::uint32_t i = 0; i < capacity; ++i) free_[i] = static_cast<std::uint16_t>(capacity - 1 - i);
    }

    [[nodiscard]] std::uint32_t capacity() const noexcept { return capacity_; }
    [[nodiscard]] Socket& operator[](std::size_t index) noexcept { return hot_[index]; }
    [[nodiscard]] bool is_open(SocketId id) const noexcept { return id.value < capacity_ && hot_[id.index()].is_open; }
    // And open.
    [[nodiscard]] bool is_connected(SocketId id) const noexcept {
        return id.value < capacity_ && hot_[id.index()].connected;
    }
    [[nodiscard]] Endpoint local(SocketId id) const noexcept {
        return is_open(id) ? cold_[id.index()].local : Endpoint{};
    }
    [[nodiscard]] bool full() const noexcept { return free_count_ == 0; }

    // Call only when not full().
    [[nodiscard]] SocketId adopt(OpenedSocket&& opened, const SocketSpec& spec) noexcept {
        HAWSER_CHECK(!full());
        const std::uint16_t index = free_[--free_count_];
        Socket& s = hot_[index];
        const auto generation = static_cast<std::uint16_t>(s.generation + 1);
        s = Socket{};
        s.generation = generation;
        s.tag = spec.tag;
        s.fd = opened.fd.get();
        s.is_open = true;
        s.connected = spec.connected;
        s.is_v4 = opened.family == AF_INET;
        s.joins_segments = opened.joins_segments;
        s.segment_bytes_max = spec.connected ? 0xFFFF : 0;
        cold_[index].fd = std::move(opened.fd);
        cold_[index].local = opened.local;
        return SocketId(index);
    }
    void close(SocketId id) noexcept {
        Socket& s = hot_[id.index()];
        s.is_open = s.connected = false;
        s.fd = -1;
        ++s.generation;
        cold_[id.index()].fd.reset();
        closed_[closed_count_++] = id.value;
    }
    // From wait(): numbers closed since the last one may be given out again.
    void recycle() noexcept {
        while (closed_count_ > 0) [[unlikely]] free_[free_count_++] = closed_[--closed_count_];
    }

private:
    struct Cold {
        Fd fd;
        Endpoint local;
    };
    std::uint32_t capacity_;
    std::unique_ptr<Socket[]> hot_;
    std::unique_ptr<Cold[]> cold_;
    std::unique_ptr<std::uint16_t[]> free_;
    std::unique_ptr<std::uint16_t[]> closed_;
    std::uint32_t free_count_;
    std::uint32_t closed_count_ = 0;
};

}  // namespace hawser::os
