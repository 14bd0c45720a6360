// SPDX-License-Identifier: MIT
// One channel's stream on its way into the recorder's queue: what a radio::Stream hands out becomes samples of one kind
// and gaps, each at its time. Control thread only; the disk is the recorder's affair.
//  - The first samples of an epoch wait until a status tells their time, hold_max long, and then have it from their
//    beginning on. What no status explained in that time goes on without one.
//  - A restart of the radiod is a gap as long as it took: the recording goes on, and stays aligned.
//  - Another kind of samples, rate or count of channels begins another recording, and another command; on standard
//    output it ends.
//  - 16-bit samples stay as they are, G.711 becomes 16 bits, floats of 16 bits become 32; Opus stays packets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/radio/stream.h"
#include "platform/control/radio/recorder.h"

namespace hawser::control {

// What RTP payload of the encoding becomes.
[[nodiscard]] Input input_of(radio::Encoding encoding);

class ChannelRecording {
public:
    // A status comes each half second while there are packets; with some room.
    static constexpr Duration hold_max{1'000'000'000};

    struct Settings {
        std::optional<Container> container;  // absent: Ogg for Opus, WAV for all else
        std::string pattern;                 // without the ending; empty: standard output, or the command's input
        Duration period{};                   // of the cuts
        bool fill = true;
        bool whole_periods = false;  // begin at the first boundary, not with a file that silence fills up to now
        std::string command{};       // command_text()'s pattern
        Duration limit{};            // of what is recorded, gaps included; 0: none
        Duration file_min{};         // a shorter file is not kept
    };
    enum class State : std::uint8_t { going, done, failed };

    ChannelRecording(Recorder& recorder, Settings settings, NameFields fields);

    void on_item(const radio::Stream::Item& item);
    // True when the event is of this recording.
    bool on_event(const RecordingEvent& event);
    // What waits for its time goes out without one, and the files get their names.
    void finish();
    // Nothing has come for long: what is open ends. The next samples begin another file or command; standard output is
    // over.
    void rest();
    // Names of files that begin from now on.
    void set_fields(const NameFields& fields) { fields_ = fields; }

    [[nodiscard]] State state() const { return state_; }
    // Nothing more will be told of it.
    [[nodiscard]] bool is_closed() const { return state_ != State::going && closed_ == begun_.size(); }
    // How long the file of a `finished` event is, or what a `dropped` one lost.
    [[nodiscard]] double seconds_of(const RecordingEvent& event) const;
    [[nodiscard]] Duration recorded() const { return recorded_; }
    // Of that, what `dropped` events told of: it is not in any file, or only as silence.
    [[nodiscard]] Duration dropped() const { return dropped_; }

private:
    struct Held {
        std::uint32_t ticks = 0;
        std::size_t bytes = 0;  // 0: a gap
    };
    struct Begun {
        std::uint32_t id = 0;
        std::uint32_t tick_rate = 0;
    };
    [[nodiscard]] const Begun* find(std::uint32_t id) const;
    void on_epoch(const radio::AudioFormat& format);
    void begin();
    void on_samples(const radio::Stream::Item& item);
    void release(std::optional<std::int64_t> first_ns);
    // One block, whose time may be known; a gap when the payload is empty.
    void put(std::optional<std::int64_t> unix_ns, std::uint32_t ticks, Bytes payload);
    void put_missing(std::int64_t first_ns);
    [[nodiscard]] std::uint32_t skip(std::int64_t unix_ns, std::uint32_t ticks);
    [[nodiscard]] Bytes convert(Bytes payload);
    [[nodiscard]] std::uint64_t ticks_in(std::int64_t ns) const;
    [[nodiscard]] std::int64_t ns_of(std::uint64_t ticks) const;
    void end(State state);

    Recorder& recorder_;
    Settings settings_;
    NameFields fields_;
    State state_ = State::going;
    std::optional<radio::AudioFormat> format_;
    std::optional<std::uint32_t> id_;  // of the recording under way
    std::vector<Begun> begun_;
    std::size_t closed_ = 0;              // of those
    bool is_timed_ = false;               // since the last epoch
    bool is_aligned_ = false;             // the first boundary is behind
    std::optional<std::int64_t> end_ns_;  // of what was put last
    std::vector<Held> held_;
    std::vector<std::uint8_t> held_bytes_;
    std::uint64_t held_ticks_ = 0;
    std::uint64_t format_ticks_ = 0;  // put since the recording began, of recorded_ beyond recorded_before_
    Duration recorded_before_{};
    Duration recorded_{};
    Duration dropped_{};
    std::vector<std::uint8_t> converted_;
    std::vector<float> floats_;
};

}  // namespace hawser::control
