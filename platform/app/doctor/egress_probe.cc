// SPDX-License-Identifier: MIT
#include "platform/app/doctor/egress_probe.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "engine/wire/srtla.h"
#include "platform/app/random.h"
#include "platform/linux/clock.h"
#include "platform/linux/fd.h"
#include "platform/linux/socket.h"

namespace hawser::app {

namespace {

constexpr Duration probe_every{400'000'000};
constexpr std::size_t v4_headers = 20 + 8, v6_headers = 40 + 8;
constexpr std::size_t seen_bytes_max = 512;

struct Probe {
    os::Fd fd;
    wire::GroupKey key{};
    Instant sent_at;  // the first
    bool sent = false;
};

// Packets that leave with REG2 where their UDP payload begins; others are not worth waking up for.
os::Fd open_watcher() {
    os::Fd fd(::socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL)));
    if (!fd.is_open()) return fd;
    constexpr std::uint16_t load_byte = BPF_LD | BPF_B | BPF_ABS, load_half = BPF_LD | BPF_H | BPF_ABS;
    constexpr std::uint16_t mask = BPF_ALU | BPF_AND | BPF_K, equals = BPF_JMP | BPF_JEQ | BPF_K,
                            take = BPF_RET | BPF_K;
    constexpr auto reg2 = static_cast<std::uint32_t>(wire::SrtlaType::reg2);
    std::array<sock_filter, 10> program{{
        {load_byte, 0, 0, 0},
        {mask, 0, 0, 0xF0},
        {equals, 0, 2, 0x40},
        {load_half, 0, 0, v4_headers},
        {equals, 3, 4, reg2},
        {equals, 0, 3, 0x60},
        {load_half, 0, 0, v6_headers},
        {equals, 0, 1, reg2},
        {take, 0, 0, seen_bytes_max},
        {take, 0, 0, 0},
    }};
    const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
    if (::setsockopt(fd.get(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) != 0) return {};
    return fd;
}

void watch(const os::Fd& watcher, std::vector<Probe>& probes, std::vector<Egress>& rows) {
    std::array<std::uint8_t, seen_bytes_max> bytes{};
    for (;;) {
        sockaddr_ll from{};
        socklen_t length = sizeof from;
        const ssize_t n = ::recvfrom(watcher.get(), bytes.data(), bytes.size(), MSG_TRUNC,
                                     reinterpret_cast<sockaddr*>(&from), &length);
        if (n < 0) return;
        const std::size_t headers = (bytes[0] & 0xF0) == 0x40 ? v4_headers : v6_headers;
        if (from.sll_pkttype != PACKET_OUTGOING || static_cast<std::size_t>(n) < headers + wire::registration_bytes)
            continue;
        for (std::size_t i = 0; i < probes.size(); ++i) {
            // The whole key is random: no other packet has it.
            if (std::memcmp(bytes.data() + headers + 2, probes[i].key.data(), probes[i].key.size()) != 0) continue;
            auto& seen = rows[i].interfaces;
            const auto index = static_cast<std::uint32_t>(from.sll_ifindex);
            if (std::find(seen.begin(), seen.end(), index) == seen.end()) seen.push_back(index);
        }
    }
}

void send(Probe& probe, Egress& row) {
    const auto packet = wire::build_registration(wire::SrtlaType::reg2, probe.key);
    if (!probe.sent) probe.sent_at = os::now();
    for (int tries = 0; tries < 2; ++tries) {
        if (::send(probe.fd.get(), packet.data(), packet.size(), MSG_DONTWAIT) >= 0) {
            probe.sent = true;
            return;
        }
        // What an earlier packet brought about is told first.
        if (errno != ECONNREFUSED) break;
        row.port_closed = true;
    }
    if (!probe.sent) row.refused = Errno{errno, "send"};
}

void receive(Probe& probe, Egress& row) {
    std::array<std::uint8_t, 2048> bytes{};
    for (;;) {
        const ssize_t n = ::recv(probe.fd.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
        if (n >= 0) {
            if (!row.round_trip) row.round_trip = os::now() - probe.sent_at;
            continue;
        }
        if (errno == ECONNREFUSED) {
            row.port_closed = true;
            continue;
        }
        return;
    }
}

}  // namespace

EgressResult probe_egress(std::span<const SocketSpec> specs, Duration wait) {
    EgressResult result;
    const os::Fd watcher = open_watcher();
    result.can_see = watcher.is_open();
    result.rows.resize(specs.size());
    std::vector<Probe> probes(specs.size());
    for (std::size_t i = 0; i < specs.size(); ++i) {
        fill_random(probes[i].key);
        auto opened = os::open_udp(specs[i]);
        if (!opened) {
            result.rows[i].refused = opened.error();
            continue;
        }
        probes[i].fd = std::move(opened->fd);
        result.rows[i].local = opened->local;
    }
    const auto is_open = [&](std::size_t i) {
        const Egress& row = result.rows[i];
        return !row.refused && !row.round_trip && !row.port_closed;
    };
    const Instant end = os::now() + wait;
    for (Instant next = os::now(); os::now() < end;) {
        if (next <= os::now()) {
            next = next + probe_every;
            for (std::size_t i = 0; i < probes.size(); ++i)
                if (is_open(i)) send(probes[i], result.rows[i]);
        }
        std::vector<pollfd> polled;
        for (std::size_t i = 0; i < probes.size(); ++i)
            if (is_open(i)) polled.push_back({probes[i].fd.get(), POLLIN, 0});
        if (polled.empty()) break;
        const Duration left = std::min(end, next) - os::now();
        static_cast<void>(
            ::poll(polled.data(), polled.size(), static_cast<int>(std::max<std::int64_t>(left.ms(), 0) + 1)));
        for (std::size_t i = 0; i < probes.size(); ++i)
            if (is_open(i)) receive(probes[i], result.rows[i]);
        if (result.can_see) watch(watcher, probes, result.rows);
    }
    if (result.can_see) watch(watcher, probes, result.rows);
    return result;
}

}  // namespace hawser::app
