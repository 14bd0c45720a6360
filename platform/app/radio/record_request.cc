// SPDX-License-Identifier: MIT
#include "platform/app/radio/record_request.h"

#include <cmath>

#include "engine/radio/frequency.h"

namespace hawser::app {

std::optional<Duration> period_of(const std::string& text) {
    if (text.empty()) return Duration{};
    if (text == "ft4") return Duration{7'500'000'000};
    if (text == "ft8") return Duration{15'000'000'000};
    if (text == "wspr") return Duration{120'000'000'000};
    const auto seconds = radio::parse_number(text);
    if (!seconds || !(*seconds >= 0.1) || !(*seconds <= 86'400)) return std::nullopt;
    return Duration{std::llround(*seconds * 1e9)};
}

control::ChannelRecording::Settings settings_of(const RecordRequest& r) {
    control::ChannelRecording::Settings s;
    if (r.format == "wav") s.container = control::Container::wav;
    if (r.format == "raw") s.container = control::Container::raw;
    if (r.format == "opus") s.container = control::Container::ogg_opus;
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

}  // namespace hawser::app
