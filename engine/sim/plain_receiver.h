// SPDX-License-Identifier: MIT
// The least that an SRTLA receiver does, and what most of those in use do: registration, echoes of keepalives, an SRTLA
// ACK for each ten data packets of a link; SRT's ACKs go to every link, all else that the server says goes to the link
// that was heard last. Behaviour of BELABOX/srtla 37862da (srtla_rec.c), for one sender and one SRT server that is
// always there. A model, told of packets and time by its trip.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/time.h"
#include "engine/sim/srt_outlet.h"
#include "engine/wire/srtla.h"

namespace hawser::sim {

class PlainReceiver {
public:
    // Where its packets go: to a link's sender, by the link's number and the port that it was heard from.
    struct LinkOutlet {
        void* self = nullptr;
        void (*send)(void*, std::size_t link, std::uint16_t port, Bytes packet) = nullptr;
    };

    PlainReceiver(std::size_t links, std::uint64_t seed, SrtOutlet to_server, LinkOutlet to_links);

    void on_link(std::size_t link, std::uint16_t port, Bytes packet, Instant now);
    void on_server(Bytes packet);

private:
    struct Member {
        std::size_t link = 0;
        std::uint16_t port = 0;
        std::int64_t heard_s = 0;
        wire::SrtlaAckBuilder ack;
    };

    [[nodiscard]] Member* find(std::size_t link, std::uint16_t port);
    void clean(std::int64_t now_s);
    void answer(wire::SrtlaType type, std::size_t link, std::uint16_t port);
    void on_reg1(std::size_t link, std::uint16_t port, Bytes packet);
    void on_reg2(std::size_t link, std::uint16_t port, Bytes packet, std::int64_t now_s);

    SrtOutlet to_server_;
    LinkOutlet to_links_;
    bool has_group_ = false;
    wire::GroupKey key_{};
    std::uint64_t seed_;
    std::vector<Member> members_;  // the newest last
    std::size_t last_link_ = 0;
    std::uint16_t last_port_ = 0;
    std::int64_t cleaned_s_ = 0;
};

}  // namespace hawser::sim
