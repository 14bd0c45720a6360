// SPDX-License-Identifier: MIT
// The yardstick for a sender: one thread that moves packets as a sender must, and knows no protocol.
// Local datagrams go to the uplinks in rotation, packet by packet; packets of one turn for one link leave in one
// sendmsg with UDP GSO. Whatever comes back on an uplink goes to the last local sender, all of a turn in one sendmmsg.
// It is meant to be the floor: per turn one epoll_wait, one recvmmsg per ready socket, one send per link used.
#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <fstream>
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
// Rounds of a full batch on one socket before the others get their turn.
constexpr unsigned rounds_max = 4;

class Forwarder {
public:
    Forwarder(const sockaddr_in& listen, const sockaddr_in& to, const std::vector<std::string>& sources,
              std::int64_t coalesce_ns)
        : local_(listen),
          waiter_(coalesce_ns),
          local_in_(batch, packet_bytes),
          uplink_in_(batch, packet_bytes),
          back_(batch, packet_bytes),
          trains_(sources.size()),
          unread_(sources.size() + 1) {
        waiter_.watch(local_.fd(), local_id);
        for (const std::string& source : sources) {
            uplinks_.emplace_back(ipv4(source, 0));
            uplinks_.back().connect(to);
            waiter_.watch(uplinks_.back().fd(), static_cast<std::uint32_t>(uplinks_.size()));
        }
    }

    [[noreturn]] void run() {
        unsigned gathered = 0;
        for (;;) {
            for (const epoll_event& event : waiter_.wait(gathered, unread_count_ > 0)) mark(event.data.u32, true);
            gathered = 0;
            if (unread_[local_id]) gathered = from_local();
            for (std::uint32_t id = 1; id < unread_.size(); ++id)
                if (unread_[id]) from_uplink(id);
            back_.flush(local_.fd());
        }
    }

private:
    static constexpr std::uint32_t local_id = 0;  // uplink i has i + 1

    void mark(std::uint32_t id, bool unread) {
        unread_count_ = unread_count_ + (unread ? 1u : 0u) - (unread_[id] ? 1u : 0u);
        unread_[id] = unread;
    }

    unsigned from_local() {
        unsigned sum = 0;
        for (unsigned round = 0; round < rounds_max; ++round) {
            const unsigned n = local_in_.receive(local_.fd());
            for (unsigned i = 0; i < n; ++i) {
                trains_[turn_].add(uplinks_[turn_].fd(), local_in_.data(i), local_in_.length(i));
                if (++turn_ == uplinks_.size()) turn_ = 0;
            }
            for (std::size_t link = 0; link < uplinks_.size(); ++link) trains_[link].flush(uplinks_[link].fd());
            if (n > 0) caller_ = local_in_.from(n - 1);
            sum += n;
            // Fewer than asked for: the queue was empty, and the next arrival is a new edge.
            if (n < batch) {
                mark(local_id, false);
                break;
            }
        }
        return sum;
    }

    void from_uplink(std::uint32_t id) {
        const int fd = uplinks_[id - 1].fd();
        const unsigned n = uplink_in_.receive(fd);
        for (unsigned i = 0; i < n; ++i)
            if (caller_.sin_port != 0) back_.add(local_.fd(), uplink_in_.bytes(i), caller_);
        if (n < batch) mark(id, false);
    }

    Socket local_;
    std::vector<Socket> uplinks_;
    Waiter waiter_;
    ReceiveBatch local_in_;
    ReceiveBatch uplink_in_;
    SendBatch back_;
    std::vector<SegmentedSend> trains_;
    std::vector<bool> unread_;
    unsigned unread_count_ = 0;
    std::size_t turn_ = 0;
    sockaddr_in caller_{};
};

std::vector<std::string> read_sources(const std::string& path, unsigned links) {
    std::vector<std::string> sources;
    if (path.empty()) {
        for (unsigned i = 0; i < links; ++i) sources.push_back("127.0.0." + std::to_string(2 + i));
        return sources;
    }
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);)
        if (!line.empty()) sources.push_back(line);
    return sources;
}

constexpr const char* usage =
    "forwarder LISTEN_PORT HOST PORT [SOURCES_FILE] [--links N] [--coalesce MICROSECONDS]\n"
    "  Moves UDP datagrams from 127.0.0.1:LISTEN_PORT to HOST:PORT over N uplinks in rotation, and back.\n"
    "  SOURCES_FILE: one source address per line; without it 127.0.0.2 and up, --links of them (4).\n";

}  // namespace
}  // namespace hawser::perf

int main(int argc, char** argv) {
    using namespace hawser::perf;
    Options options(argc, argv, usage);
    const unsigned links = options.count("--links", 4);
    const auto coalesce_ns = static_cast<std::int64_t>(options.number("--coalesce", 0) * 1000);
    const std::vector<std::string>& words = options.positional(4);
    if (words.size() < 3) options.fail("too few arguments");
    const auto sources = read_sources(words.size() > 3 ? words[3] : "", links);
    if (sources.empty()) options.fail("no source address");
    const auto port = [](const std::string& s) { return static_cast<std::uint16_t>(std::atoi(s.c_str())); };
    Forwarder(ipv4(loopback, port(words[0])), ipv4(words[1], port(words[2])), sources, coalesce_ns).run();
}
