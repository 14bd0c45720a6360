// SPDX-License-Identifier: MIT
// What an Io reports and a bond is told: something has happened, with the packet in hand.
#pragma once

#include <cstdint>

#include "engine/base/endpoint.h"
#include "engine/base/pool.h"
#include "engine/base/strong.h"

namespace hawser {

struct Completion {
    enum class Kind : std::uint8_t {
        received,     // packet, from (the peer, when the socket is not connected)
        send_failed,  // packet, error, from (the destination it had, when not connected)
        broken,       // error: an asynchronous error of the socket (ICMP: ECONNREFUSED ...) or of receiving on it
        woken,        // somebody called wake()
    };
    // received and send_failed come with a reference to the packet.
    [[nodiscard]] bool has_packet() const { return kind <= Kind::send_failed; }

    Kind kind = Kind::woken;
    SocketId socket = no_socket;
    std::uint32_t tag = 0;
    PacketRef packet;
    int error = 0;  // errno's value
    Endpoint from;
};

}  // namespace hawser
