// SPDX-License-Identifier: MIT
#include "platform/app/radio/record_run.h"

#include <poll.h>

#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "engine/radio/frequency.h"
#include "platform/app/radio/places.h"
#include "platform/app/radio/record_words.h"
#include "platform/control/radio/stream_receiver.h"
#include "platform/linux/clock.h"
#include "platform/linux/sockaddr.h"

namespace hawser::app {

namespace {

using control::ChannelRecording;
using control::RecordingEvent;
using control::StreamReceiver;
using Kind = radio::RadioEventKind;

// A squelched channel is as silent as one that is gone: the radiod is asked after it, not more often than this.
// Untuned.
constexpr Duration silence_asked{3'000'000'000};
// For the writer to end its files; a pipe's reader that does nothing is not waited for.
constexpr Duration close_wait{10'000'000'000};
constexpr Duration close_wait_stdout{1'000'000'000};
// Beyond --seconds, for what was still on its way, or did not come at all.
constexpr Duration late_end{2'000'000'000};

class RecordRun {
public:
    RecordRun(const RecordRequest& request, RadioSession& session)
        : r_(request),
          s_(session),
          settings_(settings_of(request)),
          words_(request),
          streams_(
              session.loop(),
              StreamReceiver::Settings{.interface = session.group().interface,
                                       .source = session.group().source,
                                       .leap_seconds = request.leap_seconds},
              [this](std::uint32_t ssrc, const radio::Stream::Item& item) { on_item(ssrc, item); },
              [this](const Endpoint& source, Bytes packet) { s_.link().take(s_.radio(), source, packet); },
              [](const std::string& text) { fail(text); }),
          places_(request.channels_max) {}

    int run(const std::optional<radio::ChannelSpec>& own) {
        s_.link().on_status(
            [this](radio::RadioId, const Endpoint& source, const radio::Status& status) { on_status(source, status); });
        s_.loop().watch(recorder_.fd(), [this] { on_recorder(); });
        s_.loop().every(Duration{1'000'000'000}, [this] { on_second(); });
        for (const std::uint32_t ssrc : r_.ssrcs) streams_.follow(ssrc);
        if (own) streams_.follow(r_.own_ssrc);
        takes_all_ = !own && r_.ssrcs.empty();
        const auto begin = [this, &own] {
            begun_ = os::now();
            if (own)
                s_.service().declare(s_.radio(), r_.own_ssrc, *own, begun_);
            else
                s_.service().discover(s_.radio(), begun_);
        };
        const int code =
            s_.run(RadioSession::Ends::when_told, begin, [this](const radio::RadioEvent& e) { on_event(e); });
        s_.loop().unwatch(recorder_.fd());
        return close(code);
    }

private:
    // Listened to, but not recorded yet.
    struct Trial {
        std::optional<control::NameFields> fields{};
        std::uint32_t samprate = 0;
        std::optional<radio::AudioFormat> epoch{};
    };

    void on_status(const Endpoint& source, const radio::Status& status) {
        const std::uint32_t ssrc = status.channel.ssrc;
        const bool is_audio = radio::AudioFormat::of(status) && status.channel.frequency != 0;
        if (takes_all_ && is_audio && !streams_.follows(ssrc)) take(ssrc, source);
        if (!streams_.follows(ssrc)) return;
        const control::NameFields fields{s_.name(),
                                         ssrc,
                                         status.channel.frequency,
                                         std::string(status.channel.preset.view()),
                                         std::string(status.frontend.description.view()),
                                         os::address_text(source)};
        const auto known = recordings_.find(ssrc);
        const auto trial = trials_.find(ssrc);
        if (known != recordings_.end()) {
            known->second.set_fields(fields);
        } else if (trial != trials_.end()) {
            trial->second.fields = fields;
            trial->second.samprate = status.output.samprate;
        } else if (is_audio && (!takes_all_ || places_.has_place(ssrc))) {
            start(fields, status.output.samprate);
        }
        streams_.on_status(source, status);
    }

    // One that nobody named.
    void take(std::uint32_t ssrc, const Endpoint& source) {
        const auto answer = places_.announce(ssrc, source, os::now());
        if (answer != Places::Answer::none) streams_.follow(ssrc);
        if (answer == Places::Answer::place) return;
        if (answer == Places::Answer::trial) trials_.try_emplace(ssrc);
        if (std::exchange(is_full_, true)) return;
        words_.say_failure(ssrc, "not recorded unless it is heard, nor are others: " + std::to_string(r_.channels_max) +
                                     " channels are the most (--max-channels)");
    }

    void start(const control::NameFields& fields, std::uint32_t samprate) {
        recordings_.try_emplace(fields.ssrc, recorder_, settings_, fields);
        words_.say(
            {{"event", "started"},
             {"ssrc", fields.ssrc},
             {"frequency", fields.frequency},
             {"preset", fields.preset},
             {"samprate", samprate}},
            std::to_string(fields.ssrc) + ": " + radio::format_number(fields.frequency) + " Hz " + fields.preset);
        if (r_.to_stdout && recordings_.size() > 1) {
            words_.say_failure(fields.ssrc, "standard output takes one channel: name it");
            s_.end(exit_failed);
        }
    }

    // The first samples of a channel on trial: it is recorded from them on, in the place of one that sent nothing.
    void on_trial_item(std::uint32_t ssrc, Trial& trial, const radio::Stream::Item& item) {
        if (item.kind == radio::Stream::Kind::epoch) trial.epoch = item.format;
        if (item.kind != radio::Stream::Kind::samples || !trial.fields || !trial.epoch) return;
        const Trial known = trial;
        trials_.erase(ssrc);
        const auto heard = places_.on_heard(ssrc, streams_.source(ssrc).value_or(Endpoint{}));
        if (heard.given_up) {
            words_.say({{"event", "given_up"}, {"ssrc", *heard.given_up}},
                       std::to_string(*heard.given_up) + ": sent nothing; its place is another sender's channel's");
            recordings_.erase(*heard.given_up);
            left_.push_back(*heard.given_up);
        }
        if (!heard.has_place) return left_.push_back(ssrc);
        start(*known.fields, known.samprate);
        radio::Stream::Item epoch;
        epoch.kind = radio::Stream::Kind::epoch;
        epoch.format = *known.epoch;
        on_item(ssrc, epoch);
    }

    void on_item(std::uint32_t ssrc, const radio::Stream::Item& item) {
        if (const auto trial = trials_.find(ssrc); trial != trials_.end()) on_trial_item(ssrc, trial->second, item);
        const auto found = recordings_.find(ssrc);
        if (found == recordings_.end()) return;
        ChannelRecording& recording = found->second;
        if (takes_all_ && item.kind == radio::Stream::Kind::samples && recording.recorded() == Duration{})
            static_cast<void>(places_.on_heard(ssrc, streams_.source(ssrc).value_or(Endpoint{})));
        if (item.kind == radio::Stream::Kind::samples) sampled_[ssrc] = os::now();
        const auto before = recording.state();
        recording.on_item(item);
        if (before == ChannelRecording::State::going && recording.state() == ChannelRecording::State::failed)
            words_.say_failure(ssrc, "the kind of samples has changed, which ends standard output");
        end_if_done();
    }

    // Not where a stream hands out, which would be in its own way.
    void leave_those_without_a_place() {
        for (const std::uint32_t ssrc : places_.end_trials(os::now())) {
            trials_.erase(ssrc);
            left_.push_back(ssrc);
        }
        for (const std::uint32_t ssrc : std::exchange(left_, {}))
            if (!places_.knows(ssrc)) streams_.unfollow(ssrc);
    }

    void on_event(const radio::RadioEvent& e) {
        switch (e.kind) {
            case Kind::list_done: on_list_done(e.cut_short); break;
            case Kind::channel_refused:
                words_.say_failure(e.ssrc,
                                   "radiod answers with another value of " + std::string(wire::row_of(e.field).path));
                s_.end(exit_failed);
                break;
            case Kind::channel_unreachable:
                words_.say_failure(e.ssrc, s_.full_name() + " does not answer");
                if (recordings_.empty()) s_.end(exit_failed);
                break;
            case Kind::channel_lost:
                words_.say({{"event", "lost"}, {"ssrc", e.ssrc}},
                           std::to_string(e.ssrc) + ": had gone or was changed, and is made anew");
                break;
            case Kind::radiod_restarted: words_.say({{"event", "restarted"}}, s_.name() + " was restarted"); break;
            case Kind::number_clash:
                words_.say({{"event", "clash"}, {"ssrc", e.ssrc}},
                           std::to_string(e.ssrc) + ": two radiods use this number");
                break;
            default: break;
        }
    }

    void on_list_done(bool cut_short) {
        if (std::exchange(is_listed_, true)) return;
        bool is_missing = false;
        for (const std::uint32_t ssrc : r_.ssrcs)
            if (s_.service().roster().find(s_.radio(), ssrc) == nullptr) {
                words_.say_failure(ssrc, cut_short ? std::string("did not answer, and ") + cut_short_text
                                                   : s_.full_name() + " has no such channel");
                is_missing = true;
            }
        if (takes_all_ && recordings_.empty()) {
            fail(s_.full_name() + " has no channel to record");
            is_missing = true;
        }
        // What is heard later is recorded all the same, but nobody knows whether that is all.
        if (takes_all_ && cut_short) {
            words_.note_failure();
            words_.say({{"event", "cut_short"}, {"text", cut_short_text}}, cut_short_text);
        }
        if (is_missing) s_.end(exit_failed);
    }

    void on_second() {
        const Instant now = os::now();
        leave_those_without_a_place();
        if (r_.idle_seconds_max > 0) rest_the_idle(now);
        if (r_.seconds > 0 && now - begun_ > settings_.limit + settings_.period + late_end) return s_.end(exit_ok);
        if (!is_listed_ && takes_all_) return;
        bool is_silent = false;
        for (const auto& [ssrc, recording] : recordings_) {
            const auto heard = streams_.heard(ssrc);
            is_silent |= heard && now - *heard > silence_asked;
        }
        if (!is_silent || now - asked_ < silence_asked) return;
        asked_ = now;
        s_.service().discover(s_.radio(), now);
        s_.link().pump();
    }

    void rest_the_idle(Instant now) {
        const Duration idle_max{std::llround(r_.idle_seconds_max * 1e9)};
        for (auto& [ssrc, recording] : recordings_) {
            const auto sampled = sampled_.find(ssrc);
            if (sampled != sampled_.end() && now - sampled->second >= idle_max) recording.rest();
        }
        end_if_done();
    }

    void on_recorder() {
        for (const RecordingEvent& e : recorder_.take())
            for (auto& [ssrc, recording] : recordings_)
                if (recording.on_event(e)) words_.tell(ssrc, recording, e);
        end_if_done();
    }

    void end_if_done() {
        if (recordings_.empty() || (takes_all_ && !is_listed_)) return;
        if (recordings_.size() < r_.ssrcs.size()) return;
        for (const auto& [ssrc, recording] : recordings_)
            if (recording.state() == ChannelRecording::State::going) return;
        s_.end(exit_ok);
    }

    [[nodiscard]] bool is_closed() const {
        for (const auto& [ssrc, recording] : recordings_)
            if (!recording.is_closed()) return false;
        return true;
    }

    int close(int code) {
        streams_.take_waiting();
        for (auto& [ssrc, recording] : recordings_) recording.finish();
        const Instant end = os::now() + (r_.to_stdout ? close_wait_stdout : close_wait);
        for (on_recorder(); !is_closed() && os::now() < end; on_recorder()) {
            pollfd fd{recorder_.fd(), POLLIN, 0};
            ::poll(&fd, 1, 100);
        }
        bool has_any = false;
        for (const auto& [ssrc, recording] : recordings_) {
            if (const auto q = streams_.quality(ssrc)) words_.tell_quality(ssrc, recording, *q, streams_.overrun());
            has_any |= recording.recorded() > Duration{};
        }
        if (code == exit_ok && !has_any && !words_.has_failed()) return fail("nothing came that could be recorded");
        return words_.has_failed() ? exit_failed : code;
    }

    const RecordRequest& r_;
    RadioSession& s_;
    ChannelRecording::Settings settings_;
    RecordWords words_;
    control::Recorder recorder_;
    StreamReceiver streams_;
    std::map<std::uint32_t, ChannelRecording> recordings_;
    Places places_;                             // of those that nobody named
    std::map<std::uint32_t, Trial> trials_;     // of those, without a place yet
    std::map<std::uint32_t, Instant> sampled_;  // when samples came last
    std::vector<std::uint32_t> left_;           // that are not to be followed any more
    Instant begun_;
    Instant asked_;
    bool takes_all_ = false;
    bool is_listed_ = false;
    bool is_full_ = false;  // told
};

}  // namespace

int run_record(const RecordRequest& request, RadioSession& session, const std::optional<radio::ChannelSpec>& own) {
    return RecordRun(request, session).run(own);
}

}  // namespace hawser::app
