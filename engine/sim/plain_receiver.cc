// SPDX-License-Identifier: MIT
#include "engine/sim/plain_receiver.h"

#include <algorithm>

#include "engine/base/random.h"
#include "engine/wire/srt.h"

namespace hawser::sim {
namespace {

// BELABOX/srtla 37862da: srtla_rec.c. Whole seconds.
constexpr std::int64_t member_silence_s = 10;
constexpr std::int64_t clean_period_s = 3;
constexpr std::size_t members_max = 8;

}  // namespace

PlainReceiver::PlainReceiver(std::size_t links, std::uint64_t seed, SrtOutlet to_server, LinkOutlet to_links)
    : to_server_(to_server), to_links_(to_links), seed_(seed) {
    members_.reserve(links);
}

PlainReceiver::Member* PlainReceiver::find(std::size_t link, std::uint16_t port) {
    for (Member& m : members_)
        if (m.link == link && m.port == port) return &m;
    return nullptr;
}

void PlainReceiver::clean(std::int64_t now_s) {
    if (cleaned_s_ + clean_period_s > now_s) return;
    cleaned_s_ = now_s;
    std::erase_if(members_, [&](const Member& m) { return m.heard_s + member_silence_s < now_s; });
}

void PlainReceiver::answer(wire::SrtlaType type, std::size_t link, std::uint16_t port) {
    std::array<std::uint8_t, 2> packet;
    store_be16(packet.data(), static_cast<std::uint16_t>(type));
    to_links_.send(to_links_.self, link, port, packet);
}

void PlainReceiver::on_reg1(std::size_t link, std::uint16_t port, Bytes packet) {
    if (find(link, port) != nullptr) {
        answer(wire::SrtlaType::reg_err, link, port);
        return;
    }
    std::copy_n(packet.begin() + 2, wire::group_id_sender_bytes, key_.begin());
    Random random(seed_);
    for (std::size_t i = wire::group_id_sender_bytes; i < key_.size(); ++i)
        key_[i] = static_cast<std::uint8_t>(random.next());
    has_group_ = true;
    last_link_ = link;
    last_port_ = port;
    to_links_.send(to_links_.self, link, port, wire::build_registration(wire::SrtlaType::reg2, key_));
}

void PlainReceiver::on_reg2(std::size_t link, std::uint16_t port, Bytes packet, std::int64_t now_s) {
    if (!has_group_ || !std::equal(key_.begin(), key_.end(), packet.begin() + 2)) {
        answer(wire::SrtlaType::reg_ngp, link, port);
        return;
    }
    if (find(link, port) == nullptr) {
        if (members_.size() == members_max) {
            answer(wire::SrtlaType::reg_err, link, port);
            return;
        }
        Member m;
        m.link = link;
        m.port = port;
        m.heard_s = now_s;
        members_.push_back(m);
    }
    answer(wire::SrtlaType::reg3, link, port);
    last_link_ = link;
    last_port_ = port;
}

void PlainReceiver::on_link(std::size_t link, std::uint16_t port, Bytes packet, Instant now) {
    const std::int64_t now_s = now.ns / 1'000'000'000;
    clean(now_s);
    const auto type = wire::packet_type(packet);
    if (!type) return;
    if (packet.size() == wire::registration_bytes) {
        if (*type == static_cast<std::uint16_t>(wire::SrtlaType::reg1)) return on_reg1(link, port, packet);
        if (*type == static_cast<std::uint16_t>(wire::SrtlaType::reg2)) return on_reg2(link, port, packet, now_s);
    }
    Member* m = find(link, port);
    if (m == nullptr) return;
    m->heard_s = now_s;
    if (*type == static_cast<std::uint16_t>(wire::SrtlaType::keepalive)) {
        to_links_.send(to_links_.self, link, port, packet);
        return;
    }
    const auto srt = wire::SrtPacket::over(packet);
    if (!srt) return;
    last_link_ = link;
    last_port_ = port;
    if (srt->is_data()) {
        m->ack.add(srt->sequence());
        if (m->ack.full()) {
            to_links_.send(to_links_.self, link, port, m->ack.bytes());
            m->ack.clear();
        }
    }
    to_server_(packet);
}

void PlainReceiver::on_server(Bytes packet) {
    const auto srt = wire::SrtPacket::over(packet);
    if (!srt) return;
    if (!srt->is_data() && srt->control_type() == wire::SrtControl::ack) {
        for (std::size_t i = members_.size(); i > 0; --i)
            to_links_.send(to_links_.self, members_[i - 1].link, members_[i - 1].port, packet);
        return;
    }
    to_links_.send(to_links_.self, last_link_, last_port_, packet);
}

}  // namespace hawser::sim
