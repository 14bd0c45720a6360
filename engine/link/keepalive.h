// SPDX-License-Identifier: MIT
// One link's keepalives: which form to send, which echo is ours, and how long none has come.
// An echo is believed only if it bears a stamp that is outstanding; anything else is a sign of life and no more,
// since receivers send keepalives of their own that read as stamp 0 (irlserver/srtla 39e324a).
// A form that is never answered gives way to the next: srtla-rs (yannismate, a11a8c7) echoes two-byte ones only.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "engine/base/bytes.h"
#include "engine/base/time.h"
#include "engine/wire/srtla.h"

namespace hawser::link {

enum class KeepaliveForm : std::uint8_t { extended, timestamped, bare };

class Keepalive {
public:
    // Keepalives of one form that go unanswered, before the next form is tried; such as follow each other sooner than
    // the reference's pace count as one.
    static constexpr std::uint32_t unanswered_per_form = 3;

    // A fresh registration; `form` is what the receiver is known to answer.
    void reset(KeepaliveForm form, Instant now) {
        *this = Keepalive{};
        form_ = form;
        answered_at_ = now;
    }

    // The next keepalive's bytes, valid until the next call.
    [[nodiscard]] Bytes next(const wire::Telemetry& telemetry, Instant now);

    // An inbound keepalive. The round trip when it answers one of ours.
    std::optional<Duration> on_echo(Bytes packet, Instant now);

    [[nodiscard]] KeepaliveForm form() const { return form_; }
    // Time since the last answer, or since reset.
    [[nodiscard]] Duration unanswered(Instant now) const { return now - answered_at_; }

private:
    struct Sent {
        std::uint64_t stamp = 0;
        Instant at;
        bool outstanding = false;
    };
    static constexpr std::size_t outstanding_max = 256;  // at one each 30 ms: longer than any link is waited for

    std::array<Sent, outstanding_max> sent_{};
    std::size_t next_ = 0;
    std::uint64_t last_stamp_ = 0;
    KeepaliveForm form_ = KeepaliveForm::extended;
    std::uint32_t unanswered_count_ = 0;
    bool form_answered_ = false;
    Instant counted_at_{-1'000'000'000'000};
    Instant answered_at_;
    std::array<std::uint8_t, wire::keepalive_extended_bytes> bytes_{};
};

}  // namespace hawser::link
