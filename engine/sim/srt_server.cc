// SPDX-License-Identifier: MIT
#include "engine/sim/srt_server.h"

#include <algorithm>

#include "engine/wire/srtla.h"

namespace hawser::sim {
namespace {

using namespace hawser::literals;

constexpr Duration ack_period = 10_ms;  // libsrt's full ACK
constexpr std::uint16_t listener_magic = 0x4A17;
constexpr std::size_t nak_ranges_max = 150;  // fits one datagram

std::uint32_t cookie_of(const Endpoint& peer) { return static_cast<std::uint32_t>(peer.hash()) | 1; }

}  // namespace

SrtServer::SrtServer(World& world, HostId host, const SrtServerOptions& options)
    : world_(world), options_(options), port_(world, host, options.local) {
    world_.add_program(Program::of(*this));
}

SrtStamp SrtServer::stamp(const SrtSession& session) const {
    return {static_cast<std::uint32_t>((world_.now() - session.started_at).us()), session.caller_id};
}

SrtSession* SrtServer::find(const Endpoint& peer) {
    for (SrtSession& s : sessions_)
        if (!s.ended && s.peer == peer) return &s;
    return nullptr;
}

Instant SrtServer::due() const { return port_.has_arrivals() ? world_.now() : tick_at_; }

void SrtServer::run(Instant now) {
    while (const auto datagram = port_.take()) on_packet(*datagram, now);
    if (now < tick_at_) return;
    tick_at_ = now + ack_period;
    for (SrtSession& s : sessions_)
        if (!s.ended) tick(s, now);
}

void SrtServer::on_packet(const Datagram& datagram, Instant now) {
    const auto type = wire::packet_type(datagram.bytes);
    const auto packet = wire::SrtPacket::over(datagram.bytes);
    if (type && wire::is_srtla_space(*type)) {
        ++srtla_;
        return;
    }
    if (!packet) {
        ++strays_;
        return;
    }
    if (!packet->is_data() && packet->control_type() == wire::SrtControl::handshake) {
        on_handshake(datagram, *packet, now);
        return;
    }
    SrtSession* s = find(datagram.from);
    if (s == nullptr || packet->destination() != s->own_id) {
        ++strays_;
        return;
    }
    if (packet->is_data())
        on_data(*s, *packet, now);
    else if (packet->control_type() == wire::SrtControl::shutdown)
        s->ended = true;
}

void SrtServer::on_handshake(const Datagram& datagram, const wire::SrtPacket& packet, Instant now) {
    const auto h = wire::Handshake::over(packet);
    if (!h) {
        ++strays_;
        return;
    }
    if (!options_.answers) return;
    HandshakeFields answer;
    answer.request_type = h->request_type();
    answer.cookie = cookie_of(datagram.from);
    if (h->request_type() == wire::handshake_induction) {
        answer.extension_field = listener_magic;
        port_.send(datagram.from, make_handshake(answer, {0, h->socket_id()}));
        return;
    }
    if (h->request_type() != wire::handshake_conclusion || handshake_cookie(packet) != answer.cookie) return;
    if (options_.refuse != 0) {
        answer.request_type = options_.refuse;
        port_.send(datagram.from, make_handshake(answer, {0, h->socket_id()}));
        return;
    }
    SrtSession* s = find(datagram.from);
    if (s != nullptr && s->caller_id != h->socket_id()) {
        s->ended = true;
        s = nullptr;
    }
    if (s == nullptr) {
        SrtSession fresh;
        fresh.peer = datagram.from;
        fresh.caller_id = h->socket_id();
        fresh.own_id = next_id_++;
        fresh.initial_sequence = h->initial_sequence();
        fresh.started_at = now;
        sessions_.push_back(fresh);
        s = &sessions_.back();
        if (tick_at_ == never) tick_at_ = now + ack_period;
    }
    answer.initial_sequence = s->initial_sequence;
    answer.socket_id = s->own_id;
    port_.send(datagram.from, make_handshake(answer, {0, s->caller_id}));
}

void SrtServer::on_data(SrtSession& s, const wire::SrtPacket& packet, Instant now) {
    const std::int64_t index = wire::distance(s.initial_sequence, packet.sequence());
    if (s.unique == 0 && packet.body().size() >= payload_bytes_min) s.seed = load_be32(packet.body().data() + 12);
    const auto facts = read_payload(s.seed, packet.body());
    if (!facts || facts->index != static_cast<std::uint32_t>(index) || index < 0) {
        ++s.invented;
        return;
    }
    if (static_cast<std::size_t>(index) >= s.have.size()) s.have.resize(static_cast<std::size_t>(index) + 1024);
    if (s.have[static_cast<std::size_t>(index)]) {
        ++s.repeated;
        return;
    }
    s.have[static_cast<std::size_t>(index)] = true;
    ++s.unique;
    const Duration age = now - facts->made_at;
    s.age_max = std::max(s.age_max, age);
    if (age <= options_.latency + options_.grace) ++s.on_time;
    s.gaps.erase(index);
    for (std::int64_t missing = s.newest + 1; missing < index; ++missing) s.gaps.emplace(missing, SrtSession::Gap{now});
    s.newest = std::max(s.newest, index);
    if (options_.answers) ask(s, now);
}

// Names the gaps that were not asked for lately.
void SrtServer::ask(SrtSession& s, Instant now) {
    std::vector<wire::LossRange> ranges;
    std::int64_t last = -2;
    for (auto& [index, gap] : s.gaps) {
        if (s.newest - index < std::int64_t{options_.reorder_tolerance}) break;
        if (now - gap.asked_at < options_.nak_period) continue;
        const wire::Seq31 sequence = s.initial_sequence.plus(static_cast<std::int32_t>(index));
        if (index == last + 1)
            ranges.back().last = sequence;
        else if (ranges.size() == nak_ranges_max)
            break;
        else
            ranges.push_back({sequence, sequence});
        last = index;
        gap.asked_at = now;
    }
    if (!ranges.empty()) port_.send(s.peer, make_nak(ranges, stamp(s)));
}

void SrtServer::tick(SrtSession& s, Instant now) {
    std::erase_if(s.gaps, [&](const auto& entry) {
        if (now - entry.second.seen_at <= options_.latency) return false;
        ++s.given_up;
        return true;
    });
    if (!options_.answers) return;
    const std::int64_t expected = s.gaps.empty() ? s.newest + 1 : s.gaps.begin()->first;
    if (expected > s.acknowledged) {
        s.acknowledged = expected;
        const wire::Seq31 next = s.initial_sequence.plus(static_cast<std::int32_t>(expected));
        port_.send(s.peer, make_ack(++s.ack_number, next, stamp(s)));
    }
    ask(s, now);
}

}  // namespace hawser::sim
