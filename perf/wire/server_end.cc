// SPDX-License-Identifier: MIT
#include "perf/wire/server_end.h"

#include <algorithm>

#include "perf/wire/fleet.h"

namespace hawser::perf {

namespace {

constexpr unsigned head_bytes = 128;
constexpr unsigned batch = 64;
constexpr std::uint16_t no_group = 0xFFFF;
// How far a hole may lie behind a group's newest packet before an ACK passes it.
constexpr std::uint64_t hole_packets_max = 8192;

}  // namespace

ServerEnd::ServerEnd(unsigned groups, std::uint64_t packets_max, unsigned srt_ack_packets)
    : srt_ack_packets_(srt_ack_packets),
      socket_(ipv4(loopback, 0)),
      in_(batch, head_bytes),
      out_(batch, head_bytes),
      groups_(groups),
      group_by_port_(65536, no_group),
      arrivals_(packets_max) {}

std::uint16_t ServerEnd::port() const { return ntohs(socket_.local().sin_port); }

bool ServerEnd::poll(std::int64_t now) {
    const unsigned n = in_.receive(socket_.fd());
    for (unsigned i = 0; i < n; ++i) {
        const Bytes packet = in_.bytes(i);
        if (packet.size() < wire::srt_header_bytes) continue;
        if ((packet[0] & 0x80) == 0)
            on_data(packet, in_.from(i), now);
        else if (load_be16(packet.data()) == static_cast<std::uint16_t>(wire::SrtControl::handshake))
            on_handshake(packet, in_.from(i));
    }
    out_.flush(socket_.fd());
    return n > 0;
}

void ServerEnd::acknowledge(std::int64_t now, std::int64_t period_ns, std::int64_t phase_ns) {
    const std::int64_t step = period_ns / static_cast<std::int64_t>(groups_.size());
    if (now - ack_due_ > period_ns) ack_due_ = now + phase_ns;
    while (ack_due_ <= now) {
        ack_due_ += step;
        send_ack(groups_[ack_next_], first_caller_id + static_cast<std::uint32_t>(ack_next_), now);
        ack_next_ = (ack_next_ + 1) % groups_.size();
    }
    out_.flush(socket_.fd());
}

void ServerEnd::send_ack(Group& group, std::uint32_t id, std::int64_t now) {
    group.unacknowledged = 0;
    if (!group.known) return;
    auto packet =
        build_srt_ack(++group.ack_number, fleet_initial_sequence + static_cast<std::uint32_t>(group.next_expected),
                      static_cast<std::uint32_t>(now / 1000));
    store_be32(packet.data() + 12, id);
    out_.add(socket_.fd(), packet, group.address);
}

void ServerEnd::on_handshake(Bytes packet, const sockaddr_in& from) {
    const auto srt = wire::SrtPacket::over(packet);
    if (!srt) return;
    const auto asked = wire::Handshake::over(*srt);
    if (!asked) return;
    const std::uint32_t g = asked->socket_id() - first_caller_id;
    if (g >= groups_.size()) return;
    if (asked->request_type() != wire::handshake_induction) {
        groups_[g].known = true;
        groups_[g].address = from;
        group_by_port_[ntohs(from.sin_port)] = static_cast<std::uint16_t>(g);
    }
    out_.add(socket_.fd(), build_handshake(listener_answer(*asked, listener_id + g)).bytes(), from);
}

void ServerEnd::on_data(Bytes packet, const sockaddr_in& from, std::int64_t now) {
    const std::uint16_t g = group_by_port_[ntohs(from.sin_port)];
    if (g == no_group || packet.size() < wire::srt_header_bytes + 8) return;
    Group& group = groups_[g];
    const std::uint64_t nth = wire::Seq31(load_be32(packet.data()) - fleet_initial_sequence).raw();
    const std::uint64_t at = nth * groups_.size() + g;
    if (!arrivals_.take(at, packet, now)) return;
    group.highest = std::max(group.highest, nth);
    if (group.highest > group.next_expected + hole_packets_max) group.next_expected = group.highest;
    while (arrivals_.has(group.next_expected * groups_.size() + g)) ++group.next_expected;
    if (srt_ack_packets_ != 0 && ++group.unacknowledged >= srt_ack_packets_) send_ack(group, first_caller_id + g, now);
}

}  // namespace hawser::perf
