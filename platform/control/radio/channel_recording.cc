// SPDX-License-Identifier: MIT
#include "platform/control/radio/channel_recording.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

namespace hawser::control {

namespace {

using radio::AudioFormat;
using radio::Encoding;

constexpr std::int64_t ns_per_s = 1'000'000'000;

// What a recording is made of: the rest of a format may change under it.
bool is_same_kind(const AudioFormat& a, const AudioFormat& b) {
    const Input input = input_of(a.encoding);
    if (input != input_of(b.encoding) || a.channels != b.channels) return false;
    return input == Input::opus || a.samprate == b.samprate;
}

const char* ending(Container container) {
    switch (container) {
        case Container::wav: return ".wav";
        case Container::raw: return ".raw";
        case Container::ogg_opus: return ".opus";
    }
    return "";
}

// As a command is told what it is given.
const char* encoding_of(Input input, Container container) {
    if (container == Container::ogg_opus) return "opus";
    return input == Input::f32 ? "f32le" : "s16le";
}

}  // namespace

Input input_of(Encoding encoding) {
    switch (encoding) {
        case Encoding::opus:
        case Encoding::opus_voip: return Input::opus;
        case Encoding::f32le:
        case Encoding::f32be:
        case Encoding::f16le:
        case Encoding::f16be: return Input::f32;
        case Encoding::none:
        case Encoding::ax25:
        case Encoding::s16le:
        case Encoding::s16be:
        case Encoding::mulaw:
        case Encoding::alaw: return Input::s16;
    }
    return Input::s16;
}

ChannelRecording::ChannelRecording(Recorder& recorder, Settings settings, NameFields fields)
    : recorder_(recorder), settings_(std::move(settings)), fields_(std::move(fields)) {}

std::uint64_t ChannelRecording::ticks_in(std::int64_t ns) const {
    if (ns <= 0) return 0;
    const auto rate = static_cast<std::int64_t>(format_->tick_rate());
    return static_cast<std::uint64_t>(ns / ns_per_s * rate + (ns % ns_per_s * rate + ns_per_s / 2) / ns_per_s);
}

std::int64_t ChannelRecording::ns_of(std::uint64_t ticks) const {
    const std::uint64_t rate = format_->tick_rate();
    return static_cast<std::int64_t>(ticks / rate) * ns_per_s +
           static_cast<std::int64_t>(ticks % rate * ns_per_s / rate);
}

void ChannelRecording::on_item(const radio::Stream::Item& item) {
    if (state_ != State::going) return;
    switch (item.kind) {
        case radio::Stream::Kind::epoch: on_epoch(item.format); break;
        case radio::Stream::Kind::gap:
        case radio::Stream::Kind::silence:
        case radio::Stream::Kind::samples: on_samples(item); break;
    }
}

void ChannelRecording::on_epoch(const AudioFormat& format) {
    release(std::nullopt);
    is_timed_ = false;
    if (state_ != State::going) return;
    if (format_ && !is_same_kind(*format_, format) && id_) {
        recorder_.end(*std::exchange(id_, std::nullopt));
        if (settings_.pattern.empty() && settings_.command.empty()) return end(State::failed);
    }
    if (!format_ || format_->tick_rate() != format.tick_rate()) {
        recorded_before_ = recorded_;
        format_ticks_ = 0;
    }
    format_ = format;
}

void ChannelRecording::begin() {
    RecordingSpec spec;
    spec.input = input_of(format_->encoding);
    spec.samprate = format_->samprate;
    spec.channels = format_->channels;
    spec.container = settings_.container.value_or(spec.input == Input::opus ? Container::ogg_opus : Container::wav);
    if (!settings_.pattern.empty()) spec.pattern = settings_.pattern + ending(spec.container);
    if (!settings_.command.empty())
        spec.command = command_text(settings_.command,
                                    {spec.channels, fields_.description, encoding_of(spec.input, spec.container),
                                     fields_.frequency, spec.tick_rate(), fields_.ssrc});
    spec.fields = fields_;
    spec.period = settings_.period;
    spec.fill = settings_.fill;
    spec.file_min = settings_.file_min;
    id_ = recorder_.begin(std::move(spec));
    begun_.push_back({*id_, format_->tick_rate()});
}

// Until the time is known samples wait; each has it from the first that does, by counting back.
void ChannelRecording::on_samples(const radio::Stream::Item& item) {
    const Bytes payload = item.kind == radio::Stream::Kind::samples ? convert(item.payload) : Bytes();
    if (!is_timed_ && !item.unix_ns) {
        held_.push_back({item.ticks, payload.size()});
        held_bytes_.insert(held_bytes_.end(), payload.begin(), payload.end());
        held_ticks_ += item.ticks;
        if (held_ticks_ >= ticks_in(hold_max.ns)) release(std::nullopt);
        return;
    }
    if (!is_timed_) release(*item.unix_ns - ns_of(held_ticks_));
    put(item.unix_ns, item.ticks, payload);
}

void ChannelRecording::release(std::optional<std::int64_t> first_ns) {
    if (first_ns) {
        is_timed_ = true;
        put_missing(*first_ns);
    }
    std::size_t at = 0;
    std::uint64_t ticks = 0;
    for (const Held& held : std::exchange(held_, {})) {
        put(first_ns ? std::optional(*first_ns + ns_of(ticks)) : std::nullopt, held.ticks,
            Bytes(held_bytes_).subspan(at, held.bytes));
        at += held.bytes;
        ticks += held.ticks;
    }
    held_bytes_.clear();
    held_ticks_ = 0;
}

// Between two epochs: what was not sent, or not heard, meanwhile.
void ChannelRecording::put_missing(std::int64_t first_ns) {
    if (!id_ || !end_ns_ || first_ns <= *end_ns_) return;
    put(end_ns_, static_cast<std::uint32_t>(std::min<std::uint64_t>(ticks_in(first_ns - *end_ns_), 0xFFFF'FFFF)), {});
}

// How much of the block is before the first boundary, to the nearest tick.
std::uint32_t ChannelRecording::skip(std::int64_t unix_ns, std::uint32_t ticks) {
    const std::int64_t period = settings_.period.ns;
    const std::int64_t into = unix_ns % period;
    if (ticks_in(into) == 0) return 0;
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(ticks_in(period - into), ticks));
}

void ChannelRecording::put(std::optional<std::int64_t> unix_ns, std::uint32_t ticks, Bytes payload) {
    if (state_ != State::going || ticks == 0) return;
    const bool is_gap = payload.empty();
    const bool is_whole = input_of(format_->encoding) == Input::opus;  // packets are not cut in two
    const std::size_t frame = is_gap || is_whole ? 0 : payload.size() / ticks;
    if (settings_.whole_periods && settings_.period.ns != 0 && !is_aligned_) {
        if (!unix_ns) return;
        const std::uint32_t before = skip(*unix_ns, ticks);
        if (before == ticks || (before != 0 && is_whole)) return;
        is_aligned_ = true;
        ticks -= before;
        payload = payload.subspan(std::min(payload.size(), before * frame));
        *unix_ns += ns_of(before);
    }
    if (settings_.limit.ns != 0) {
        const std::uint64_t all = ticks_in((settings_.limit - recorded_before_).ns);
        const std::uint64_t room = all > format_ticks_ ? all - format_ticks_ : 0;
        if (room < ticks && !is_whole) {
            ticks = static_cast<std::uint32_t>(room);
            payload = payload.first(std::min(payload.size(), room * frame));
        }
        if (room == 0) return end(State::done);
    }
    if (!id_) {
        if (is_gap) return;
        begin();
    }
    if (is_gap)
        recorder_.gap(*id_, ticks);
    else
        recorder_.samples(*id_, unix_ns, ticks, payload);
    format_ticks_ += ticks;
    recorded_ = recorded_before_ + Duration{ns_of(format_ticks_)};
    if (unix_ns)
        end_ns_ = *unix_ns + ns_of(ticks);
    else if (end_ns_)
        *end_ns_ += ns_of(ticks);
    if (settings_.limit.ns != 0 && recorded_ >= settings_.limit) end(State::done);
}

Bytes ChannelRecording::convert(Bytes payload) {
    const Encoding encoding = format_->encoding;
    const Input input = input_of(encoding);
    if (input == Input::opus || encoding == Encoding::s16le || encoding == Encoding::f32le) return payload;
    if (encoding == Encoding::s16be) {
        converted_.assign(payload.begin(), payload.end());
        for (std::size_t i = 0; i + 1 < converted_.size(); i += 2) std::swap(converted_[i], converted_[i + 1]);
        return converted_;
    }
    floats_.resize(payload.size());
    const std::size_t count = radio::decode_samples(encoding, payload, floats_);
    converted_.clear();
    const auto put_le = [this](std::uint32_t bits, int bytes) {
        for (int i = 0; i < bytes; ++i, bits >>= 8) converted_.push_back(static_cast<std::uint8_t>(bits));
    };
    for (std::size_t i = 0; i < count; ++i) {
        if (input == Input::f32)
            put_le(std::bit_cast<std::uint32_t>(floats_[i]), 4);
        else
            put_le(static_cast<std::uint32_t>(std::lround(std::clamp(floats_[i] * 32768.0F, -32768.0F, 32767.0F))), 2);
    }
    return converted_;
}

const ChannelRecording::Begun* ChannelRecording::find(std::uint32_t id) const {
    const auto found = std::find_if(begun_.begin(), begun_.end(), [id](const Begun& b) { return b.id == id; });
    return found == begun_.end() ? nullptr : &*found;
}

bool ChannelRecording::on_event(const RecordingEvent& event) {
    if (find(event.id) == nullptr) return false;
    if (event.kind == RecordingEvent::Kind::dropped)
        dropped_ = dropped_ + Duration{std::llround(seconds_of(event) * 1e9)};
    const bool has_failed = event.kind == RecordingEvent::Kind::failed;
    if (has_failed || event.kind == RecordingEvent::Kind::closed) ++closed_;
    if (has_failed) {
        if (id_ == event.id) id_.reset();
        state_ = State::failed;
    }
    return true;
}

double ChannelRecording::seconds_of(const RecordingEvent& event) const {
    const Begun* begun = find(event.id);
    if (begun == nullptr || begun->tick_rate == 0) return 0;
    return static_cast<double>(event.ticks) / begun->tick_rate;
}

void ChannelRecording::end(State state) {
    if (id_) recorder_.end(*std::exchange(id_, std::nullopt));
    state_ = state;
}

void ChannelRecording::rest() {
    if (state_ != State::going) return;
    if (format_) release(std::nullopt);
    if (!id_) return;
    recorder_.end(*std::exchange(id_, std::nullopt));
    end_ns_.reset();
    if (settings_.pattern.empty() && settings_.command.empty()) end(State::done);
}

void ChannelRecording::finish() {
    if (state_ != State::going) return;
    if (format_) release(std::nullopt);
    if (state_ == State::going) end(State::done);
}

}  // namespace hawser::control
