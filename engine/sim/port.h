// SPDX-License-Identifier: MIT
// One unconnected UDP socket for a scripted program: what it is sent is in its inbox, what it sends leaves at once.
// Closes with its owner.
#pragma once

#include <optional>

#include "engine/base/check.h"
#include "engine/sim/world.h"

namespace hawser::sim {

class Port {
public:
    Port(World& world, HostId host, const Endpoint& local) : world_(world) {
        SocketSpec spec;
        spec.local = local;
        spec.receive_buffer_bytes = 16u * 1024 * 1024;
        auto opened = world.open(host, spec, inbox_);
        HAWSER_CHECK(opened.has_value());
        socket_ = *opened;
    }
    ~Port() { world_.close(socket_); }
    Port(const Port&) = delete;
    Port& operator=(const Port&) = delete;

    [[nodiscard]] Endpoint local() const { return world_.local(socket_); }
    [[nodiscard]] bool has_arrivals() const { return !inbox_.empty(); }
    [[nodiscard]] std::optional<Datagram> take() {
        while (!inbox_.empty()) {
            world_.took(inbox_.front());
            Datagram datagram = std::move(inbox_.front().datagram);
            inbox_.pop_front();
            if (datagram.error == 0) return datagram;
        }
        return std::nullopt;
    }
    // The errno that refused it, or 0.
    int send(const Endpoint& to, Bytes bytes) { return world_.send(socket_, &to, bytes); }

private:
    World& world_;
    Inbox inbox_;
    Handle socket_;
};

}  // namespace hawser::sim
