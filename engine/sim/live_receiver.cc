// SPDX-License-Identifier: MIT
#include "engine/sim/live_receiver.h"

#include <algorithm>
#include <cmath>

namespace hawser::sim {
namespace {

// Haivision/srt v1.5.1: core.h, core.cpp, congctl.cpp, tsbpd_time.h.
constexpr Duration nak_interval_min{20'000'000};
constexpr std::int32_t light_ack_packets = 64;
constexpr std::size_t nak_words_max = 1456 / 4;
constexpr std::int32_t ordered_run_max = 50;
constexpr std::int32_t early_run_max = 10;
constexpr std::int64_t drift_span = 1000;    // samples
constexpr std::int64_t drift_max_us = 5000;  // in one step of the base

// Exponential averages as libsrt has them: 1/4 and 1/8 for the new value.
std::int64_t average4(std::int64_t old, std::int64_t value) { return (old * 3 + value) / 4; }
std::int64_t average8(std::int64_t old, std::int64_t value) { return (old * 7 + value) / 8; }

}  // namespace

LiveReceiver::LiveReceiver(const SrtSettings& settings, SrtOutlet out) : settings_(settings), out_(out) {}

void LiveReceiver::rearm() {
    due_ = never;
    if (!connected_) return;
    due_ = check_at_;
    if (held_.size() > 0) due_ = std::min(due_, play_time(unit(held_.first()).timestamp_us));
}

void LiveReceiver::send_control(wire::SrtControl type, std::uint32_t info, Bytes body, Instant now) {
    std::array<std::uint8_t, 16 + 4 * nak_words_max> packet;
    store_be16(packet.data(), static_cast<std::uint16_t>(type));
    store_be16(packet.data() + 2, 0);
    store_be32(packet.data() + 4, info);
    store_be32(packet.data() + 8, static_cast<std::uint32_t>((now - started_).us()));
    store_be32(packet.data() + 12, peer_id_);
    std::copy(body.begin(), body.end(), packet.begin() + wire::srt_header_bytes);
    out_(Bytes(packet).first(wire::srt_header_bytes + body.size()));
    said_at_ = now;
}

void LiveReceiver::on_packet(Bytes bytes, Instant now) {
    const auto packet = wire::SrtPacket::over(bytes);
    if (!packet) return;
    if (!packet->is_data() && packet->control_type() == wire::SrtControl::handshake) {
        on_handshake(*packet, now);
    } else if (connected_ && packet->destination() == own_id_) {
        if (packet->is_data())
            on_data(*packet, now);
        else if (packet->control_type() == wire::SrtControl::ackack)
            on_ackack(*packet, now);
        else if (packet->control_type() == wire::SrtControl::drop_request)
            on_drop_request(*packet);
        else if (packet->control_type() == wire::SrtControl::shutdown)
            connected_ = false;
        check_timers(now);
    }
    rearm();
}

void LiveReceiver::on_handshake(const wire::SrtPacket& packet, Instant now) {
    const auto h = wire::Handshake::over(packet);
    if (!h) return;
    HandshakeFields f;
    f.initial_sequence = h->initial_sequence();
    if (h->request_type() == wire::handshake_induction) {
        f.extension_field = 0x4A17;
        f.request_type = wire::handshake_induction;
        f.cookie = 0x5EED'0001;
        f.socket_id = own_id_ + 1;
        out_(make_handshake(f, {static_cast<std::uint32_t>((now - started_).us()), h->socket_id()}));
        return;
    }
    if (h->request_type() != wire::handshake_conclusion) return;
    if (connected_ && h->socket_id() == peer_id_) {  // our answer was lost
        out_(answer_);
        return;
    }
    const HandshakeLatency theirs = latency_of(packet);
    connected_ = true;
    started_ = now;
    peer_id_ = h->socket_id();
    ++own_id_;
    isn_ = h->initial_sequence();
    held_.clear();
    lost_.clear();
    fresh_.clear();
    start_ = skip_ack_ = last_ack_ = last_ackack_ = 0;
    newest_ = -1;
    tolerance_ = settings_.loss_max_ttl;
    ordered_run_ = early_run_ = 0;
    latency_ = std::max(settings_.latency, Duration{std::int64_t{theirs.sender_ms} * 1'000'000});
    base_ = now - Duration{std::int64_t{packet.timestamp_us()} * 1000};
    drift_us_ = base_moved_us_ = drift_sum_us_ = drift_samples_ = 0;
    first_rtt_us_ = -1;
    srtt_us_ = 100'000;
    rttvar_us_ = 50'000;
    has_rtt_ = false;
    sent_acks_.fill({});
    ack_number_ = answered_ack_ = 0;
    packets_since_ack_ = 0;
    light_acks_ = 1;
    nak_interval_ = nak_interval_min;
    ack_at_ = now + srt_tick;
    nak_at_ = now + nak_interval_;
    check_at_ = now + srt_tick;
    full_ack_at_ = said_at_ = now;
    f.request_type = wire::handshake_conclusion;
    f.socket_id = own_id_;
    f.extension_field = 1;
    const auto ms = static_cast<std::uint16_t>(latency_.ms());
    answer_ = with_latency(make_handshake(f, {0, peer_id_}), {false, srt_handshake_flags, ms, ms});
    out_(answer_);
}

// A buffer that begins ahead of what was acknowledged is all free: the rest need not be kept.
std::int64_t LiveReceiver::room() const { return buffer_packets - 1 - std::max<std::int64_t>(last_ack_ - start_, 0); }

void LiveReceiver::on_data(const wire::SrtPacket& packet, Instant now) {
    const std::int64_t index = index_of(packet.sequence());
    const bool again = packet.is_retransmission();
    ++packets_since_ack_;
    ++counts_.packets;
    const std::int32_t ttl = tolerance_;
    if (index < skip_ack_) {
        ++counts_.belated;
        return;
    }
    if (index - skip_ack_ >= room() || index - start_ >= buffer_packets) {
        ++counts_.no_room;
        return;
    }
    const bool is_new = index >= start_ && held_.insert(index);
    bool sent_in_order = true;
    bool is_gap = false;
    std::int64_t gap_first = 0;
    if (is_new) {
        ++counts_.unique;
        const Bytes body = packet.body();
        unit(index) = Unit{packet.timestamp_us(), body.size() >= 4 ? load_be32(body.data()) : 0};
        if (index > newest_ + 1) {
            is_gap = true;
            gap_first = newest_ + 1;
            if (ttl > 0) fresh_.push_back({gap_first, index - 1, ttl});
        }
    } else {
        ++counts_.repeated;
    }
    if (index > newest_) {
        newest_ = index;
    } else {
        unlose(index, again);
        sent_in_order = again;
    }
    if (!is_new) return;
    if (is_gap) {
        for (std::int64_t i = gap_first; i < index; ++i) lost_.insert(i);
        if (ttl == 0) {
            words_.clear();
            if (gap_first == index - 1) {
                words_.push_back(sequence(gap_first).raw());
            } else {
                words_.push_back(0x8000'0000 | sequence(gap_first).raw());
                words_.push_back(sequence(index - 1).raw());
            }
            report(words_, now);
        }
    }
    if (ttl > 0) age_fresh(now);
    if (sent_in_order && !settings_.patched_receiver && ++ordered_run_ >= ordered_run_max) {
        ordered_run_ = 0;
        if (tolerance_ > 0) --tolerance_;
    }
}

// A packet of the past came: it is lost no more. One that was only overtaken teaches how much reordering there is.
void LiveReceiver::unlose(std::int64_t index, bool again) {
    lost_.erase(index);
    bool has_grown = false;
    const bool was_overtaken = !again;
    if (was_overtaken) {
        const auto distance = static_cast<std::int32_t>(newest_ - index);
        counts_.reorder_distance_max = std::max(counts_.reorder_distance_max, distance);
        if (distance > tolerance_ && !settings_.patched_receiver) {
            tolerance_ = std::min(distance, settings_.loss_max_ttl);
            has_grown = true;  // even where it was the greatest already
        }
    }
    if (tolerance_ == 0) return;
    std::int32_t had_ttl = 0;
    revoke_fresh(index, had_ttl);
    if (!was_overtaken) return;
    ordered_run_ = 0;
    if (has_grown) {
        early_run_ = 0;
    } else if (had_ttl > 2 && ++early_run_ >= early_run_max) {
        early_run_ = 0;
        if (tolerance_ > 0 && !settings_.patched_receiver) --tolerance_;
    }
}

// `had_ttl`: of the last record looked at, as libsrt leaves it where none holds the index.
bool LiveReceiver::revoke_fresh(std::int64_t index, std::int32_t& had_ttl) {
    for (std::size_t i = 0; i < fresh_.size(); ++i) {
        FreshLoss& f = fresh_[i];
        had_ttl = f.ttl;
        if (index < f.first || index > f.last) continue;
        if (f.first == f.last) {
            fresh_.erase(fresh_.begin() + static_cast<std::ptrdiff_t>(i));
        } else if (index == f.first) {
            ++f.first;
        } else if (index == f.last) {
            --f.last;
        } else {
            const FreshLoss upper{index + 1, f.last, f.ttl};
            f.last = index - 1;
            fresh_.insert(fresh_.begin() + static_cast<std::ptrdiff_t>(i) + 1, upper);
        }
        return true;
    }
    return false;
}

void LiveReceiver::forget_losses(std::int64_t first, std::int64_t last) {
    if (lost_.size() == 0 && fresh_.empty()) return;
    for (std::int64_t i = lost_.next(first); lost_.size() > 0 && i <= last && lost_.contains(i); i = lost_.next(i + 1))
        lost_.erase(i);
    if (tolerance_ == 0) return;
    std::size_t gone = 0;
    while (gone < fresh_.size() && fresh_[gone].last <= last && fresh_[gone].first >= first) ++gone;
    if (gone < fresh_.size() && fresh_[gone].first >= first && fresh_[gone].first <= last)
        fresh_[gone].first = last + 1;
    fresh_.erase(fresh_.begin(), fresh_.begin() + static_cast<std::ptrdiff_t>(gone));
}

// One more packet has come: losses that have waited long enough are reported, the others wait on.
void LiveReceiver::age_fresh(Instant now) {
    std::size_t ripe = 0;
    words_.clear();
    for (; ripe < fresh_.size() && fresh_[ripe].ttl <= 0; ++ripe) {
        const FreshLoss& f = fresh_[ripe];
        if (words_.size() + 2 > nak_words_max) continue;
        if (f.first == f.last) {
            words_.push_back(sequence(f.first).raw());
        } else {
            words_.push_back(0x8000'0000 | sequence(f.first).raw());
            words_.push_back(sequence(f.last).raw());
        }
    }
    fresh_.erase(fresh_.begin(), fresh_.begin() + static_cast<std::ptrdiff_t>(ripe));
    for (FreshLoss& f : fresh_) --f.ttl;
    if (!words_.empty()) report(words_, now);
}

void LiveReceiver::report(const std::vector<std::uint32_t>& words, Instant now) {
    std::array<std::uint8_t, 4 * nak_words_max> body;
    const std::size_t count = std::min(words.size(), nak_words_max);
    for (std::size_t i = 0; i < count; ++i) store_be32(body.data() + 4 * i, words[i]);
    send_control(wire::SrtControl::nak, 0, Bytes(body).first(4 * count), now);
    ++counts_.naks;
    // Every half RTT: a NAK that is lost must not cost a whole one.
    nak_interval_ = std::max(Duration{(srtt_us_ + 4 * rttvar_us_) * 1000 / 2}, nak_interval_min);
}

void LiveReceiver::report_all(Instant now) {
    words_.clear();
    lost_.each_run([&](std::int64_t first, std::int64_t last) {
        if (words_.size() + 2 > nak_words_max) return false;
        if (first == last) {
            words_.push_back(sequence(first).raw());
        } else {
            words_.push_back(0x8000'0000 | sequence(first).raw());
            words_.push_back(sequence(last).raw());
        }
        return true;
    });
    report(words_, now);
}

void LiveReceiver::on_ackack(const wire::SrtPacket& packet, Instant now) {
    const std::uint32_t number = packet.control_info();
    const SentAck& sent = sent_acks_[number % ack_window];
    // libsrt's window gives up what was sent before an ACK that is answered.
    if (sent.number != number || number <= answered_ack_) return;
    const std::int64_t rtt = (now - sent.at).us();
    answered_ack_ = number;
    const std::int64_t index = sent.index;
    if (rtt <= 0) return;
    if (has_rtt_) {
        rttvar_us_ = average4(rttvar_us_, std::abs(rtt - srtt_us_));
        srtt_us_ = average8(srtt_us_, rtt);
    } else {
        srtt_us_ = rtt;
        rttvar_us_ = rtt / 2;
        has_rtt_ = true;
    }
    if (first_rtt_us_ < 0) first_rtt_us_ = rtt;
    trace_drift((now - base_time(packet.timestamp_us())).us() - (rtt - first_rtt_us_) / 2);
    last_ackack_ = std::max(last_ackack_, index);
}

void LiveReceiver::trace_drift(std::int64_t sample_us) {
    drift_sum_us_ += sample_us;
    if (++drift_samples_ < drift_span) return;
    drift_us_ = drift_sum_us_ / drift_samples_;
    drift_sum_us_ = drift_samples_ = 0;
    if (std::abs(drift_us_) <= drift_max_us) return;
    const std::int64_t step = drift_us_ < 0 ? -drift_max_us : drift_max_us;
    drift_us_ -= step;
    base_ = base_ + Duration{step * 1000};
    base_moved_us_ += step;
}

void LiveReceiver::on_drop_request(const wire::SrtPacket& packet) {
    const Bytes body = packet.body();
    if (body.size() < 8) return;
    const std::int64_t first = index_of(wire::Seq31(load_be32(body.data())));
    const std::int64_t last = index_of(wire::Seq31(load_be32(body.data() + 4)));
    forget_losses(first, last);
    if (first <= newest_ + 1 && last > newest_) newest_ = last;
}

void LiveReceiver::send_ack(bool light, Instant now) {
    const std::int64_t index = lost_.size() > 0 ? lost_.first() : newest_ + 1;
    if (last_ackack_ == index) return;
    std::array<std::uint8_t, 28> body{};
    store_be32(body.data(), sequence(index).raw());
    if (light) {
        send_control(wire::SrtControl::ack, 0, Bytes(body).first(4), now);
        return;
    }
    if (index > last_ack_) {
        last_ack_ = index;
        skip_ack_ = std::max(skip_ack_, index);
    } else if (index == last_ack_) {
        if (now - full_ack_at_ < Duration{(srtt_us_ + 4 * rttvar_us_) * 1000}) return;
    } else {
        return;
    }
    if (last_ack_ <= last_ackack_) return;
    ++ack_number_;
    store_be32(body.data() + 4, static_cast<std::uint32_t>(srtt_us_));
    store_be32(body.data() + 8, static_cast<std::uint32_t>(rttvar_us_));
    store_be32(body.data() + 12, static_cast<std::uint32_t>(std::max<std::int64_t>(room(), 2)));
    const bool is_whole = now - full_ack_at_ > srt_tick;
    if (is_whole) full_ack_at_ = now;
    send_control(wire::SrtControl::ack, ack_number_, Bytes(body).first(is_whole ? 28 : 16), now);
    ++counts_.acks;
    sent_acks_[ack_number_ % ack_window] = SentAck{ack_number_, last_ack_, now};
}

void LiveReceiver::check_timers(Instant now) {
    check_at_ = now + srt_tick;
    if (now > ack_at_) {
        send_ack(false, now);
        ack_at_ = now + srt_tick;
        packets_since_ack_ = 0;
        light_acks_ = 1;
    } else if (packets_since_ack_ >= light_ack_packets * light_acks_) {
        send_ack(true, now);
        ++light_acks_;
    }
    if (!settings_.patched_receiver) {
        if (lost_.size() == 0) {
            nak_at_ = now + nak_interval_;
        } else if (now > nak_at_) {
            report_all(now);
            nak_at_ = now + nak_interval_;
        }
    }
    if (now > said_at_ + srt_keepalive_period) send_control(wire::SrtControl::keepalive, 0, {}, now);
}

// What is due is read; gaps before it are given up.
void LiveReceiver::play(Instant now) {
    while (held_.size() > 0) {
        const std::int64_t index = held_.first();
        const Unit& u = unit(index);
        if (play_time(u.timestamp_us) > now) return;
        if (index > start_) {
            counts_.given_up += static_cast<std::uint64_t>(index - start_);
            if (index > skip_ack_) {
                forget_losses(skip_ack_, index - 1);
                skip_ack_ = index;
            }
        }
        reads_.push_back({u.number, now});
        held_.erase(index);
        start_ = index + 1;
    }
}

void LiveReceiver::run(Instant now) {
    if (!connected_) return;
    play(now);
    if (now >= check_at_) check_timers(now);
    rearm();
}

}  // namespace hawser::sim
