// SPDX-License-Identifier: MIT
// The sender's word to its encoder: what SafeRateLaw is told, ten times a second while media flow, and the event when
// its figure has changed much. And, as often, its word to the operator of what adaptive's links and packets meet.
#include "engine/bond/sender.h"
#include "engine/bond/sender_parts.h"

namespace hawser::bond {

namespace {

// A link that has not been heard for so long carries nothing to count on: two keepalives and a half.
constexpr Duration unheard_max{2'500'000'000};
// Without data for so long the law is asked once a second, with everything else.
constexpr Duration data_pause_max{2'000'000'000};
// The event: a quarter more or less than was told last, at most so often. Untuned.
constexpr std::uint64_t told_share = 4;
constexpr Duration told_every{2'000'000'000};

// What is told of a link that is silent and speaks by turns, and of packets given up now and then. Untuned.
constexpr Duration path_patience{1'000'000'000};
constexpr Duration giving_up_patience{2'000'000'000};

// Beyond a round trip and the next: keepalives, reports and SRT's own ACKs come far more often while media flow.
// Untuned.
constexpr Duration mute_patience{250'000'000};
constexpr Duration unknown_round_trip{600'000'000};  // by a satellite on its high orbit
// How long a receiver is asked that has ended the session, until it says that a link is its own. Untuned.
constexpr Duration end_watch{5'000'000'000};

}  // namespace

SafeRateInput Sender::rate_input(Instant now) const noexcept {
    SafeRateInput in;
    in.latency = deadlines_.latency();
    const std::uint64_t data = counters_[Counter::srt_data];
    in.fresh = data - counters_[Counter::srt_retransmissions];
    in.given_up = counters_[Counter::packets_given_up] + counters_[Counter::drop_no_uplink];
    const std::uint64_t bytes = counters_[Counter::local_bytes_in] - odd_bytes_in_;
    if (data != 0) in.payload_bytes = static_cast<std::uint32_t>(bytes / data - wire::srt_header_bytes);
    in.media_cap = media_cap(in.payload_bytes);
    in.newest = caller_.newest();
    in.up = alive_;
    each_link(alive_, [&](LinkId link) {
        SafeRateInput::Link& l = in.links[link.index()];
        l.sent = traffic(link).packets_out;
        bool speaks = now - traffic(link).heard_at < unheard_max;
        if (adaptive_) {
            const Dispatch::View path = dispatch_.view(link);
            l.open = path.in_flight;
            l.lost = path.lost;
            speaks = speaks && !path.silent;
        } else {
            l.open = static_cast<std::uint64_t>(std::max(accounting_.in_flight(link), 0));
            l.lost = uplinks_[link.index()].naks;
            speaks = speaks && !selector_.gated(link);
        }
        if (speaks) in.speaking |= bit(link);
    });
    return in;
}

void Sender::begin_rate(Instant now) noexcept {
    safe_rate_.new_session(caller_.newest().plus(1));
    rate_at_ = now + SafeRateLaw::interval;
    arm(rate_at_);
}

void Sender::tick_rate(Instant now, Actions& out) noexcept {
    const bool lives = caller_.has_caller() && !caller_.ended() && !finished_;
    rate_at_ = never;
    watch_reserve(now, out);
    if (!lives) {
        if (now >= end_watch_until_ || finished_) return;
        watch_answers(now, out);
        rate_at_ = now + SafeRateLaw::interval;
        return;
    }
    const SafeRateInput in = rate_input(now);
    if (in.fresh != rate_fresh_) rate_data_at_ = now;
    rate_fresh_ = in.fresh;
    watch_answers(now, out);
    rate_at_ = now + (now - rate_data_at_ < data_pause_max ? SafeRateLaw::interval : SafeRateLaw::interval * 10);
    if (adaptive_) watch_paths(in, now, out);
    safe_rate_.step(in, now);
    const SafeRate& figure = safe_rate_.figure();
    if (!figure.is_known || now - rate_told_at_ < told_every) return;
    const std::uint64_t change =
        figure.bits_per_second > rate_told_ ? figure.bits_per_second - rate_told_ : rate_told_ - figure.bits_per_second;
    if (change * told_share < std::max<std::uint64_t>(rate_told_, 1)) return;
    const auto kbps = [](std::uint64_t bits) { return static_cast<std::uint32_t>(bits / 1000); };
    out.tell(event(EventKind::safe_rate_changed, now, no_link, kbps(figure.bits_per_second), kbps(rate_told_)));
    rate_told_ = figure.bits_per_second;
    rate_told_at_ = now;
}

// The receiver's side has ended the session: it may have ended itself.
void Sender::note_far_end(Instant now) noexcept {
    end_watch_until_ = now + end_watch;
    unanswered_since_ = now;
    rate_at_ = std::min(rate_at_, now + SafeRateLaw::interval);
    arm(rate_at_);
}

// Media go out, or the session was ended, and nothing at all comes back: the receiver may have been restarted, and know
// none of us. It says so only to who asks.
void Sender::watch_answers(Instant now, Actions& out) noexcept {
    const bool is_heard = newest_word() > unanswered_since_;
    if ((rate_data_at_ != now && now >= end_watch_until_) || is_heard) unanswered_since_ = now;
    if (!is_unanswered(now)) return;
    each_link(alive_, [&](LinkId link) {
        registration_.probe(link, now);
        run_registration(link, now, out);
    });
}

bool Sender::is_unanswered(Instant now) const noexcept {
    const bool flows = now - rate_data_at_ <= SafeRateLaw::interval * 2 || now < end_watch_until_;
    if (alive_ == 0 || !flows || newest_word() > unanswered_since_) return false;
    Duration round_trip = unknown_round_trip;
    bool any = false;
    each_link(alive_, [&](LinkId link) {
        const auto& rtt = uplinks_[link.index()].rtt;
        if (!rtt.has_sample()) return;
        round_trip = any ? std::min(round_trip, rtt.smoothed()) : rtt.smoothed();
        any = true;
    });
    return now - unanswered_since_ >= mute_patience + round_trip * 2;
}

Instant Sender::newest_word() const noexcept {
    Instant newest{};
    each_link(alive_, [&](LinkId link) { newest = std::max(newest, traffic(link).heard_at); });
    return newest;
}

void Sender::watch_paths(const SafeRateInput& input, Instant now, Actions& out) noexcept {
    each_link(present_, [&](LinkId link) {
        // One whose connection is lost is told of as such.
        const bool silent = (alive_ & bit(link)) != 0 && dispatch_.view(link).silent;
        LastingState& state = path_silence_[link.index()];
        if (!state.note(silent, path_patience, now)) return;
        if (silent)
            out.tell(
                event(EventKind::path_silent, now, link, static_cast<std::uint32_t>(input.links[link.index()].open)));
        else if ((alive_ & bit(link)) != 0)
            out.tell(event(EventKind::path_answers, now, link, static_cast<std::uint32_t>(state.lasted().ms())));
    });
    const std::uint64_t total = counters_[Counter::packets_given_up];
    const std::uint64_t before = giving_up_.total();
    switch (giving_up_.note(total, giving_up_patience, now)) {
        case Fit::News::none: break;
        case Fit::News::begins:
            out.tell(event(EventKind::giving_up, now, no_link, static_cast<std::uint32_t>(total - before)));
            break;
        case Fit::News::ends:
            out.tell(event(EventKind::giving_up_ended, now, no_link, static_cast<std::uint32_t>(giving_up_.count()),
                           static_cast<std::uint32_t>(giving_up_.length().ms())));
            break;
    }
}

}  // namespace hawser::bond
