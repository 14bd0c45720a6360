// SPDX-License-Identifier: MIT
#include "engine/radio/stream.h"

#include <algorithm>

namespace hawser::radio {

void Stream::on_status(const Status& status, Instant now) {
    if (status.has(RadioField::gps_time)) {
        // Far beyond a turn of the loop, far below the steps of a clock that is set; untuned.
        constexpr std::uint64_t overtaken_ns_max = 2'000'000'000;
        const std::uint64_t at = status.channel.gps_time;
        if (at < told_at_ && told_at_ - at <= overtaken_ns_max) return;
        told_at_ = at;
    }
    const auto told = AudioFormat::of(status);
    if (told != format_) {
        format_ = told;
        new_epoch_ = true;
        clock_.reset();
    }
    told_since_packet_ = true;
    told_ = now;
    snapshot_.reset();
    if (status.has(RadioField::rtp_timesnap)) snapshot_ = wire::RtpTime(status.output.timesnap);
    payload_type_.reset();
    if (status.has(RadioField::rtp_pt)) payload_type_ = status.output.payload_type;
    waits_until_.reset();
    if (told && status.has(RadioField::gps_time) && status.has(RadioField::rtp_timesnap))
        clock_.on_status(status.channel.gps_time, wire::RtpTime(status.output.timesnap), told->tick_rate());
}

void Stream::on_rtp(const wire::RtpPacket& packet, Instant now) { sequence_.push(packet, now); }

// Whether what STATUS told last holds for the packet in hand.
bool Stream::is_explained() const {
    if (!format_ || !format_->ticks_in(packet_->payload)) return false;
    if (payload_type_ && packet_->header.payload_type != *payload_type_) return false;
    return told_since_packet_ || !begun_ || distance(expected_, packet_->header.timestamp) >= 0;
}

// Whether the packet in hand is of a format that was over before the last STATUS: waiting for the next one would only
// hold up those behind it, until a further change has made them inexplicable too.
bool Stream::is_past() const {
    constexpr Duration half_block{10'000'000};  // the new format's first packet comes with its STATUS; untuned
    return payload_type_ && packet_->header.payload_type != *payload_type_ && packet_->arrived + half_block < told_;
}

bool Stream::take_packet(Instant now) {
    if (!packet_) packet_ = sequence_.pop(now);
    return packet_.has_value();
}

// Whether the timestamp has gone further than the time since the epoch began: no silence, but another clock. Half a
// minute: what the sockets hold while nobody reads them is read late.
bool Stream::is_ahead_of_time(std::int32_t jump) const {
    constexpr Duration slack{30'000'000'000};  // untuned
    const std::int64_t ticks_per_s = format_->tick_rate();
    const std::int64_t passed_ms = (packet_->arrived - epoch_at_ + slack).us() / 1000;
    return ticks_per_s > 0 && (epoch_ticks_ + jump) / ticks_per_s > passed_ms / 1000;
}

// Whether the packet came after a STATUS of whose snapshot it falls short, which the next packet was to have: the
// STATUS was the one that goes before a restart. Who has heard nothing of the stream before sees it by this alone.
bool Stream::is_behind_snapshot() const {
    return snapshot_ && packet_->arrived > told_ && distance(*snapshot_, packet_->header.timestamp) < 0;
}

void Stream::count_outage(std::int32_t jump) {
    constexpr std::int64_t wrap = 65'536;
    quality_.lost_ticks += static_cast<std::uint64_t>(jump);
    ++quality_.gaps;
    if (packet_ticks_ == 0) return;
    // The sequence tells how many modulo its wrap, the timestamps how often it has wrapped.
    const std::int64_t about = std::int64_t{jump} / packet_ticks_;
    const std::int64_t wraps = std::max<std::int64_t>(0, (about - packet_->passed + wrap / 2) / wrap);
    const std::int64_t lost = packet_->passed + wraps * wrap;
    // Beyond what fits into the time, though packets may be shorter than the last one was, they were another's.
    if (lost <= 4 * about + Resequencer::window) sequence_.count_lost(static_cast<std::uint64_t>(lost) - packet_->lost);
}

std::optional<Stream::Item> Stream::next(Instant now) {
    while (take_packet(now)) {
        if (!is_explained()) {
            if (!waits_until_) waits_until_ = now + status_wait_max;
            if (packet_->payload.data() != waiting_.data()) {
                waiting_.assign(packet_->payload.begin(), packet_->payload.end());
                packet_->payload = waiting_;
            }
            // A full window waits no longer either: what comes next would push it out.
            if (!is_past() && now < *waits_until_ && sequence_.held() < Resequencer::ahead_max) return std::nullopt;
            ++quality_.undecodable;
            packet_.reset();
            continue;
        }
        const wire::RtpHeader& header = packet_->header;
        const std::int32_t jump = begun_ ? distance(expected_, header.timestamp) : 0;
        const bool is_other_clock = jump < 0 || (jump > 0 && is_ahead_of_time(jump));
        if (begun_ && !new_epoch_ && packet_->began_anew && jump > 0 && !is_other_clock) count_outage(jump);
        if (is_other_clock || packet_->began_anew || (!begun_ && is_behind_snapshot())) {
            // A snapshot of before the restart is of the old clock, whenever it came.
            clock_.reset();
            new_epoch_ = true;
        }
        if (!begun_ || new_epoch_) {
            begun_ = true;
            new_epoch_ = false;
            packet_->began_anew = false;  // told once
            ++quality_.epochs;
            expected_ = header.timestamp;
            epoch_at_ = packet_->arrived;
            epoch_ticks_ = 0;
            return deliver(Kind::epoch, header.timestamp, 0);
        }
        if (jump > 0) {
            const auto ticks = static_cast<std::uint32_t>(jump);
            const bool lost = packet_->lost != 0;
            (lost ? quality_.lost_ticks : quality_.silent_ticks) += ticks;
            ++(lost ? quality_.gaps : quality_.silences);
            const wire::RtpTime from = expected_;
            expected_ = header.timestamp;
            epoch_ticks_ += jump;
            return deliver(lost ? Kind::gap : Kind::silence, from, ticks);
        }
        const std::uint32_t ticks = *format_->ticks_in(packet_->payload);
        Item item = deliver(Kind::samples, header.timestamp, ticks);
        item.payload = packet_->payload;
        expected_ = header.timestamp.plus(ticks);
        epoch_ticks_ += ticks;
        packet_ticks_ = ticks;
        told_since_packet_ = false;
        ++quality_.packets;
        quality_.frames += ticks;
        packet_.reset();
        return item;
    }
    return std::nullopt;
}

Stream::Item Stream::deliver(Kind kind, wire::RtpTime from, std::uint32_t ticks) {
    return {kind, from, ticks, *format_, {}, clock_.unix_ns_at(from)};
}

Instant Stream::next_deadline() const {
    if (packet_) return waits_until_.value_or(never);
    return sequence_.next_deadline();
}

}  // namespace hawser::radio
