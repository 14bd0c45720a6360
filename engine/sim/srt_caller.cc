// SPDX-License-Identifier: MIT
#include "engine/sim/srt_caller.h"

#include "engine/sim/srt_settings.h"
#include "engine/wire/srtla.h"

namespace hawser::sim {
namespace {

using namespace hawser::literals;

constexpr Duration progress_patience = 500_ms;  // untuned: then everything unacknowledged is sent again
constexpr std::int32_t losses_max = 100'000;

}  // namespace

SrtCaller::SrtCaller(World& world, HostId host, const SrtCallerOptions& options)
    : world_(world), options_(options), port_(world, host, options.local) {
    world_.add_program(Program::of(*this));
}

void SrtCaller::connect() {
    state_ = State::induction;
    started_at_ = handshake_at_ = world_.now();
    refused_ = 0;
}

void SrtCaller::restart(wire::Seq31 initial_sequence, std::uint32_t socket_id) {
    options_.initial_sequence = initial_sequence;
    options_.socket_id = socket_id;
    ++options_.seed;
    unacknowledged_.clear();
    next_index_ = peer_id_ = cookie_ = 0;
    counts_ = SrtCallerCounts{};
    seen_.clear();
    connect();
}

void SrtCaller::say_shutdown() {
    send(make_control(wire::SrtControl::shutdown, 0, stamp(), 4));
    state_ = State::idle;
}

void SrtCaller::pause(bool paused) {
    if (paused_ && !paused) data_at_ = world_.now();
    paused_ = paused;
}

SrtStamp SrtCaller::stamp() const { return {static_cast<std::uint32_t>((world_.now() - started_at_).us()), peer_id_}; }

Instant SrtCaller::due() const {
    if (port_.has_arrivals()) return world_.now();
    if (state_ == State::idle) return never;
    if (state_ != State::connected) return handshake_at_;
    Instant at = last_sent_ + srt_keepalive_period;
    if (!paused_) at = std::min(at, data_at_);
    if (!unacknowledged_.empty()) at = std::min(at, progress_at_ + progress_patience);
    return at;
}

void SrtCaller::run(Instant now) {
    while (const auto datagram = port_.take()) on_packet(datagram->bytes, now);
    if (state_ == State::idle) return;
    if (state_ != State::connected) {
        if (now >= handshake_at_) send_handshake(now);
        return;
    }
    const bool ended = options_.packets_max != 0 && next_index_ >= options_.packets_max;
    if (ended) data_at_ = never;
    if (!paused_ && now >= data_at_) {
        unacknowledged_.push_back({next_index_, now});
        send_data(next_index_++, now, false);
        ++counts_.sent;
        data_at_ = data_at_ + Duration{1'000'000'000 / options_.packets_per_second};
    }
    while (!unacknowledged_.empty() && now - unacknowledged_.front().made_at > options_.latency)
        unacknowledged_.pop_front();
    if (!unacknowledged_.empty() && now - progress_at_ >= progress_patience) {
        progress_at_ = now;
        for (const Unacknowledged& u : unacknowledged_) send_data(u.index, u.made_at, true);
    }
    if (now - last_sent_ >= srt_keepalive_period) send(make_control(wire::SrtControl::keepalive, 0, stamp(), 4));
}

void SrtCaller::send_handshake(Instant now) {
    handshake_at_ = now + srt_handshake_period;
    HandshakeFields h;
    h.socket_id = options_.socket_id;
    h.initial_sequence = options_.initial_sequence;
    if (state_ == State::induction) {
        h.version = 4;
        h.extension_field = 2;
    } else {
        h.request_type = wire::handshake_conclusion;
        h.cookie = cookie_;
    }
    send(make_handshake(h, {stamp().timestamp_us, 0}));
}

void SrtCaller::send_data(std::uint32_t index, Instant made_at, bool again) {
    const auto timestamp = static_cast<std::uint32_t>((made_at - started_at_).us());
    send(make_data(sequence_of(index), again, {timestamp, peer_id_},
                   make_payload(options_.seed, index, made_at, options_.payload_bytes)));
    if (again) ++counts_.sent_again;
}

void SrtCaller::on_packet(Bytes bytes, Instant now) {
    const auto type = wire::packet_type(bytes);
    if (type && wire::is_srtla_space(*type)) {
        ++counts_.srtla;
        return;
    }
    const auto packet = wire::SrtPacket::over(bytes);
    if (!packet) {
        ++counts_.malformed;
        return;
    }
    if (packet->destination() != options_.socket_id) {
        // While it connects, answers to its last connection are still under way.
        if (state_ == State::connected) ++counts_.foreign;
        return;
    }
    if (packet->is_data()) {
        ++counts_.data;
        return;
    }
    switch (packet->control_type()) {
        case wire::SrtControl::handshake: on_handshake(*packet, now); break;
        case wire::SrtControl::ack: on_ack(*packet, now); break;
        case wire::SrtControl::nak: on_nak(*packet, now); break;
        case wire::SrtControl::shutdown: state_ = State::idle; break;
        case wire::SrtControl::keepalive:
        case wire::SrtControl::congestion_warning:
        case wire::SrtControl::ackack:
        case wire::SrtControl::drop_request:
        case wire::SrtControl::peer_error:
        case wire::SrtControl::user: break;
    }
}

void SrtCaller::on_handshake(const wire::SrtPacket& packet, Instant now) {
    const auto h = wire::Handshake::over(packet);
    if (!h || state_ == State::idle || state_ == State::connected) return;
    if (h->request_type() >= wire::handshake_rejection_min) {
        refused_ = h->request_type();
        state_ = State::idle;
    } else if (h->request_type() == wire::handshake_induction && state_ == State::induction) {
        cookie_ = handshake_cookie(packet);
        state_ = State::conclusion;
        handshake_at_ = now;
    } else if (h->request_type() == wire::handshake_conclusion && state_ == State::conclusion) {
        peer_id_ = h->socket_id();
        state_ = State::connected;
        data_at_ = progress_at_ = now;
    }
}

void SrtCaller::on_ack(const wire::SrtPacket& packet, Instant now) {
    const auto next = wire::ack_next_expected(packet);
    if (!next) {
        ++counts_.malformed;
        return;
    }
    ++counts_.acks;
    if (!seen_.insert(hash_of(packet.bytes())).second) ++counts_.copies;
    const std::int32_t index = wire::distance(options_.initial_sequence, *next);
    if (index < 0 || static_cast<std::uint32_t>(index) > next_index_) {
        ++counts_.fatal;
        return;
    }
    while (!unacknowledged_.empty() && unacknowledged_.front().index < static_cast<std::uint32_t>(index)) {
        unacknowledged_.pop_front();
        progress_at_ = now;
    }
    if (packet.control_info() != 0) send(make_control(wire::SrtControl::ackack, packet.control_info(), stamp(), 4));
}

void SrtCaller::on_nak(const wire::SrtPacket& packet, Instant) {
    ++counts_.naks;
    if (!seen_.insert(hash_of(packet.bytes())).second) ++counts_.copies;
    const auto losses = wire::LossList::over(packet.body(), losses_max);
    if (!losses) {
        ++counts_.malformed;
        return;
    }
    losses->each([&](wire::Seq31 sequence) {
        const std::int32_t index = wire::distance(options_.initial_sequence, sequence);
        if (index < 0 || static_cast<std::uint32_t>(index) >= next_index_) {
            ++counts_.fatal;
            return;
        }
        if (unacknowledged_.empty()) return;
        const std::uint32_t first = unacknowledged_.front().index;
        if (static_cast<std::uint32_t>(index) < first) return;
        const Unacknowledged& u = unacknowledged_[static_cast<std::uint32_t>(index) - first];
        send_data(u.index, u.made_at, true);
    });
}

}  // namespace hawser::sim
