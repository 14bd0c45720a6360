// SPDX-License-Identifier: MIT
#include "engine/sim/live_sender.h"

#include <algorithm>
#include <cstring>

#include "engine/base/check.h"

namespace hawser::sim {
namespace {

// Haivision/srt v1.5.1: core.h, congctl.cpp, buffer.h.
constexpr std::int64_t syn_us = 10'000;
constexpr Duration peer_idle_max{5'000'000'000};
constexpr Duration drop_threshold_min{1'000'000'000};
constexpr std::int64_t congestion_window = 25'600;  // packets; SRTO_FC's default
constexpr std::int64_t unlimited_bytes_per_second = 125'000'000;
// Header of a data packet with UDP's and IP's: what the pacing adds to the payload.
constexpr std::int64_t header_bytes = 44;
constexpr std::uint32_t flag_nakreport = 0x10;

std::uint32_t word(Bytes body, std::size_t i) { return load_be32(body.data() + 4 * i); }

}  // namespace

LiveSender::LiveSender(const SrtSettings& settings, wire::Seq31 initial_sequence, SrtOutlet out)
    : settings_(settings), isn_(initial_sequence), out_(out) {}

void LiveSender::connect(Instant now) {
    state_ = State::induction;
    started_ = now;
    peer_id_ = 0;
    buffered_ = made_ = next_unsent_ = last_ack_ = last_full_ack_ = 0;
    losses_.clear();
    srtt_us_ = 100'000;
    rttvar_us_ = 50'000;
    has_rtt_ = false;
    send_at_ = never;
    interval_ns_ = (payload_bytes + header_bytes) * 1'000'000 / unlimited_bytes_per_second * 1000;
    send_handshake(now);
    rearm();
}

void LiveSender::begin(Instant first, double gap_ns, std::uint64_t count) {
    first_ = first;
    gap_ns_ = gap_ns;
    count_ = count;
    make_at_ = count > 0 ? first : never;
    rearm();
}

void LiveSender::set_gap(double gap_ns) {
    if (counts_.made > 0) {
        first_ = times_.back();
        paced_from_ = counts_.made - 1;
    }
    gap_ns_ = gap_ns;
    if (make_at_ != never) make_at_ = made_at(counts_.made);
    rearm();
}

void LiveSender::end_media() {
    count_ = counts_.made;
    make_at_ = never;
    rearm();
}

void LiveSender::rearm() {
    due_ = make_at_;
    if (state_ == State::connected)
        due_ = std::min({due_, send_at_, check_at_});
    else
        due_ = std::min(due_, handshake_at_);
}

void LiveSender::send_handshake(Instant now) {
    handshake_at_ = now + srt_handshake_period;
    HandshakeFields h;
    h.socket_id = own_id_;
    h.initial_sequence = isn_;
    if (state_ == State::induction) {
        h.version = 4;
        h.extension_field = 2;
        out_(make_handshake(h, {stamp(now).timestamp_us, 0}));
        return;
    }
    h.request_type = wire::handshake_conclusion;
    h.cookie = cookie_;
    h.extension_field = 1;
    const auto latency = static_cast<std::uint16_t>(settings_.latency.ms());
    out_(with_latency(make_handshake(h, {stamp(now).timestamp_us, 0}), {true, srt_handshake_flags, latency, latency}));
}

void LiveSender::send_control(wire::SrtControl type, std::uint32_t info, Bytes body, Instant now) {
    std::array<std::uint8_t, 32> packet{};
    store_be16(packet.data(), static_cast<std::uint16_t>(type));
    store_be32(packet.data() + 4, info);
    store_be32(packet.data() + 8, stamp(now).timestamp_us);
    store_be32(packet.data() + 12, peer_id_);
    std::copy(body.begin(), body.end(), packet.begin() + wire::srt_header_bytes);
    out_(Bytes(packet).first(wire::srt_header_bytes + body.size()));
    said_at_ = now;
}

void LiveSender::send_data(std::int64_t index, bool again, Instant now) {
    const Block& b = block(index);
    std::array<std::uint8_t, wire::srt_header_bytes + payload_number_bytes> head;
    const std::uint32_t number = static_cast<std::uint32_t>(index + 1) & 0x03FF'FFFF;
    store_be32(head.data(), sequence(index).raw());
    store_be32(head.data() + 4, 0xC000'0000 | (again ? 0x0400'0000u : 0u) | number);
    store_be32(head.data() + 8, stamp(b.made).timestamp_us);
    store_be32(head.data() + 12, peer_id_);
    store_be32(head.data() + 16, b.number);
    out_(head, static_cast<std::uint16_t>(wire::srt_header_bytes + payload_bytes));
    said_at_ = now;
}

void LiveSender::send_drop_request(std::int64_t first, std::int64_t last, Instant now) {
    std::array<std::uint8_t, 8> body;
    store_be32(body.data(), sequence(first).raw());
    store_be32(body.data() + 4, sequence(last).raw());
    send_control(wire::SrtControl::drop_request, 0, body, now);
}

void LiveSender::on_packet(Bytes bytes, Instant now) {
    const auto packet = wire::SrtPacket::over(bytes);
    if (!packet || packet->is_data() || packet->destination() != own_id_ || state_ == State::idle) return;
    if (packet->control_type() == wire::SrtControl::handshake) {
        on_handshake(*packet, now);
    } else if (state_ == State::connected) {
        heard_at_ = now;
        switch (packet->control_type()) {
            case wire::SrtControl::ack: on_ack(*packet, now); break;
            case wire::SrtControl::nak: on_nak(*packet, now); break;
            case wire::SrtControl::shutdown: lose_connection(now); break;
            case wire::SrtControl::handshake:
            case wire::SrtControl::keepalive:
            case wire::SrtControl::congestion_warning:
            case wire::SrtControl::ackack:
            case wire::SrtControl::drop_request:
            case wire::SrtControl::peer_error:
            case wire::SrtControl::user: break;
        }
        if (state_ == State::connected) check_timers(now);
    }
    rearm();
}

void LiveSender::on_handshake(const wire::SrtPacket& packet, Instant now) {
    const auto h = wire::Handshake::over(packet);
    if (!h) return;
    if (state_ == State::induction && h->request_type() == wire::handshake_induction) {
        cookie_ = handshake_cookie(packet);
        state_ = State::conclusion;
        send_handshake(now);
    } else if (state_ == State::conclusion && h->request_type() == wire::handshake_conclusion) {
        state_ = State::connected;
        peer_id_ = h->socket_id();
        const HandshakeLatency theirs = latency_of(packet);
        peer_reports_naks_ = (theirs.flags & flag_nakreport) != 0;
        peer_latency_ = std::max(settings_.latency, Duration{std::int64_t{theirs.receiver_ms} * 1'000'000});
        flow_window_ = 8192;
        heard_at_ = ack_heard_at_ = said_at_ = now;
        check_at_ = now + srt_tick;
    }
}

// Everything below `index` has arrived or was given up.
void LiveSender::acknowledge(std::int64_t index) {
    if (index <= buffered_ || index > made_) return;
    buffered_ = index;
    losses_.erase_below(index);
}

void LiveSender::on_ack(const wire::SrtPacket& packet, Instant now) {
    const Bytes body = packet.body();
    const auto said = wire::ack_next_expected(packet);
    if (!said) return;
    const std::int64_t index = index_of(*said);
    if (index > next_unsent_) return;
    acknowledge(index);
    const bool is_news = index >= last_ack_;
    if (is_news) {
        ack_heard_at_ = now;
        blind_rounds_ = 1;
    }
    if (body.size() == 4) {  // a light one
        if (is_news) {
            flow_window_ -= index - last_ack_;
            last_ack_ = index;
        }
        wake(now);
        return;
    }
    const std::uint32_t number = packet.control_info();
    if (now - ackack_at_ > srt_tick || number == acked_ack_) {
        send_control(wire::SrtControl::ackack, number, {}, now);
        acked_ack_ = number;
        ackack_at_ = now;
    }
    if (body.size() < 16) return;
    if (is_news) {
        flow_window_ = word(body, 3);
        last_ack_ = index;
    }
    wake(now);
    if (index <= last_full_ack_) return;
    last_full_ack_ = index;
    const std::int64_t rtt = word(body, 1), var = word(body, 2);
    if (has_rtt_ || (rtt != 100'000 && var != 50'000)) {
        srtt_us_ = rtt;
        rttvar_us_ = var;
        has_rtt_ = true;
    }
    ++counts_.acks;
}

void LiveSender::on_nak(const wire::SrtPacket& packet, Instant now) {
    ++counts_.naks;
    const auto list = wire::LossList::over(packet.body(), static_cast<std::int32_t>(IndexSet::span));
    if (!list) return;
    list->each_range([&](wire::LossRange range) {
        const std::int64_t first = index_of(range.first), last = index_of(range.last);
        if (last >= next_unsent_) return;
        if (last < last_ack_) {
            // Only a range gets an answer.
            if (first != last) send_drop_request(first, last, now);
            return;
        }
        for (std::int64_t i = std::max({first, last_ack_, buffered_}); i <= last; ++i)
            counts_.named_lost += losses_.insert(i) ? 1u : 0u;
    });
    wake(now);
}

void LiveSender::run(Instant now) {
    while (now >= make_at_) make_payload_due(now);
    if (state_ == State::connected) {
        if (now >= check_at_) check_timers(now);
        if (now >= send_at_ && !send_next(now)) {
            send_at_ = never;
            send_debt_ns_ = 0;
        }
    } else if (state_ != State::idle && now >= handshake_at_) {
        send_handshake(now);
    }
    rearm();
}

void LiveSender::make_payload_due(Instant now) {
    const auto number = static_cast<std::uint32_t>(counts_.made++);
    times_.push_back(made_at(number));
    make_at_ = counts_.made < count_ ? made_at(counts_.made) : never;
    if (state_ != State::connected) {
        ++counts_.refused;
        return;
    }
    drop_too_late(now);
    if (made_ - buffered_ >= buffer_packets) {
        ++counts_.refused;
        return;
    }
    block(made_) = Block{now, Instant{-1}, number, false};
    ++made_;
    sample_input(now);
    wake(now);
}

// Packets that the receiver will have given up before they could reach it.
void LiveSender::drop_too_late(Instant now) {
    const Duration threshold = std::max(peer_latency_, drop_threshold_min) + srt_tick * 2;
    if (buffered_ == made_ || (now - block(buffered_).made).ms() <= threshold.ms()) return;
    while (buffered_ < made_ && block(buffered_).made < now - threshold) {
        ++buffered_;
        ++counts_.dropped;
    }
    last_ack_ = buffered_;
    losses_.erase_below(buffered_);
    next_unsent_ = std::max(next_unsent_, buffered_);
}

// SRTO_OHEADBW: the pace is the input's, measured over half a second at first and a second from then on, and a bit.
void LiveSender::sample_input(Instant now) {
    if (settings_.overhead_percent == 0) return;
    constexpr std::int64_t early_packets = 2000;
    if (input_since_ == never) {
        input_since_ = now;
        return;
    }
    ++input_packets_;
    const bool early = input_period_ < Duration{1'000'000'000} && input_packets_ > early_packets;
    const Duration span = now - input_since_;
    if (!early && span <= input_period_) return;
    input_bytes_per_second_ = input_packets_ * (payload_bytes + header_bytes) * 1'000'000 / span.us();
    input_packets_ = 0;
    input_since_ = now;
    input_period_ = Duration{1'000'000'000};
}

// One packet: what is new goes before what was lost. False when there is nothing to send.
bool LiveSender::send_next(Instant now) {
    if (now > send_at_) send_debt_ns_ += (now - send_at_).ns;
    const bool has_original = next_unsent_ < made_;
    bool is_probe = false;
    if (!has_original) {
        if (!send_lost(now)) return false;
    } else {
        if (std::min(flow_window_, congestion_window) <= next_unsent_ - last_ack_) return false;
        const std::int64_t index = next_unsent_++;
        send_data(index, false, now);
        ++counts_.unique;
        is_probe = (sequence(index).raw() & 0xF) == 0;  // every sixteenth is followed at once, to measure
    }
    if (is_probe || send_debt_ns_ >= interval_ns_) {
        send_at_ = now;
        send_debt_ns_ -= interval_ns_;
    } else {
        send_at_ = now + Duration{interval_ns_ - send_debt_ns_};
        send_debt_ns_ = 0;
    }
    return true;
}

bool LiveSender::send_lost(Instant now) {
    // A repair that is younger than this may still be on its way. With a jittery RTT it lies in the future, and holds
    // nothing back.
    const Instant too_recent = now - Duration{(srtt_us_ - 4 * rttvar_us_) * 1000};
    while (losses_.size() > 0) {
        const std::int64_t index = losses_.first();
        losses_.erase(index);
        if (index < buffered_) {
            send_drop_request(index, buffered_ - 1, now);
            continue;
        }
        Block& b = block(index);
        if (peer_reports_naks_ && settings_.retransmit_algorithm != 0 && b.was_again && b.sent_again >= too_recent)
            continue;
        b.was_again = true;
        b.sent_again = now;
        send_data(index, true, now);
        ++counts_.again;
        return true;
    }
    return false;
}

void LiveSender::check_timers(Instant now) {
    check_at_ = now + srt_tick;
    if (settings_.overhead_percent > 0) {
        const std::int64_t rate =
            std::max<std::int64_t>(input_bytes_per_second_ * (100 + settings_.overhead_percent) / 100, 1);
        interval_ns_ = (payload_bytes + header_bytes) * 1'000'000 / rate * 1000;
    }
    if (now - heard_at_ > peer_idle_max) {
        lose_connection(now);
        return;
    }
    if (!peer_reports_naks_ && buffered_ < made_) {
        const std::int64_t round_us = blind_rounds_ * (srtt_us_ + 4 * rttvar_us_ + 2 * syn_us) + syn_us;
        if (now > ack_heard_at_ + Duration{round_us * 1000}) {
            for (std::int64_t i = std::max(last_ack_, buffered_); i < next_unsent_; ++i) losses_.insert(i);
            ++blind_rounds_;
            wake(now);
        }
    }
    if (now > said_at_ + srt_keepalive_period) send_control(wire::SrtControl::keepalive, 0, {}, now);
}

// What a live encoder does: it connects again, and what falls due meanwhile is lost.
void LiveSender::lose_connection(Instant now) {
    ++counts_.broken;
    ++own_id_;
    isn_ = isn_.plus(1'000'003);
    connect(now);
}

}  // namespace hawser::sim
