// SPDX-License-Identifier: MIT
// One recording as the writer's thread holds it: counts the stream's time, cuts it into files at multiples of a period
// of UTC, fills what is missing when told to, decodes Opus where samples are wanted. Calls may block on the disk.
//  - Time is counted in ticks from the first sample whose UTC is known. It is set anew only at a cut, and only when the
//    count is off by more than drift_max: every file of a steady stream has the same length.
//  - With cuts and filling, each file begins at its boundary, the first one with silence.
//  - A failure of one file ends the recording. So does a command that ends before its audio does, or that takes
//    nothing for command_patience, which is told to end, and killed if it does not. A command holds nobody up: what
//    it does not take waits for it. When too much waits (backlog_bytes_max()), samples are dropped, told once a
//    second at most, and left out of its input: silence would only be more to take. A command whose audio is over
//    is handed on with what waits, and what became of it is told by whoever looks after it (tell_outcome()).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "engine/base/time.h"
#include "platform/control/radio/command_ends.h"
#include "platform/control/radio/file_name.h"
#include "platform/control/radio/sink.h"

namespace hawser::control {

enum class Input : std::uint8_t { s16, f32, opus };  // samples little-endian and interleaved, or Opus packets

struct RecordingSpec {
    Input input = Input::s16;
    std::uint32_t samprate = 0;  // of PCM
    std::uint32_t channels = 1;
    Container container = Container::wav;
    std::string pattern;  // file_name()'s; empty: standard output, or the command's input
    std::string command;  // for `sh -c`
    Duration command_patience{5'000'000'000};
    NameFields fields;
    Duration period{};    // of the cuts; 0: none
    Duration file_min{};  // a shorter file is not kept
    bool fill = true;

    // Ticks a second.
    [[nodiscard]] std::uint32_t tick_rate() const;
    // Of what waits for a command: more than comes in its patience at usual rates, so that one that catches up in time
    // loses nothing.
    [[nodiscard]] std::size_t backlog_bytes_max() const;
    // Why it cannot be; empty when it can.
    [[nodiscard]] std::string refusal() const;
};

struct RecordingEvent {
    enum class Kind : std::uint8_t {
        finished,   // a file has its name, or a command has ended well (`path` is its text)
        running,    // a command has been given everything, and has not ended within its patience
        too_short,  // a file was shorter than wanted, and is not there any more
        failed,     // the recording is over; `text` says why, `path` what could be kept, if anything
        dropped,    // `ticks` were not written: the writer's queue, or a command's backlog, is full (`text` says whose)
        closed,     // the recording is over, nothing follows
    };
    Kind kind = Kind::finished;
    std::uint32_t id = 0;
    std::string path;
    std::string text;
    std::uint64_t ticks = 0;
};

// Of a command that a recording handed on; the last that is told of that recording.
void tell_outcome(const CommandEnds::Outcome& outcome, const std::function<void(RecordingEvent)>& report);

class Recording {
public:
    // Audio clocks and UTC differ by some ms in a period; a restart of ntpd by more. Untuned.
    static constexpr Duration drift_max{20'000'000};
    // A gap that is longer is not filled: the time is set anew.
    static constexpr std::uint32_t fill_seconds_max = 3600;  // untuned
    using Report = std::function<void(RecordingEvent)>;
    using HandOn = std::function<void(EndingCommand)>;

    // `hand_on` may be empty where there is no command.
    Recording(std::uint32_t id, RecordingSpec spec, const std::atomic<bool>& stop, Report report, HandOn hand_on);
    ~Recording();

    // The payload's first tick was at `unix_ns`, where that is known.
    void samples(std::optional<std::int64_t> unix_ns, std::uint32_t ticks, Bytes payload);
    // So many are missing here.
    void gap(std::uint64_t ticks);
    // What is written is on the disk when it returns, or waits for its command.
    void flush();
    void close();
    // Hands the command what waits for it; for its patience, at least once a second.
    void feed_command(Instant now);
    // To be polled for writing, where something waits for a command; absent otherwise.
    [[nodiscard]] std::optional<int> waiting_fd() const;
    [[nodiscard]] bool is_over() const { return is_over_; }

private:
    [[nodiscard]] std::int64_t time_of_next() const;
    [[nodiscard]] std::uint64_t ticks_to_boundary() const;
    [[nodiscard]] std::uint64_t ticks_in(std::int64_t ns) const;
    void put_pcm(Bytes frames);
    void put_silence(std::uint64_t ticks);
    void put_packet(std::uint32_t ticks, Bytes packet);
    void decode(std::uint32_t ticks, Bytes packet);
    // With what the decoder makes of missing packets, and silence; without filling, the time goes on alone.
    void fill(std::uint64_t ticks);
    // Begins a file where none is; false when the recording is over.
    bool begin_file();
    bool begin_command();
    // Whether so many ticks have to be left out of the command's input.
    [[nodiscard]] bool leaves_out(std::uint64_t ticks);
    void tell_dropped();
    // Its audio is over; what comes of it is told, and the recording closed, by whoever looks after it.
    void end_command(const std::string& fault, std::uint64_t ticks);
    // What is in the file that begins at `unix_ns`, in attributes of pcmrecord's names.
    void describe(GrowingFile& file, std::int64_t unix_ns) const;
    void end_file();
    void at_boundary();
    void set_time(std::int64_t unix_ns);
    void check(const Result<Unit, Errno>& result);
    void fail(const std::string& text);

    struct Decoder;
    std::uint32_t id_;
    RecordingSpec spec_;
    const std::atomic<bool>& stop_;
    Report report_;
    HandOn hand_on_;
    SinkFormat format_;
    std::uint32_t frame_bytes_ = 0;       // of PCM
    std::optional<CommandPipe> command_;  // outlives the sink, which writes to it
    std::uint64_t dropped_ticks_ = 0;     // not told yet
    std::unique_ptr<Sink> sink_;
    std::unique_ptr<Decoder> decoder_;
    std::string path_;
    bool is_over_ = false;
    bool is_timed_ = false;
    std::int64_t anchor_ns_ = 0;         // of the tick that was counted as 0
    std::uint64_t counted_ = 0;          // ticks since
    std::int64_t boundary_ns_ = 0;       // where the file ends
    std::optional<std::int64_t> error_;  // of the count, by the last time that was told
};

}  // namespace hawser::control
