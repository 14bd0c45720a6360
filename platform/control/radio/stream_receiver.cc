// SPDX-License-Identifier: MIT
#include "platform/control/radio/stream_receiver.h"

#include <algorithm>
#include <utility>

#include "engine/radio/address.h"
#include "platform/linux/clock.h"

namespace hawser::control {

namespace {

// More than the receive buffer holds of radiod's packets.
constexpr std::size_t media_batches_max = 512;
// Beyond every wait of a stream.
constexpr Duration long_after{3'600'000'000'000};

GroupReceiver::Settings media_settings() {
    GroupReceiver::Settings settings;
    settings.datagram_bytes_max = rtp_bytes_max;
    return settings;
}

void add(StreamReceiver::Quality& sum, const radio::StreamQuality& q, const radio::Resequencer::Figures& f) {
    sum.stream.packets += q.packets;
    sum.stream.frames += q.frames;
    sum.stream.lost_ticks += q.lost_ticks;
    sum.stream.silent_ticks += q.silent_ticks;
    sum.stream.gaps += q.gaps;
    sum.stream.silences += q.silences;
    sum.stream.epochs += q.epochs;
    sum.stream.undecodable += q.undecodable;
    sum.sequence.received += f.received;
    sum.sequence.reordered += f.reordered;
    sum.sequence.lost += f.lost;
    sum.sequence.late += f.late;
    sum.sequence.duplicates += f.duplicates;
    sum.sequence.jumps += f.jumps;
    sum.sequence.oversized += f.oversized;
}

}  // namespace

StreamReceiver::StreamReceiver(Loop& loop, const Settings& settings, ItemHandler on_item,
                               PacketHandler on_status_packet, Notice notice)
    : loop_(loop),
      settings_(settings),
      on_item_(std::move(on_item)),
      on_status_packet_(std::move(on_status_packet)),
      notice_(std::move(notice)),
      media_(
          loop, media_settings(), [this](std::span<const Datagram> received) { on_media(received); }, notice_),
      statuses_(
          loop, GroupReceiver::Settings{},
          [this](std::span<const Datagram> received) {
              // Read after these statuses, but sent before them.
              media_.take_waiting(media_batches_max);
              for (const Datagram& d : received) on_status_packet_(d.source, d.bytes);
          },
          notice_) {
    loop_.watch(timer_.fd(), [this] {
        timer_.acknowledge();
        on_deadline();
    });
}

StreamReceiver::~StreamReceiver() { loop_.unwatch(timer_.fd()); }

void StreamReceiver::follow(std::uint32_t ssrc) {
    const auto [at, is_new] = channels_.try_emplace(ssrc);
    if (is_new) at->second.stream = radio::Stream(settings_.leap_seconds);
}

void StreamReceiver::unfollow(std::uint32_t ssrc) {
    const auto found = channels_.find(ssrc);
    if (found == channels_.end()) return;
    leave(found->second);
    channels_.erase(found);
    arm();
}

void StreamReceiver::leave(const Channel& channel) {
    if (channel.dest.port == 0) return;
    media_.leave(channel.media);
    statuses_.leave(channel.statuses);
}

void StreamReceiver::move(Channel& channel, const Endpoint& dest) {
    GroupSpec spec;
    spec.interface = settings_.interface;
    spec.source = settings_.source;
    spec.group = dest;
    spec.group.port = radio::rtp_port;
    const auto media = media_.join(spec);
    spec.group.port = radio::status_port;
    const auto statuses = media ? statuses_.join(spec) : media;
    if (!statuses) {
        if (media) media_.leave(*media);
        const std::string text = statuses.error().text();
        if (std::exchange(told_, text) != text) notice_(text);
        return;
    }
    leave(channel);
    channel.dest = dest;
    channel.media = *media;
    channel.statuses = *statuses;
}

void StreamReceiver::take_over(Channel& channel, const Endpoint& source) {
    if (channel.source.port != 0) {
        add(channel.before, channel.stream.quality(), channel.stream.sequence_figures());
        ++channel.before.takeovers;
        channel.stream = radio::Stream(settings_.leap_seconds);
    }
    channel.source = source;
}

// How long the channel's sender has to be silent before another takes its place.
Duration StreamReceiver::patience_with(const Channel& c, const Endpoint& source, const radio::Status& status) const {
    const auto next = radio::life_of(status);
    if (!c.life || !next) return settings_.rival_silence;
    // The same sockets, by another address of its host.
    const bool is_moved = source.port == c.source.port && radio::is_same_run(*c.life, *next);
    const bool is_heir = is_moved || radio::may_follow(*c.life, c.heard - c.told, *next);
    return is_heir ? takeover_silence : settings_.rival_silence;
}

void StreamReceiver::on_status(const Endpoint& source, const radio::Status& status) {
    const auto found = channels_.find(status.channel.ssrc);
    if (found == channels_.end()) return;
    media_.take_waiting(media_batches_max);
    Channel& channel = found->second;
    const Instant now = os::now();
    if (channel.source != source) {
        if (channel.source.port != 0 && now - channel.heard < patience_with(channel, source, status)) return;
        drain(found->first, channel, now + long_after);
        take_over(channel, source);
    }
    channel.heard = now;
    channel.told = now;
    channel.life = radio::life_of(status);
    if (status.has(radio::RadioField::output_data_dest_socket)) {
        Endpoint dest = status.output.dest;
        dest.port = radio::rtp_port;
        if (dest != channel.dest && is_multicast(dest)) move(channel, dest);
    }
    channel.stream.on_status(status, now);
    drain(found->first, channel, now);
    arm();
}

void StreamReceiver::on_media(std::span<const Datagram> received) {
    const Instant now = os::now();
    for (const Datagram& d : received) {
        const auto packet = wire::RtpPacket::over(d.bytes);
        if (!packet) continue;
        const auto found = channels_.find(packet->header().ssrc);
        if (found == channels_.end()) continue;
        Channel& channel = found->second;
        // Before the first status nobody knows whose it should be.
        if (channel.source != d.source) {
            channel.before.foreign += channel.source.port != 0 ? 1 : 0;
            continue;
        }
        channel.heard = now;
        channel.stream.on_rtp(*packet, now);
        drain(found->first, channel, now);
    }
    arm();
}

void StreamReceiver::drain(std::uint32_t ssrc, Channel& channel, Instant now) {
    while (const auto item = channel.stream.next(now)) on_item_(ssrc, *item);
}

void StreamReceiver::on_deadline() {
    const Instant now = os::now();
    for (auto& [ssrc, channel] : channels_)
        if (channel.stream.next_deadline() <= now) drain(ssrc, channel, now);
    arm();
}

void StreamReceiver::arm() {
    Instant next = never;
    for (const auto& [ssrc, channel] : channels_) next = std::min(next, channel.stream.next_deadline());
    timer_.set(next);
}

void StreamReceiver::take_waiting() {
    media_.take_waiting(media_batches_max);
    // What waits for an earlier packet waits no longer.
    for (auto& [ssrc, channel] : channels_) drain(ssrc, channel, os::now() + long_after);
}

std::optional<StreamReceiver::Quality> StreamReceiver::quality(std::uint32_t ssrc) const {
    const auto found = channels_.find(ssrc);
    if (found == channels_.end()) return std::nullopt;
    Quality sum = found->second.before;
    add(sum, found->second.stream.quality(), found->second.stream.sequence_figures());
    return sum;
}

std::optional<Endpoint> StreamReceiver::source(std::uint32_t ssrc) const {
    const auto found = channels_.find(ssrc);
    if (found == channels_.end() || found->second.source.port == 0) return std::nullopt;
    return found->second.source;
}

std::optional<Instant> StreamReceiver::heard(std::uint32_t ssrc) const {
    const auto found = channels_.find(ssrc);
    if (found == channels_.end() || found->second.source.port == 0) return std::nullopt;
    return found->second.heard;
}

}  // namespace hawser::control
