// SPDX-License-Identifier: MIT
// What `hawser radio record` tells while it runs: a line for each event, as text or as JSON; on stderr where samples go
// to standard output. Remembers whether anything had failed.
#pragma once

#include <cstdint>
#include <string>

#include "platform/app/radio/record_request.h"
#include "platform/control/json_text.h"
#include "platform/control/radio/stream_receiver.h"

namespace hawser::app {

class RecordWords {
public:
    using Json = nlohmann::ordered_json;

    explicit RecordWords(const RecordRequest& request) : r_(request) {}

    void say(const Json& line, const std::string& text) const;
    void say_failure(std::uint32_t ssrc, const std::string& text);
    // Of the writer's; what was dropped is a failure.
    void tell(std::uint32_t ssrc, const control::ChannelRecording& recording, const control::RecordingEvent& event);
    // At the end: what came of the stream, and `overrun` datagrams that came of none.
    void tell_quality(std::uint32_t ssrc, const control::ChannelRecording& recording,
                      const control::StreamReceiver::Quality& quality, std::uint64_t overrun) const;
    void note_failure() { has_failed_ = true; }
    [[nodiscard]] bool has_failed() const { return has_failed_; }

private:
    const RecordRequest& r_;
    bool has_failed_ = false;
};

}  // namespace hawser::app
