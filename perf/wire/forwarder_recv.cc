// SPDX-License-Identifier: MIT
// The yardstick for a receiver: one thread that moves packets as a receiver must, and knows no protocol.
// Datagrams from the links go to the server over one connected socket per group, packets of one turn for one group in
// one sendmsg with UDP GSO. What the server sends to a group goes to all links of it, and each link gets 44 bytes back
// per ten packets, as a receiver's acknowledgement would be; all of a turn in one sendmmsg.
// It knows the bench's address plan (Fleet): the low 16 bits of a source address are the group, so it looks nothing up.
#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "perf/wire/gso.h"
#include "perf/wire/options.h"
#include "perf/wire/udp.h"
#include "perf/wire/waiter.h"

namespace hawser::perf {
namespace {

constexpr unsigned batch = 64;
constexpr unsigned packet_bytes = 1500;
constexpr unsigned rounds_max = 4;  // full batches on one socket before the others get their turn
constexpr unsigned links_max = 32;
constexpr unsigned packets_per_reply = 10;
constexpr unsigned reply_bytes = 44;

struct Link {
    sockaddr_in address{};
    unsigned count = 0;
};

struct Group {
    Socket socket;
    SegmentedSend train;
    bool touched = false;
    bool unread = false;
    std::array<Link, links_max> links{};
};

class Forwarder {
public:
    Forwarder(std::uint16_t port, const sockaddr_in& server, std::int64_t coalesce_ns)
        : uplinks_(ipv4(loopback, port)),
          server_(server),
          waiter_(coalesce_ns),
          in_(batch, packet_bytes),
          from_server_(batch, packet_bytes),
          back_(256, packet_bytes),
          groups_(65536) {
        waiter_.watch(uplinks_.fd(), uplinks_id);
    }

    [[noreturn]] void run() {
        unsigned gathered = 0;
        for (;;) {
            for (const epoll_event& event : waiter_.wait(gathered, uplinks_unread_ || !unread_.empty())) {
                if (event.data.u32 == uplinks_id)
                    uplinks_unread_ = true;
                else
                    mark(event.data.u32);
            }
            gathered = uplinks_unread_ ? from_uplinks() : 0;
            still_unread_.clear();
            for (const std::uint32_t g : unread_)
                if (!from_server(*groups_[g])) still_unread_.push_back(g);
            unread_.swap(still_unread_);
            back_.flush(uplinks_.fd());
        }
    }

private:
    static constexpr std::uint32_t uplinks_id = 0xFFFF'FFFF;

    void mark(std::uint32_t g) {
        if (groups_[g]->unread) return;
        groups_[g]->unread = true;
        unread_.push_back(g);
    }

    Group& group(std::uint32_t g) {
        if (groups_[g] == nullptr) {
            groups_[g] = std::make_unique<Group>();
            groups_[g]->socket = Socket(ipv4(loopback, 0));
            groups_[g]->socket.connect(server_);
            waiter_.watch(groups_[g]->socket.fd(), g);
        }
        return *groups_[g];
    }

    unsigned from_uplinks() {
        unsigned sum = 0;
        for (unsigned round = 0; round < rounds_max; ++round) {
            const unsigned n = in_.receive(uplinks_.fd());
            for (unsigned i = 0; i < n; ++i) on_packet(i);
            for (Group* g : touched_) {
                g->train.flush(g->socket.fd());
                g->touched = false;
            }
            touched_.clear();
            sum += n;
            if (n < batch) {
                uplinks_unread_ = false;
                break;
            }
        }
        return sum;
    }

    void on_packet(unsigned i) {
        const std::uint32_t source = ntohl(in_.from(i).sin_addr.s_addr);
        Group& g = group(source & 0xFFFF);
        Link& link = g.links[((source >> 16) - 1) % links_max];
        link.address = in_.from(i);
        if (++link.count == packets_per_reply) {
            link.count = 0;
            back_.add(uplinks_.fd(), in_.bytes(i).first(reply_bytes), link.address);
        }
        g.train.add(g.socket.fd(), in_.data(i), in_.length(i));
        if (g.touched) return;
        g.touched = true;
        touched_.push_back(&g);
    }

    // False when there may be more.
    bool from_server(Group& g) {
        const unsigned n = from_server_.receive(g.socket.fd());
        for (unsigned i = 0; i < n; ++i)
            for (const Link& link : g.links)
                if (link.address.sin_port != 0) back_.add(uplinks_.fd(), from_server_.bytes(i), link.address);
        g.unread = n == batch;
        return n < batch;
    }

    Socket uplinks_;
    sockaddr_in server_;
    Waiter waiter_;
    ReceiveBatch in_;
    ReceiveBatch from_server_;
    SendBatch back_;
    std::vector<std::unique_ptr<Group>> groups_;
    std::vector<Group*> touched_;
    std::vector<std::uint32_t> unread_;
    std::vector<std::uint32_t> still_unread_;
    bool uplinks_unread_ = false;
};

constexpr const char* usage =
    "forwarder_recv LISTEN_PORT HOST PORT [--coalesce MICROSECONDS]\n"
    "  Moves UDP datagrams from 127.0.0.1:LISTEN_PORT to HOST:PORT, one socket per group of links, and back.\n";

}  // namespace
}  // namespace hawser::perf

int main(int argc, char** argv) {
    using namespace hawser::perf;
    Options options(argc, argv, usage);
    const auto coalesce_ns = static_cast<std::int64_t>(options.number("--coalesce", 0) * 1000);
    const std::vector<std::string>& words = options.positional(3);
    if (words.size() < 3) options.fail("too few arguments");
    const auto port = [](const std::string& s) { return static_cast<std::uint16_t>(std::atoi(s.c_str())); };
    Forwarder(port(words[0]), ipv4(words[1], port(words[2])), coalesce_ns).run();
}
