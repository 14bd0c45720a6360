// SPDX-License-Identifier: MIT
// A simulated internet with one clock: hosts with addresses, UDP sockets, paths between addresses, address
// translators, and the programs that live there. Time jumps to the earliest thing that somebody wants to do; programs
// take none of it. A run is a function of the seed and of what the driver asks, and digest() says so in one number.
//
// The rules are Linux's where a bond can see them: a bind needs an address of the host and a free port; a connected
// socket hears its peer only; a datagram for a closed port comes back as ECONNREFUSED to a connected socket; a full
// receive buffer drops; an address that is gone cannot be sent from. Faults are asked for by local address.
// May use the heap. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/random.h"
#include "engine/base/result.h"
#include "engine/base/socket_spec.h"
#include "engine/base/strong.h"
#include "engine/sim/path.h"
#include "engine/sim/program.h"

namespace hawser::sim {

using HostId = Strong<struct HostTag, std::uint32_t>;
using Handle = Strong<struct HandleTag, std::uint32_t>;  // a socket of some host; never used twice

// What has come for the sockets of one owner, in order of arrival.
struct Arrival {
    Handle socket;
    Datagram datagram;  // error set: an asynchronous error of the socket, no datagram
};
using Inbox = std::deque<Arrival>;

class World {
public:
    explicit World(std::uint64_t seed) : seed_(seed), random_(seed), direct_(std::make_unique<Path>(seed)) {}
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    [[nodiscard]] Instant now() const { return now_; }
    [[nodiscard]] std::uint64_t seed() const { return seed_; }
    [[nodiscard]] Random& random() { return random_; }

    // Every host has 127.0.0.1 and ::1 to itself.
    [[nodiscard]] HostId add_host();
    void add_address(HostId host, const Endpoint& address);
    void remove_address(HostId host, const Endpoint& address);

    // The way from one address to another (ports do not matter). Addresses without a path are next to each other.
    Path& add_path(const Endpoint& from, const Endpoint& to, const LinkShape& shape);
    [[nodiscard]] Path* path(const Endpoint& from, const Endpoint& to);
    // Puts a translator before an inside address: the rest of the world sees `outside` with ports of its choosing.
    void set_nat(const Endpoint& inside, const Endpoint& outside);
    // Forgets the translator's table: established flows appear from new ports, and the old ones lead nowhere.
    void renumber(const Endpoint& inside);

    [[nodiscard]] Result<Handle, Errno> open(HostId host, const SocketSpec& spec, Inbox& inbox);
    void close(Handle socket);
    [[nodiscard]] Endpoint local(Handle socket) const;
    // 0, or the errno that refused it. `to` is null for a connected socket.
    [[nodiscard]] int send(Handle socket, const Endpoint* to, Bytes bytes);
    [[nodiscard]] std::uint32_t payload_bytes_max(Handle socket);
    // For whoever takes an arrival out of its inbox: the bytes leave the socket's receive buffer.
    void took(const Arrival& arrival);

    // Binding this address fails with this errno; 0 ends it. A port of 0 stands for every port.
    void fail_open(const Endpoint& local, int error);
    // Sends from this address fail with this errno until then.
    void fail_sends(const Endpoint& local, int error, Instant until);

    void add_program(Program program) { programs_.push_back(program); }
    void remove_program(const void* self);

    // The earliest instant at which something happens.
    [[nodiscard]] Instant next() const;
    // Lets everything of the next instant happen, or, when that is later than `limit`, only time pass until `limit`.
    void step(Instant limit);
    void run_until(Instant end);
    void run_for(Duration span) { run_until(now_ + span); }

    // A hash over every arrival so far: when, from where, to where, which bytes.
    [[nodiscard]] std::uint64_t digest() const { return digest_; }
    [[nodiscard]] std::uint64_t receive_buffer_drops() const { return receive_buffer_drops_; }

private:
    struct Host {
        std::vector<Endpoint> addresses;  // port 0
        std::uint16_t next_port = 32768;
        std::map<std::uint16_t, std::vector<Handle>> by_port;
    };
    struct Socket {
        HostId host;
        Endpoint local;
        Endpoint remote;
        bool connected = false;
        bool open = false;
        std::size_t receive_bytes = 0;
        std::size_t receive_bytes_max = 0;
        Inbox* inbox = nullptr;
    };
    struct Nat {
        Endpoint inside;
        Endpoint outside;
        std::uint16_t next_port = 1024;
        std::map<std::uint16_t, std::uint16_t> out;   // inside port to outside port
        std::map<std::uint16_t, std::uint16_t> back;  // and back
    };
    struct Route {
        Endpoint from;
        Endpoint to;
        std::unique_ptr<Path> path;
    };
    struct Fault {
        Endpoint local;
        int error = 0;
        Instant until = never;
    };

    [[nodiscard]] bool owns(const Host& host, const Endpoint& address) const;
    [[nodiscard]] Endpoint source_for(const Host& host, const Endpoint& to) const;
    [[nodiscard]] int bind(Host& host, HostId id, Endpoint& local) const;
    [[nodiscard]] bool port_taken(const Host& host, const Endpoint& local) const;
    [[nodiscard]] int fault(const std::vector<Fault>& faults, const Endpoint& local) const;
    void dispatch(HostId source, Datagram&& datagram);
    void arrive(HostId source, Datagram&& datagram);
    [[nodiscard]] std::optional<HostId> host_of(const Endpoint& address) const;
    [[nodiscard]] Socket* receiver_of(HostId host, const Datagram& datagram, Handle& handle);
    void note(const Datagram& datagram);

    std::uint64_t seed_;
    Random random_;
    Instant now_{};
    std::vector<Host> hosts_;
    std::vector<Socket> sockets_;
    std::vector<Route> routes_;
    std::vector<Nat> nats_;
    std::vector<Fault> open_faults_;
    std::vector<Fault> send_faults_;
    std::vector<Program> programs_;
    std::unique_ptr<Path> direct_;
    std::deque<std::pair<HostId, Datagram>> loopback_;  // arrives at the instant it was sent
    std::vector<Datagram> arrived_;
    std::uint64_t digest_ = 14695981039346656037u;  // FNV-1a's offset basis
    std::uint64_t receive_buffer_drops_ = 0;
    std::uint64_t steps_at_instant_ = 0;
};

}  // namespace hawser::sim
