// SPDX-License-Identifier: MIT
#include "platform/app/radio/record_words.h"

#include <cstdio>

#include "platform/app/plain_text.h"

namespace hawser::app {

using control::RecordingEvent;

void RecordWords::say(const Json& line, const std::string& text) const {
    std::FILE* to = r_.to_stdout ? stderr : stdout;
    const std::string out = r_.json ? control::text_of(line) : printable(text);
    std::fprintf(to, "%s\n", out.c_str());
    std::fflush(to);
}
void RecordWords::say_failure(std::uint32_t ssrc, const std::string& text) {
    has_failed_ = true;
    if (r_.json)
        say({{"event", "failed"}, {"ssrc", ssrc}, {"text", text}}, "");
    else
        fail(std::to_string(ssrc) + ": " + text);
}

void RecordWords::tell(std::uint32_t ssrc, const control::ChannelRecording& recording, const RecordingEvent& e) {
    const double seconds = recording.seconds_of(e);
    char length[32];
    std::snprintf(length, sizeof length, "%.3f s", seconds);
    switch (e.kind) {
        case RecordingEvent::Kind::finished:
            if (!r_.command.empty())
                say({{"event", "command"}, {"ssrc", ssrc}, {"command", e.path}, {"seconds", seconds}},
                    e.path + ": was given " + length);
            else
                say({{"event", "file"}, {"ssrc", ssrc}, {"path", e.path}, {"seconds", seconds}}, e.path + " " + length);
            break;
        case RecordingEvent::Kind::running:
            say({{"event", "command"}, {"ssrc", ssrc}, {"command", e.path}, {"seconds", seconds}, {"running", true}},
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
            has_failed_ = true;
            say({{"event", "dropped"}, {"ssrc", ssrc}, {"seconds", seconds}, {"text", e.text}},
                std::to_string(ssrc) + ": " + length + " not written, " + e.text);
            break;
        case RecordingEvent::Kind::closed: break;
    }
}

void RecordWords::tell_quality(std::uint32_t ssrc, const control::ChannelRecording& recording,
                               const control::StreamReceiver::Quality& quality, std::uint64_t overrun) const {
    const double seconds = static_cast<double>(recording.recorded().ns) * 1e-9;
    const double dropped_seconds = static_cast<double>(recording.dropped().ns) * 1e-9;
    Json line{{"event", "quality"},
              {"ssrc", ssrc},
              {"seconds", seconds},
              {"packets", quality.stream.packets},
              {"lost", quality.sequence.lost},
              {"late", quality.sequence.late},
              {"duplicates", quality.sequence.duplicates},
              {"reordered", quality.sequence.reordered},
              {"gaps", quality.stream.gaps},
              {"lost_ticks", quality.stream.lost_ticks},
              {"silences", quality.stream.silences},
              {"silent_ticks", quality.stream.silent_ticks},
              {"dropped_seconds", dropped_seconds},
              {"epochs", quality.stream.epochs},
              {"undecodable", quality.stream.undecodable},
              {"foreign", quality.foreign},
              {"takeovers", quality.takeovers},
              {"overrun", overrun},
              {"completeness", quality.stream.completeness()}};
    const auto count = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
    char text[256];
    std::snprintf(text, sizeof text,
                  "%u: %.3f s, %llu packets, %llu lost, %llu late, %llu duplicated, %llu gaps, %llu silences, "
                  "%.3f s dropped",
                  ssrc, seconds, count(quality.stream.packets), count(quality.sequence.lost),
                  count(quality.sequence.late), count(quality.sequence.duplicates), count(quality.stream.gaps),
                  count(quality.stream.silences), dropped_seconds);
    say(line, text);
}

}  // namespace hawser::app
