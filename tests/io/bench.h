// SPDX-License-Identifier: MIT
// What the conformance tests share: sockets on loopback, packets with a number in them, and waiting for a condition
// with a deadline. Every packet that a Bench takes in is checked against its text and its reference given back.
#pragma once

#include <catch2/catch.hpp>

#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/io/models.h"

namespace hawser::test {

using namespace hawser::literals;

// Long enough for a busy machine under a sanitizer; no test waits for it when all is well.
inline constexpr Duration patience = 10_s;

struct Seen {
    Completion completion;
    std::string bytes;
    Instant at;
};

template <class Model>
class Bench {
public:
    explicit Bench(std::uint32_t slots = 4096) : model(slots) {}
    // Whatever a test did, nothing is lost: with the Io gone every slot is free.
    ~Bench() {
        model.drop_io();
        CHECK(model.pool().free_slots() == model.pool().slots());
    }

    auto& io() { return model.io(); }
    Pool& pool() { return model.pool(); }

    SocketId open(const Endpoint& local, std::uint32_t tag = 0, std::optional<Endpoint> remote = {},
                  std::uint32_t send_buffer_bytes = 0) {
        SocketSpec spec;
        spec.local = local;
        spec.tag = tag;
        spec.send_buffer_bytes = send_buffer_bytes;
        spec.receive_buffer_bytes = 4u << 20;
        if (remote) {
            spec.connected = true;
            spec.remote = *remote;
        }
        const auto opened = io().open(spec);
        REQUIRE(opened.has_value());
        return *opened;
    }
    // A packet of the pool whose bytes are `text`; the caller owns its reference.
    PacketRef make(const std::string& text) {
        const BufferId b = pool().take();
        REQUIRE(b != no_buffer);
        std::memcpy(pool().data(b), text.data(), text.size());
        return PacketRef{b, 0, static_cast<std::uint16_t>(text.size())};
    }
    void send(SocketId socket, const std::string& text, const Endpoint* to = nullptr) {
        const PacketRef p = make(text);
        io().send(socket, p, to);
        pool().release(p.buffer);
    }
    // One wait; what it brought is kept in `seen`, and its references are given back.
    Turn turn(Instant deadline, Duration linger = {}) {
        const Turn t = io().wait(deadline, linger);
        for (const Completion& c : t.completions) {
            Seen s{c, {}, t.now};
            if (c.packet.buffer != no_buffer) {
                const Bytes bytes = pool().bytes(c.packet);
                s.bytes.assign(bytes.begin(), bytes.end());
                pool().release(c.packet.buffer);
            }
            seen.push_back(std::move(s));
        }
        return t;
    }
    [[nodiscard]] bool until(const std::function<bool()>& done, Duration within = patience) {
        const Instant end = io().now() + within;
        while (!done()) {
            if (io().now() >= end) return false;
            turn(end);
        }
        return true;
    }
    // For what must not happen: long enough that it would have.
    void pass(Duration time) {
        const Instant end = io().now() + time;
        while (io().now() < end) turn(end);
    }
    [[nodiscard]] std::size_t count(Completion::Kind kind) const {
        std::size_t n = 0;
        for (const Seen& s : seen) n += s.completion.kind == kind ? 1 : 0;
        return n;
    }
    [[nodiscard]] std::vector<std::string> received(std::optional<SocketId> at = {}) const {
        std::vector<std::string> out;
        for (const Seen& s : seen)
            if (s.completion.kind == Completion::Kind::received && (!at || s.completion.socket == *at))
                out.push_back(s.bytes);
        return out;
    }

    Model model;
    std::vector<Seen> seen;
};

// A packet of `bytes` bytes that begins with its number.
inline std::string numbered(std::uint32_t number, std::size_t bytes) {
    std::string text = std::to_string(number) + ":";
    while (text.size() < bytes) text += static_cast<char>('a' + (number + text.size()) % 26);
    text.resize(bytes);
    return text;
}

}  // namespace hawser::test
