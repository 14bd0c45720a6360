// SPDX-License-Identifier: MIT
#include "platform/control/radio/recording.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "platform/linux/errno_text.h"
#ifdef HAWSER_HAS_AUDIO
#include "platform/control/radio/opus_decoder.h"
#endif

namespace hawser::control {

namespace {

constexpr std::int64_t second_ns = 1'000'000'000;

std::int64_t wall_clock_ns() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

// Ogg without libogg was refused at the beginning.
std::unique_ptr<Sink> make_sink(GrowingFile file, const SinkFormat& format) {
#ifdef HAWSER_HAS_AUDIO
    if (format.container == Container::ogg_opus) return make_ogg_sink(std::move(file), format);
#endif
    return make_pcm_sink(std::move(file), format);
}

}  // namespace

#ifdef HAWSER_HAS_AUDIO
struct Recording::Decoder {
    OpusAudio audio;
};
constexpr bool has_audio = true;
constexpr std::uint32_t opus_ticks_a_second = opus_rate;
#else
struct Recording::Decoder {};
constexpr bool has_audio = false;
constexpr std::uint32_t opus_ticks_a_second = 48'000;
#endif

std::uint32_t RecordingSpec::tick_rate() const { return input == Input::opus ? opus_ticks_a_second : samprate; }

std::size_t RecordingSpec::backlog_bytes_max() const {
    // At least for bursts after a disk that stood still, and Opus; at most so much, whatever rate a radiod makes up.
    // Untuned.
    constexpr std::size_t floor_bytes = 1 << 20;
    constexpr std::size_t ceiling_bytes = 128 << 20;
    const std::size_t frame_bytes =
        bytes_per_sample(input == Input::f32 ? SampleFormat::f32 : SampleFormat::s16) * channels;
    const auto seconds = static_cast<std::size_t>(command_patience.ns / second_ns) + 1;
    return std::clamp(seconds * tick_rate() * frame_bytes, floor_bytes, ceiling_bytes);
}

std::string RecordingSpec::refusal() const {
    if (container == Container::ogg_opus && input != Input::opus)
        return "the channel does not send Opus, and nothing is encoded here";
    if (input == Input::opus && !has_audio) return "this hawser was built without libopus and libogg";
    if (tick_rate() == 0 || channels == 0 || channels > 2) return "the channel's rate or count of channels is none";
    if (period.ns < 0) return "the period is negative";
    if (pattern.empty() && period.ns != 0)
        return command.empty() ? "standard output cannot be cut into files"
                               : "a command's input cannot be cut into files";
    if (!pattern.empty() && !file_name(pattern, fields, 0))
        return "'" + pattern +
               "' is no pattern of a file name ({radio} {source} {ssrc} {frequency} {khz} {preset}, %Y%m%d ...)";
    return {};
}

Recording::Recording(std::uint32_t id, RecordingSpec spec, const std::atomic<bool>& stop, Report report, HandOn hand_on)
    : id_(id), spec_(std::move(spec)), stop_(stop), report_(std::move(report)), hand_on_(std::move(hand_on)) {
    format_.container = spec_.container;
    format_.samples = spec_.input == Input::f32 ? SampleFormat::f32 : SampleFormat::s16;
    format_.samprate = spec_.tick_rate();
    format_.channels = spec_.channels;
    format_.serial = spec_.fields.ssrc;
    frame_bytes_ = bytes_per_sample(format_.samples) * spec_.channels;
    if (const std::string refusal = spec_.refusal(); !refusal.empty()) {
        fail(refusal);
        return;
    }
#ifdef HAWSER_HAS_AUDIO
    if (spec_.input == Input::opus && spec_.container != Container::ogg_opus) {
        auto audio = OpusAudio::open(spec_.channels);
        if (audio)
            decoder_ = std::make_unique<Decoder>(Decoder{std::move(*audio)});
        else
            fail("libopus gives no decoder");
    }
#endif
}

Recording::~Recording() { close(); }

std::int64_t Recording::time_of_next() const {
    const std::uint64_t rate = format_.samprate;
    // In two parts: the product of ticks and nanoseconds overflows after two weeks at 48 kHz.
    return anchor_ns_ + static_cast<std::int64_t>(counted_ / rate) * second_ns +
           static_cast<std::int64_t>(counted_ % rate * second_ns / rate);
}

void Recording::set_time(std::int64_t unix_ns) {
    anchor_ns_ = unix_ns;
    counted_ = 0;
    is_timed_ = true;
    error_.reset();
}

// The first tick at or after the boundary begins the next file.
std::uint64_t Recording::ticks_to_boundary() const {
    if (spec_.period.ns == 0) return ~std::uint64_t{0};
    return ticks_in(std::max<std::int64_t>(boundary_ns_ - time_of_next(), 0));
}

// To the nearest: half a tick is nothing, since counts are rounded down. In two parts, as in time_of_next().
std::uint64_t Recording::ticks_in(std::int64_t ns) const {
    const auto rate = static_cast<std::int64_t>(format_.samprate);
    return static_cast<std::uint64_t>(ns / second_ns * rate + (ns % second_ns * rate + second_ns / 2) / second_ns);
}

bool Recording::begin_file() {
    if (is_over_ || sink_ != nullptr) return !is_over_;
    const std::int64_t now = is_timed_ ? time_of_next() : wall_clock_ns();
    std::int64_t begin = now;
    if (spec_.period.ns != 0) {
        // What is less than half a tick before a boundary is at it.
        const std::int64_t at = now + second_ns / (2 * std::int64_t{format_.samprate});
        boundary_ns_ = (at / spec_.period.ns + 1) * spec_.period.ns;
        if (spec_.fill) begin = boundary_ns_ - spec_.period.ns;
    }
    if (!spec_.command.empty()) return begin_command();
    path_ = spec_.pattern.empty() ? "standard output" : *file_name(spec_.pattern, spec_.fields, begin);
    if (spec_.pattern.empty()) {
        sink_ = make_sink(GrowingFile::over(STDOUT_FILENO, stop_), format_);
        return true;
    }
    auto file = GrowingFile::create(path_);
    if (!file) {
        fail(os::errno_text(file.error()));
        return false;
    }
    describe(*file, begin);
    sink_ = make_sink(std::move(file).value(), format_);
    if (begin < now) check(sink_->silence(ticks_in(now - begin)));
    return !is_over_;
}

bool Recording::begin_command() {
    path_ = spec_.command;
    auto started = CommandPipe::start(spec_.command);
    if (!started) {
        fail(os::errno_text(started.error()));
        return false;
    }
    command_.emplace(std::move(started).value());
    sink_ = make_sink(GrowingFile::into(*command_), format_);
    return true;
}

void Recording::feed_command(Instant now) {
    if (!command_ || is_over_) return;
    check(command_->push(now));
    if (is_over_) return;
    const auto stuck = command_->backlog().stuck_since();
    if (!stuck || now - *stuck < spec_.command_patience) return;
    command_->terminate();
    fail(took_nothing(spec_.command_patience));
}

std::optional<int> Recording::waiting_fd() const {
    return command_ && !command_->backlog().empty() ? std::optional(command_->fd()) : std::nullopt;
}

bool Recording::leaves_out(std::uint64_t ticks) {
    if (!command_ || command_->backlog().held_bytes() < spec_.backlog_bytes_max()) return false;
    counted_ += ticks;
    dropped_ticks_ += ticks;
    return true;
}

void Recording::tell_dropped() {
    if (dropped_ticks_ == 0) return;
    report_({RecordingEvent::Kind::dropped, id_, "", spec_.command + " does not keep up",
             std::exchange(dropped_ticks_, 0)});
}

void Recording::end_command(const std::string& fault, std::uint64_t ticks) {
    is_over_ = true;
    tell_dropped();
    hand_on_({std::move(*command_), spec_.command_patience, id_, path_, fault, ticks});
    command_.reset();
}

void tell_outcome(const CommandEnds::Outcome& outcome, const std::function<void(RecordingEvent)>& report) {
    const EndingCommand& c = outcome.command;
    using Kind = RecordingEvent::Kind;
    const std::string why = outcome.status ? complaint_of(*outcome.status) : c.fault.empty() ? "" : "still runs";
    if (c.left_ticks != 0) report({Kind::dropped, c.id, "", c.text + ": " + c.fault, c.left_ticks});
    if (!c.fault.empty())
        return report({Kind::failed, c.id, "", c.text + ": " + c.fault + (why.empty() ? "" : "; it " + why), 0});
    if (!why.empty()) return report({Kind::failed, c.id, "", c.text + ": " + why, 0});
    report({outcome.status ? Kind::finished : Kind::running, c.id, c.text, "", c.ticks});
    report({Kind::closed, c.id, "", "", 0});
}

void Recording::describe(GrowingFile& file, std::int64_t unix_ns) const {
    char text[64];
    const bool is_opus = format_.container == Container::ogg_opus;
    file.set_attribute("ssrc", std::to_string(spec_.fields.ssrc));
    std::snprintf(text, sizeof text, "%.3f", spec_.fields.frequency);
    file.set_attribute("frequency", text);
    file.set_attribute("preset", spec_.fields.preset);
    file.set_attribute("encoding", is_opus ? "opus" : format_.samples == SampleFormat::s16 ? "s16le" : "f32le");
    file.set_attribute("samprate", std::to_string(format_.samprate));
    file.set_attribute("channels", std::to_string(format_.channels));
    if (!is_timed_) return;
    std::snprintf(text, sizeof text, "%lld.%09lld", static_cast<long long>(unix_ns / second_ns),
                  static_cast<long long>(unix_ns % second_ns));
    file.set_attribute("unixstarttime", text);
}

void Recording::end_file() {
    if (sink_ != nullptr) check(sink_->flush());
    if (sink_ == nullptr) return;
    const std::uint64_t ticks = sink_->ticks();
    if (!spec_.pattern.empty() && ticks < ticks_in(spec_.file_min.ns)) {
        sink_->discard();
        sink_.reset();
        return report_({RecordingEvent::Kind::too_short, id_, path_, "", ticks});
    }
    const auto finished = sink_->finish();
    sink_.reset();
    if (!finished) return fail(os::errno_text(finished.error()));
    if (command_) return end_command("", ticks);
    if (!spec_.pattern.empty()) report_({RecordingEvent::Kind::finished, id_, *finished, "", ticks});
}

// The count has come to the file's end. Where it is off, the clock has the word: the file may go on, or has been over.
void Recording::at_boundary() {
    if (error_ && std::abs(*error_) > drift_max.ns) {
        const std::int64_t now = time_of_next() + *error_;
        set_time(now);
        if (now < boundary_ns_ && ticks_to_boundary() > 0) return;
    }
    end_file();
}

void Recording::samples(std::optional<std::int64_t> unix_ns, std::uint32_t ticks, Bytes payload) {
    if (is_over_ || payload.empty()) return;
    if (!is_timed_) {
        // Without the time nobody knows where to cut.
        if (!unix_ns && spec_.period.ns != 0) return;
        if (unix_ns) set_time(*unix_ns);
    } else if (unix_ns) {
        error_ = *unix_ns - time_of_next();
    }
    if (leaves_out(ticks)) return;
    if (decoder_ != nullptr) return decode(ticks, payload);
    if (spec_.input == Input::opus) return put_packet(ticks, payload);
    put_pcm(payload);
}

void Recording::put_pcm(Bytes frames) {
    frames = frames.first(frames.size() - frames.size() % frame_bytes_);
    while (!frames.empty() && begin_file()) {
        const std::uint64_t room = ticks_to_boundary();
        if (room == 0) {
            at_boundary();
            continue;
        }
        const std::uint64_t count = std::min<std::uint64_t>(room, frames.size() / frame_bytes_);
        check(sink_->write(frames.first(count * frame_bytes_), static_cast<std::uint32_t>(count)));
        counted_ += count;
        frames = frames.subspan(count * frame_bytes_);
    }
}

// Not cut in two: the packet that begins at or after the boundary is the next file's first.
void Recording::put_packet(std::uint32_t ticks, Bytes packet) {
    if (!begin_file()) return;
    if (ticks_to_boundary() == 0) at_boundary();
    if (!begin_file()) return;
    check(sink_->write(packet, ticks));
    counted_ += ticks;
}

// A packet that libopus refuses is as long as a lost one.
void Recording::decode([[maybe_unused]] std::uint32_t ticks, [[maybe_unused]] Bytes packet) {
#ifdef HAWSER_HAS_AUDIO
    const auto samples = decoder_->audio.decode(packet);
    if (samples.empty()) return fill(ticks);
    put_pcm(Bytes(reinterpret_cast<const std::uint8_t*>(samples.data()), samples.size_bytes()));
#endif
}

void Recording::gap(std::uint64_t ticks) {
    if (is_over_ || ticks == 0 || (!is_timed_ && sink_ == nullptr)) return;
    if (ticks > std::uint64_t{fill_seconds_max} * format_.samprate) {
        // The next sample tells the time again, and begins another file where files are cut.
        if (spec_.period.ns != 0) end_file();
        is_timed_ = false;
        return;
    }
    if (spec_.fill && leaves_out(ticks)) return;
    fill(ticks);
}

void Recording::fill(std::uint64_t ticks) {
    if (!spec_.fill) {
        counted_ += ticks;
        return;
    }
#ifdef HAWSER_HAS_AUDIO
    if (decoder_ != nullptr) {
        const auto samples = decoder_->audio.conceal(static_cast<std::uint32_t>(std::min<std::uint64_t>(ticks, ~0u)));
        put_pcm(Bytes(reinterpret_cast<const std::uint8_t*>(samples.data()), samples.size_bytes()));
        ticks -= samples.size() / spec_.channels;
    }
#endif
    put_silence(ticks);
}

void Recording::put_silence(std::uint64_t ticks) {
    while (ticks > 0 && begin_file()) {
        const std::uint64_t room = ticks_to_boundary();
        if (room == 0) {
            at_boundary();
            continue;
        }
        const std::uint64_t count = std::min(room, ticks);
        check(sink_->silence(count));
        counted_ += count;
        ticks -= count;
    }
}

void Recording::flush() {
    if (sink_ != nullptr && !is_over_) check(sink_->flush());
    tell_dropped();
}

void Recording::close() {
    if (std::exchange(is_over_, true)) return;
    if (sink_ != nullptr) {
        is_over_ = false;
        end_file();
        if (is_over_) return;
        is_over_ = true;
    }
    report_({RecordingEvent::Kind::closed, id_, "", "", 0});
}

void Recording::check(const Result<Unit, Errno>& result) {
    if (!result && !is_over_) fail(os::errno_text(result.error()));
}

void Recording::fail(const std::string& text) {
    is_over_ = true;
    std::string kept;
    const std::uint64_t ticks = sink_ != nullptr ? sink_->ticks() : 0;
    if (sink_ != nullptr) {
        // What did get there keeps its name.
        if (const auto finished = sink_->finish()) kept = *finished;
        sink_.reset();
    }
    if (command_) return end_command(text, ticks);
    report_({RecordingEvent::Kind::failed, id_, kept, path_.empty() ? text : path_ + ": " + text, 0});
}

}  // namespace hawser::control
