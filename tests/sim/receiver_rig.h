// SPDX-License-Identifier: MIT
// A receiver without sockets: plays the pump, in simulated time. Each call from outside is one turn: the bond is
// called, its actions are carried out as the Io seam says (a close drops what was queued in the same turn), and its
// structures are audited. What left is recorded; a test takes it and looks.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "engine/bond/receiver.h"
#include "engine/sim/srt_packets.h"
#include "engine/wire/srtla.h"

namespace hawser::test {

using sim::Packet;

struct Sent {
    Instant at;
    SocketId socket = no_socket;
    std::uint32_t tag = 0;
    Endpoint to;  // the peer, on a connected socket too
    Packet bytes;

    [[nodiscard]] std::uint16_t type() const { return bytes.size() < 2 ? std::uint16_t{0} : load_be16(bytes.data()); }
    [[nodiscard]] bool is(wire::SrtlaType t) const { return type() == static_cast<std::uint16_t>(t); }
    [[nodiscard]] bool is(wire::SrtControl t) const { return type() == static_cast<std::uint16_t>(t); }
};

class ReceiverRig {
public:
    struct Socket {
        SocketSpec spec;
        Endpoint local;
    };

    explicit ReceiverRig(const bond::ReceiverOptions& options = {});
    ~ReceiverRig();

    // The world acts.
    void set_server(std::vector<Endpoint> addresses);
    void from(const Endpoint& sender, Bytes packet);
    void from_server(SocketId socket, Bytes packet);
    // A packet of a socket that is gone, as one turn's completions may still hold.
    void from_tag(std::uint32_t tag, Bytes packet);
    void broken(SocketId socket, int error);
    void send_failed(SocketId socket, int error);
    void stop();
    // Runs each deadline at its time until `span` has passed.
    void pass(Duration span);
    // 0, or the errno that opening a socket to or on this address meets.
    std::function<int(const SocketSpec&)> open_fails;

    // What left since the last take, all or to one address.
    std::vector<Sent> take();
    std::vector<Sent> take_to(const Endpoint& to);
    // Of what was taken nothing is kept; events stay.
    [[nodiscard]] std::vector<Event> events(EventKind kind) const;

    // Registers a group: REG1 from the first address, REG2 from all. Its id.
    wire::GroupKey join(const std::vector<Endpoint>& links, std::uint8_t seed = 1);
    void join_more(const wire::GroupKey& key, const Endpoint& link);
    // Induction and conclusion, answered by the server.
    void establish(const Endpoint& link, std::uint32_t caller, std::uint32_t server, std::uint32_t isn);
    void data(const Endpoint& link, std::uint32_t sequence, std::uint32_t destination);

    // The newest open socket towards the server, or no_socket.
    [[nodiscard]] SocketId server_socket() const;
    [[nodiscard]] std::size_t open_sockets() const { return sockets_.size(); }
    [[nodiscard]] const Socket& socket(SocketId id) const { return sockets_.at(id.value); }

    Instant now{1'000'000'000'000};
    bool audits = true;  // off where hundreds of groups would be walked after each packet

private:
    void carry_out();
    void end_turn();
    [[nodiscard]] PacketRef put(Bytes packet);

    std::vector<std::uint8_t> slab_;

public:
    Pool pool;
    bond::Receiver receiver;
    bond::ReceiverOptions options;

private:
    bond::Actions out_;
    std::map<std::uint16_t, Socket> sockets_;
    std::vector<Sent> queued_;  // of this turn
    std::vector<Sent> sent_;
    std::vector<Event> events_;
    std::uint16_t next_socket_ = 0;
    std::uint16_t next_port_ = 40000;
};

// Addresses of tests.
inline Endpoint phone(unsigned n, std::uint16_t port = 0) {
    return Endpoint::from_v4(0x0A000001u + (n << 8), port != 0 ? port : static_cast<std::uint16_t>(5000 + n));
}
inline Endpoint phone6(unsigned n) {
    Endpoint e;
    e.address[0] = 0x20;
    e.address[1] = 0x01;
    e.address[6] = static_cast<std::uint8_t>(n >> 8);
    e.address[15] = static_cast<std::uint8_t>(n);
    e.port = 6000;
    return e;
}
inline const Endpoint srt_server = Endpoint::from_v4(0x7F000001, 4001);
inline const Endpoint srt_server_2 = Endpoint::from_v4(0x7F000002, 4001);

Packet reg1(std::uint8_t seed);
Packet reg2(const wire::GroupKey& key);
wire::GroupKey key_in(const Sent& reg2_answer);
Packet data_packet(std::uint32_t sequence, std::uint32_t destination, std::size_t bytes = 1332);
Packet induction(std::uint32_t caller);
Packet conclusion(std::uint32_t caller, std::uint32_t isn);
// The server's answer to it; 1000 + reason refuses.
Packet conclusion_answer(std::uint32_t caller, std::uint32_t server, std::int32_t request = wire::handshake_conclusion);
Packet control(wire::SrtControl type, std::uint32_t destination, std::size_t body_bytes = 4);

}  // namespace hawser::test
