// SPDX-License-Identifier: MIT
#include "engine/link/keepalive.h"

#include <algorithm>

namespace hawser::link {

namespace {

constexpr Duration counted_every{900'000'000};  // keepalives go out each second, with some slack

}  // namespace

Bytes Keepalive::next(const wire::Telemetry& telemetry, Instant now) {
    if (now - counted_at_ >= counted_every) {
        counted_at_ = now;
        if (!form_answered_ && unanswered_count_ >= unanswered_per_form) {
            form_ = static_cast<KeepaliveForm>((static_cast<unsigned>(form_) + 1) % 3);
            unanswered_count_ = 0;
        }
        ++unanswered_count_;
    }
    // Stamps are unique, so that an echo names one keepalive, and never 0, which receivers' own keepalives read as.
    const std::uint64_t stamp = std::max(static_cast<std::uint64_t>(now.ms()), last_stamp_ + 1);
    last_stamp_ = stamp;
    sent_[next_++ % outstanding_max] = Sent{stamp, now, true};
    switch (form_) {
        case KeepaliveForm::extended: {
            bytes_ = wire::build_keepalive(stamp, telemetry);
            return bytes_;
        }
        case KeepaliveForm::timestamped: {
            const auto packet = wire::build_keepalive(stamp);
            std::copy(packet.begin(), packet.end(), bytes_.begin());
            return Bytes(bytes_).first(packet.size());
        }
        case KeepaliveForm::bare: break;
    }
    store_be16(bytes_.data(), static_cast<std::uint16_t>(wire::SrtlaType::keepalive));
    return Bytes(bytes_).first(wire::keepalive_bare_bytes);
}

std::optional<Duration> Keepalive::on_echo(Bytes packet, Instant now) {
    const auto stamp = wire::keepalive_timestamp(packet);
    Sent* match = nullptr;
    if (form_ == KeepaliveForm::bare) {
        // Nothing in it tells which one it answers: take the newest, and only if it is outstanding.
        if (!stamp || *stamp == 0) match = &sent_[(next_ + outstanding_max - 1) % outstanding_max];
    } else if (stamp && *stamp != 0) {
        const auto found =
            std::find_if(sent_.begin(), sent_.end(), [&](const Sent& s) { return s.outstanding && s.stamp == *stamp; });
        if (found != sent_.end()) match = &*found;
    }
    if (match == nullptr || !match->outstanding) return std::nullopt;
    match->outstanding = false;
    form_answered_ = true;
    unanswered_count_ = 0;
    answered_at_ = now;
    return now - match->at;
}

}  // namespace hawser::link
