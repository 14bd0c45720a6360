// SPDX-License-Identifier: MIT
// `hawser radio record`: channels into files, or one of them to standard output. With the habits of pcmrecord where it
// has some: its names of files, its periods, a new recording where the kind of samples changes.
#include <poll.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "engine/radio/frequency.h"
#include "platform/app/plain_text.h"
#include "platform/app/radio/command_status.h"
#include "platform/app/radio/places.h"
#include "platform/app/radio/radio_text.h"
#include "platform/app/radio/subcommands.h"
#include "platform/control/json_text.h"
#include "platform/control/radio/channel_recording.h"
#include "platform/control/radio/stream_receiver.h"
#include "platform/linux/clock.h"
#include "platform/linux/sockaddr.h"

namespace hawser::app {

namespace {

using control::ChannelRecording;
using control::Container;
using control::RecordingEvent;
using control::StreamReceiver;
using Json = nlohmann::ordered_json;
using Kind = radio::RadioEventKind;

// What one radiod holds (ka9q-radio 4e0033b4): whoever invents more on the group gets no more of our memory and files.
constexpr std::size_t channels_max_default = 2000;

struct RecordRequest {
    RadioOptions radio;
    bool json = false;
    std::vector<std::uint32_t> ssrcs;
    std::uint32_t own_ssrc = 0;
    FieldSettings settings;  // of a channel that is made for this
    std::string folder = ".";
    std::string name;
    std::string cut;
    std::string format = "auto";
    double seconds = 0;
    double file_seconds_min = 0;
    double idle_seconds_max = 0;
    bool prefix_source = false;
    std::string command;
    bool to_stdout = false;
    bool align = false;
    bool no_fill = false;
    bool subfolders = false;
    std::size_t channels_max = channels_max_default;
};

// 10 s: what keeps a channel of ours alive between two checks, and ends it soon after us.
constexpr std::uint32_t own_lifetime_blocks = 500;
// A squelched channel is as silent as one that is gone: the radiod is asked after it, not more often than this.
// Untuned.
constexpr Duration silence_asked{3'000'000'000};
// For the writer to end its files; a pipe's reader that does nothing is not waited for.
constexpr Duration close_wait{10'000'000'000};
constexpr Duration close_wait_stdout{1'000'000'000};
// Beyond --seconds, for what was still on its way, or did not come at all.
constexpr Duration late_end{2'000'000'000};

std::optional<Duration> period_of(const std::string& text) {
    if (text.empty()) return Duration{};
    if (text == "ft4") return Duration{7'500'000'000};
    if (text == "ft8") return Duration{15'000'000'000};
    if (text == "wspr") return Duration{120'000'000'000};
    const auto seconds = radio::parse_number(text);
    if (!seconds || !(*seconds >= 0.1) || !(*seconds <= 86'400)) return std::nullopt;
    return Duration{std::llround(*seconds * 1e9)};
}

ChannelRecording::Settings settings_of(const RecordRequest& r) {
    ChannelRecording::Settings s;
    if (r.format == "wav") s.container = Container::wav;
    if (r.format == "raw") s.container = Container::raw;
    if (r.format == "opus") s.container = Container::ogg_opus;
    s.period = *period_of(r.cut);
    s.fill = !r.no_fill;
    s.whole_periods = r.align;
    s.limit = Duration{std::llround(r.seconds * 1e9)};
    s.file_min = Duration{std::llround(r.file_seconds_min * 1e9)};
    s.command = r.command;
    if (r.to_stdout || !r.command.empty()) return s;
    for (const char c : r.folder + "/") s.pattern += c == '%' ? "%%" : std::string(1, c);
    if (r.subfolders) s.pattern += "{ssrc}/%Y/%-m/%-d/";
    if (r.prefix_source) s.pattern += "{source}_";
    if (!r.name.empty())
        s.pattern += r.name;
    else
        s.pattern += r.cut.empty() ? "{ssrc}k%Y-%m-%dT%H:%M:%S.%1Z" : "%Y%m%dT%H%M%SZ_{frequency}_{preset}";
    return s;
}

class RecordRun {
public:
    RecordRun(const RecordRequest& request, RadioSession& session)
        : r_(request),
          s_(session),
          settings_(settings_of(request)),
          streams_(
              session.loop(), StreamReceiver::Settings{session.group().interface, session.group().source},
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

    void say(const Json& line, const std::string& text) const {
        std::FILE* to = r_.to_stdout ? stderr : stdout;
        const std::string out = r_.json ? control::text_of(line) : printable(text);
        std::fprintf(to, "%s\n", out.c_str());
        std::fflush(to);
    }
    void say_failure(std::uint32_t ssrc, const std::string& text) {
        has_failed_ = true;
        if (r_.json)
            say({{"event", "failed"}, {"ssrc", ssrc}, {"text", text}}, "");
        else
            fail(std::to_string(ssrc) + ": " + text);
    }

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
        say_failure(ssrc, "not recorded unless it is heard, nor are others: " + std::to_string(r_.channels_max) +
                              " channels are the most (--max-channels)");
    }

    void start(const control::NameFields& fields, std::uint32_t samprate) {
        recordings_.try_emplace(fields.ssrc, recorder_, settings_, fields);
        say({{"event", "started"},
             {"ssrc", fields.ssrc},
             {"frequency", fields.frequency},
             {"preset", fields.preset},
             {"samprate", samprate}},
            std::to_string(fields.ssrc) + ": " + radio::format_number(fields.frequency) + " Hz " + fields.preset);
        if (r_.to_stdout && recordings_.size() > 1) {
            say_failure(fields.ssrc, "standard output takes one channel: name it");
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
            say({{"event", "given_up"}, {"ssrc", *heard.given_up}},
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
            say_failure(ssrc, "the kind of samples has changed, which ends standard output");
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
                say_failure(e.ssrc, "radiod answers with another value of " + std::string(wire::row_of(e.field).path));
                s_.end(exit_failed);
                break;
            case Kind::channel_unreachable:
                say_failure(e.ssrc, s_.full_name() + " does not answer");
                if (recordings_.empty()) s_.end(exit_failed);
                break;
            case Kind::channel_lost:
                say({{"event", "lost"}, {"ssrc", e.ssrc}},
                    std::to_string(e.ssrc) + ": had gone or was changed, and is made anew");
                break;
            case Kind::radiod_restarted: say({{"event", "restarted"}}, s_.name() + " was restarted"); break;
            case Kind::number_clash:
                say({{"event", "clash"}, {"ssrc", e.ssrc}}, std::to_string(e.ssrc) + ": two radiods use this number");
                break;
            default: break;
        }
    }

    void on_list_done(bool cut_short) {
        if (std::exchange(is_listed_, true)) return;
        bool is_missing = false;
        for (const std::uint32_t ssrc : r_.ssrcs)
            if (s_.service().roster().find(s_.radio(), ssrc) == nullptr) {
                say_failure(ssrc, cut_short ? std::string("did not answer, and ") + cut_short_text
                                            : s_.full_name() + " has no such channel");
                is_missing = true;
            }
        if (takes_all_ && recordings_.empty()) {
            fail(s_.full_name() + " has no channel to record");
            is_missing = true;
        }
        // What is heard later is recorded all the same, but nobody knows whether that is all.
        if (takes_all_ && cut_short) {
            has_failed_ = true;
            say({{"event", "cut_short"}, {"text", cut_short_text}}, cut_short_text);
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
                if (recording.on_event(e)) tell(ssrc, recording, e);
        end_if_done();
    }

    void tell(std::uint32_t ssrc, const ChannelRecording& recording, const RecordingEvent& e) {
        const double seconds = recording.seconds_of(e);
        char length[32];
        std::snprintf(length, sizeof length, "%.3f s", seconds);
        switch (e.kind) {
            case RecordingEvent::Kind::finished:
                if (!r_.command.empty())
                    say({{"event", "command"}, {"ssrc", ssrc}, {"command", e.path}, {"seconds", seconds}},
                        e.path + ": was given " + length);
                else
                    say({{"event", "file"}, {"ssrc", ssrc}, {"path", e.path}, {"seconds", seconds}},
                        e.path + " " + length);
                break;
            case RecordingEvent::Kind::running:
                say({{"event", "command"},
                     {"ssrc", ssrc},
                     {"command", e.path},
                     {"seconds", seconds},
                     {"running", true}},
                    e.path + ": was given " + length + ", and still runs");
                break;
            case RecordingEvent::Kind::too_short:
                say({{"event", "too_short"}, {"ssrc", ssrc}, {"path", e.path}, {"seconds", seconds}},
                    e.path + ": not kept, with " + length);
                break;
            case RecordingEvent::Kind::failed:
                say_failure(ssrc, e.text + (e.path.empty() ? "" : "; kept as far as it came: " + e.path));
                break;
            case RecordingEvent::Kind::dropped:
                say({{"event", "dropped"}, {"ssrc", ssrc}, {"seconds", seconds}, {"text", e.text}},
                    std::to_string(ssrc) + ": " + length + " not written, " + e.text);
                break;
            case RecordingEvent::Kind::closed: break;
        }
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
            tell_quality(ssrc, recording);
            has_any |= recording.recorded() > Duration{};
        }
        if (code == exit_ok && !has_any && !has_failed_) return fail("nothing came that could be recorded");
        return has_failed_ ? exit_failed : code;
    }

    void tell_quality(std::uint32_t ssrc, const ChannelRecording& recording) const {
        const auto q = streams_.quality(ssrc);
        if (!q) return;
        const double seconds = static_cast<double>(recording.recorded().ns) * 1e-9;
        Json line{{"event", "quality"},
                  {"ssrc", ssrc},
                  {"seconds", seconds},
                  {"packets", q->stream.packets},
                  {"lost", q->sequence.lost},
                  {"late", q->sequence.late},
                  {"duplicates", q->sequence.duplicates},
                  {"reordered", q->sequence.reordered},
                  {"gaps", q->stream.gaps},
                  {"lost_ticks", q->stream.lost_ticks},
                  {"silences", q->stream.silences},
                  {"silent_ticks", q->stream.silent_ticks},
                  {"epochs", q->stream.epochs},
                  {"undecodable", q->stream.undecodable},
                  {"foreign", q->foreign},
                  {"takeovers", q->takeovers},
                  {"overrun", streams_.overrun()},
                  {"completeness", q->stream.completeness()}};
        char text[256];
        std::snprintf(
            text, sizeof text,
            "%u: %.3f s, %llu packets, %llu lost, %llu late, %llu duplicated, %llu gaps, %llu silences", ssrc, seconds,
            static_cast<unsigned long long>(q->stream.packets), static_cast<unsigned long long>(q->sequence.lost),
            static_cast<unsigned long long>(q->sequence.late), static_cast<unsigned long long>(q->sequence.duplicates),
            static_cast<unsigned long long>(q->stream.gaps), static_cast<unsigned long long>(q->stream.silences));
        say(line, text);
    }

    const RecordRequest& r_;
    RadioSession& s_;
    ChannelRecording::Settings settings_;
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
    bool has_failed_ = false;
};

int record(RecordRequest& r) {
    const auto usage = [](const std::string& text) {
        fail(text);
        return exit_usage;
    };
    if (r.name == "-") r.to_stdout = true;
    if (r.to_stdout && (!r.cut.empty() || r.ssrcs.size() > 1))
        return usage("standard output takes one channel, and is not cut into files");
    if (!r.command.empty() && (r.to_stdout || !r.cut.empty() || r.subfolders || !r.name.empty()))
        return usage("a command gets one stream: no standard output, no --cut, no names of files");
    if ((r.to_stdout || !r.command.empty()) && (r.file_seconds_min > 0 || r.prefix_source))
        return usage("--mintime and --prefix-source are of files");
    if (r.align && r.cut.empty()) return usage("--align needs the periods of --cut");
    std::optional<radio::ChannelSpec> own;
    if (!r.settings.empty()) {
        if (!r.ssrcs.empty()) return usage("channels that are there are recorded as they are: see `hawser radio set`");
        radio::Command command;
        if (!build_command(r.settings, command)) return exit_usage;
        std::string at_fault;
        own = spec_of(command, at_fault);
        if (!own) return usage(at_fault + " cannot be kept; set it with `hawser radio set`");
        if (own->frequency <= 0) return usage("a channel to be made needs its frequency");
        if (!own->lifetime) own->lifetime = own_lifetime_blocks;
        if (const char* why = lifetime_complaint(*own->lifetime)) return usage(std::string("lifetime: ") + why);
        if (r.own_ssrc == 0) r.own_ssrc = number_for(*own, r.radio.name);
    }
    const auto session = RadioSession::open(r.radio);
    if (!session) return session.error();
    return RecordRun(r, **session).run(own);
}

cli::Validator period() {
    return cli::Validator(
        [](std::string& text) {
            return period_of(text) ? std::string() : "'" + text + "' is no period (ft4, ft8, wspr, or 0.1 to 86400)";
        },
        "SECONDS");
}

}  // namespace

void add_record_subcommand(RadioSubcommands& subcommands) {
    const auto r = std::make_shared<RecordRequest>();
    cli::App* sub =
        subcommands.add("record", "channels into files, or one to standard output", [r] { return record(*r); });
    add_radio_options(*sub, r->radio);
    add_json_option(*sub, r->json);
    sub->add_option("SSRC", r->ssrcs, "channels that are there; none: all, and those that appear meanwhile")
        ->check(ssrc_number());
    const std::string files = "Files";
    sub->add_option("--max-channels", r->channels_max, "of those that nobody named, so many at most (default 2000)")
        ->check(cli::Range(std::size_t{1}, channels_max_default))
        ->type_name("N");
    sub->add_option("-d,--directory", r->folder, "folder of the files (default: this one)")
        ->type_name("FOLDER")
        ->group(files);
    sub->add_option("--name", r->name,
                    "pattern of the names, without the ending: strftime's, {ssrc} {frequency} {khz} {preset} {radio} "
                    "{source}; - is standard output")
        ->type_name("PATTERN")
        ->group(files);
    sub->add_flag("--prefix-source", r->prefix_source, "names begin with the sender's address")->group(files);
    sub->add_flag("--subdirs", r->subfolders, "folders SSRC/YEAR/MONTH/DAY beneath it")->group(files);
    sub->add_flag("--stdout,--catmode", r->to_stdout, "one channel to standard output")->group(files);
    sub->add_option(
           "--exec", r->command,
           "a shell command for each channel, which gets what a file would on its standard input; $s is the "
           "SSRC, $h $k $m the frequency in Hz, kHz, MHz, $r the rate, $c the channels, $f the encoding, $d the "
           "front end, $$ a dollar sign")
        ->type_name("COMMAND")
        ->group(files);
    sub->add_option("--format", r->format, "wav, raw (samples alone), opus (packets as they come, in Ogg) or auto")
        ->check(cli::IsMember({"wav", "raw", "opus", "auto"}))
        ->type_name("NAME")
        ->group(files);
    const std::string time = "Time";
    sub->add_option("-x,--seconds,--max_length", r->seconds, "end after so much of each channel")
        ->check(cli::Range(0.02, 1e9))
        ->group(time);
    sub->add_option("--mintime", r->file_seconds_min, "keep no file that is shorter")
        ->check(cli::Range(0.0, 1e9))
        ->type_name("SECONDS")
        ->group(time);
    sub->add_option("--timeout", r->idle_seconds_max,
                    "end a channel's file after so long without samples; the next samples begin another")
        ->check(cli::Range(0.1, 1e9))
        ->type_name("SECONDS")
        ->group(time);
    sub->add_option("--cut,--lengthlimit", r->cut,
                    "a file for each period of UTC: ft4 (7.5 s), ft8 (15 s), wspr (120 s), or seconds")
        ->check(period())
        ->group(time);
    for (const auto& [flags, name] : {std::pair("-4,--ft4", "ft4"), {"-8,--ft8", "ft8"}, {"-w,--wspr", "wspr"}})
        sub->add_flag_function(
               flags, [r, name = std::string(name)](std::int64_t) { r->cut = name; }, "--cut " + std::string(name))
            ->group(time);
    sub->add_flag("--align", r->align, "begin with a whole period, not with one that silence fills up to now")
        ->group(time);
    sub->add_flag("--no-fill", r->no_fill, "put no silence where samples are missing")->group(time);
    add_channel_settings(*sub, r->settings);
    sub->add_option("-s,--ssrc", r->own_ssrc, "of the channel that is made (default: from what it is)")
        ->check(ssrc_number());
    sub->footer(
        "With -f, -m and the like a channel is made for this, kept while it is recorded, and ends 10 s later.\n"
        "Files have hidden names until they are whole. What is missing is silence in them, after a restart too.");
}

}  // namespace hawser::app
