// SPDX-License-Identifier: MIT
// The pump's events as sentences. One table of kinds to level and text; equal events in a row within a second are
// told once with their count, so that a flapping link yields a number and not a flood.
#pragma once

#include <string>
#include <string_view>

#include "engine/border/event.h"
#include "platform/app/log.h"

namespace hawser::app {

struct EventLine {
    Level level = Level::info;
    std::string text;
};

// Names that only the control thread knows.
struct EventNames {
    std::string receiver;  // as the operator wrote it
    std::string (*uplink)(const void* context, LinkId link) = nullptr;
    const void* context = nullptr;
};

[[nodiscard]] EventLine describe(const Event& event, const EventNames& names);

// Collapses repetitions: give it each event; it answers the lines to log now.
class EventLog {
public:
    explicit EventLog(EventNames names) : names_(std::move(names)) {}
    [[nodiscard]] const EventNames& names() const { return names_; }
    void tell(const Event& event);
    // Says how often the last line was repeated, if it was. Call now and then, and at the end.
    void flush();

private:
    EventNames names_;
    Event last_{};
    std::string last_text_;
    Level last_level_ = Level::info;
    unsigned repeated_ = 0;
};

}  // namespace hawser::app
