// SPDX-License-Identifier: MIT
#include "perf/wire/far_end.h"

#include <algorithm>

namespace hawser::perf {

namespace {

// Enough for every packet that is not data; data is cut, since only its head is read.
constexpr unsigned head_bytes = 320;
constexpr unsigned batch = 64;
// How far a hole may lie behind the newest packet before an SRT ACK passes it, as a live receiver gives up on it.
constexpr std::uint64_t hole_packets_max = 8192;

}  // namespace

FarEnd::FarEnd(const Settings& settings)
    : settings_(settings),
      socket_(ipv4(loopback, 0)),
      in_(batch, head_bytes),
      out_(batch, head_bytes),
      arrivals_(settings.packets_max) {}

std::uint16_t FarEnd::port() const { return ntohs(socket_.local().sin_port); }

bool FarEnd::poll(std::int64_t now) {
    const unsigned n = in_.receive(socket_.fd());
    if (n == 0) return false;
    for (unsigned i = 0; i < n; ++i) on_packet(in_.bytes(i), in_.from(i), now);
    if (settings_.srt_ack_packets != 0 && unacknowledged_ >= settings_.srt_ack_packets) srt_acks(now);
    out_.flush(socket_.fd());
    return true;
}

void FarEnd::srt_acks(std::int64_t now) {
    unacknowledged_ = 0;
    const auto packet =
        build_srt_ack(++ack_number_, settings_.initial_sequence + static_cast<std::uint32_t>(next_expected_),
                      static_cast<std::uint32_t>(now / 1000));
    for (const Link& link : links_)
        if (link.known) out_.add(socket_.fd(), packet, link.address);
    out_.flush(socket_.fd());
}

void FarEnd::on_packet(Bytes packet, const sockaddr_in& from, std::int64_t now) {
    const auto type = wire::packet_type(packet);
    const std::size_t index = (ntohl(from.sin_addr.s_addr) & 0xFF) - 2;
    if (!type || index >= links_.size()) return;
    Link& link = links_[index];
    if (!settings_.registration) learn(link, from);
    if ((*type & 0x8000) == 0) return on_data(packet, link, index, now);
    if (*type == static_cast<std::uint16_t>(wire::SrtControl::handshake)) return on_handshake(packet, from);
    if (wire::is_srtla_space(*type)) on_srtla(*type, packet, link, from);
}

void FarEnd::on_data(Bytes packet, Link& link, std::size_t index, std::int64_t now) {
    if (packet.size() < wire::srt_header_bytes + 8 || !link.known) return;
    const wire::Seq31 sequence(load_be32(packet.data()));
    link.pending.add(sequence);
    if (link.pending.full()) {
        out_.add(socket_.fd(), link.pending.bytes(), link.address);
        link.pending.clear();
    }
    const std::uint64_t at = wire::Seq31(sequence.raw() - settings_.initial_sequence).raw();
    if (!arrivals_.take(at, packet, now)) return;
    ++unacknowledged_;
    ++by_link_[index];
    highest_ = std::max(highest_, at);
    if (highest_ - std::min(highest_, next_expected_) > hole_packets_max) next_expected_ = highest_;
    while (arrivals_.has(next_expected_)) ++next_expected_;
}

void FarEnd::on_srtla(std::uint16_t type, Bytes packet, Link& link, const sockaddr_in& from) {
    const auto reply = [&](Bytes bytes) { out_.add(socket_.fd(), bytes, from); };
    if (type == static_cast<std::uint16_t>(wire::SrtlaType::keepalive)) {
        if (link.known) reply(packet);
        return;
    }
    if (packet.size() != wire::registration_bytes) return;
    const Bytes key = packet.subspan(2);
    if (type == static_cast<std::uint16_t>(wire::SrtlaType::reg1)) {
        std::copy(key.begin(), key.end(), group_.begin());
        std::fill(group_.begin() + wire::group_id_sender_bytes, group_.end(), std::uint8_t{0xA5});
        has_group_ = true;
        std::array<std::uint8_t, wire::registration_bytes> answer{};
        store_be16(answer.data(), static_cast<std::uint16_t>(wire::SrtlaType::reg2));
        std::copy(group_.begin(), group_.end(), answer.begin() + 2);
        return reply(answer);
    }
    if (type != static_cast<std::uint16_t>(wire::SrtlaType::reg2)) return;
    const bool ours = has_group_ && std::equal(key.begin(), key.end(), group_.begin());
    std::array<std::uint8_t, 2> answer{};
    store_be16(answer.data(), static_cast<std::uint16_t>(ours ? wire::SrtlaType::reg3 : wire::SrtlaType::reg_ngp));
    if (ours) learn(link, from);
    reply(answer);
}

void FarEnd::on_handshake(Bytes packet, const sockaddr_in& from) {
    const auto srt = wire::SrtPacket::over(packet);
    if (!srt) return;
    const auto asked = wire::Handshake::over(*srt);
    if (!asked) return;
    out_.add(socket_.fd(), build_handshake(listener_answer(*asked, listener_id)).bytes(), from);
}

void FarEnd::learn(Link& link, const sockaddr_in& from) {
    if (!link.known) ++links_known_;
    link.known = true;
    link.address = from;
}

}  // namespace hawser::perf
