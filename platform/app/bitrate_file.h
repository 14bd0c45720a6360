// SPDX-License-Identifier: MIT
// The safe bitrate in the form that encoders read: a file of two lines, the least and the greatest bitrate in bit/s,
// read again on SIGHUP (BELABOX/belacoder 0502a06, -b; its forks read it too). The first line stays the operator's,
// the second is the figure within the operator's limits.
//
// Written by the control thread, by rename, and only when it has changed: a fall at once, a rise after a while. What
// fails is said once, and once more when it works again; the stream does not notice.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/base/result.h"
#include "engine/base/time.h"
#include "engine/border/safe_rate.h"

namespace hawser::app {

struct BitrateFileSettings {
    std::string path;    // empty: none
    std::string signal;  // whom to send SIGHUP: a process id, or a file that holds one; empty: nobody
    // belacoder 0502a06 refuses a file with anything outside of these.
    std::uint64_t min = 300'000;
    std::uint64_t max = 30'000'000;
};

// What is wrong with the settings, as a sentence; empty: nothing.
[[nodiscard]] std::string bitrate_complaint(const BitrateFileSettings& settings);

// What stands in the file, and when another figure is worth writing.
class BitratePace {
public:
    BitratePace(std::uint64_t min, std::uint64_t max) : min_(min), max_(max) {}

    // The bitrate to write now; absent: what was written stands.
    [[nodiscard]] std::optional<std::uint64_t> next(const SafeRate& rate, Instant now) const;
    void written(std::uint64_t bits_per_second, Instant now) {
        written_ = bits_per_second;
        written_at_ = now;
    }

private:
    std::uint64_t min_;
    std::uint64_t max_;
    std::uint64_t written_ = 0;
    std::optional<Instant> written_at_;
};

class BitrateFile {
public:
    explicit BitrateFile(BitrateFileSettings settings)
        : settings_(std::move(settings)), pace_(settings_.min, settings_.max) {}

    // What is wrong, as a sentence; and the file as it is before anything is known: what it says
    // already where that is within the limits, else the least.
    Result<Unit, std::string> begin(Instant now);
    void update(const SafeRate& rate, Instant now);

private:
    [[nodiscard]] std::string write(std::uint64_t bits_per_second) const;
    [[nodiscard]] std::string tell() const;
    static void report(std::string problem, std::string& last);

    BitrateFileSettings settings_;
    BitratePace pace_;
    std::string write_problem_;
    std::string signal_problem_;
    bool is_told_ = true;  // the encoder knows of what is written
};

// The two lines.
[[nodiscard]] std::string bitrate_text(std::uint64_t min, std::uint64_t max);
// The second line's figure; absent when the text is not of that form.
[[nodiscard]] std::optional<std::uint64_t> bitrate_in(std::string_view text);

}  // namespace hawser::app
