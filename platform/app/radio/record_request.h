// SPDX-License-Identifier: MIT
// What `hawser radio record` was asked for on its command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "platform/app/radio/subcommands.h"
#include "platform/control/radio/channel_recording.h"

namespace hawser::app {

// What one radiod holds (ka9q-radio 4e0033b4): whoever invents more on the group gets no more of our memory and files.
inline constexpr std::size_t channels_max_default = 2000;

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
    int leap_seconds = radio::leap_seconds_default;
};

// Of --cut: "ft8" and the like, or seconds; empty is 0. Absent where it is no period.
[[nodiscard]] std::optional<Duration> period_of(const std::string& text);
// How its files are named and cut, and what goes into them.
[[nodiscard]] control::ChannelRecording::Settings settings_of(const RecordRequest& request);

}  // namespace hawser::app
