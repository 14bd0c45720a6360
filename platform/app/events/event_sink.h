// SPDX-License-Identifier: MIT
// Where the event log goes: a file of JSON lines, or the journal with a field for each thing said. On a worker's
// thread.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "engine/base/result.h"
#include "platform/app/log.h"

namespace hawser::app {

struct EventEntry {
    std::string line;  // the whole as JSON
    Level level = Level::info;
    std::string kind;
    std::string uplink;  // or empty
    std::string text;
};

class EventSink {
public:
    virtual ~EventSink() = default;
    // How many of the first need not come again, how many of those can never be written, and the errno that kept the
    // next one from it, or 0.
    struct Outcome {
        std::size_t done = 0;
        std::size_t unwritable = 0;
        int error = 0;
    };
    [[nodiscard]] virtual Outcome write(std::span<const EventEntry> entries) = 0;
    // The file may have been moved away.
    virtual void reopen() = 0;
};

struct EventLogSettings {
    std::string to;  // a path, or "journal"; empty: no event log
    std::uint32_t samples_s = 10;
    std::uint32_t size_mib = 16;
    std::string journal_socket{};  // empty: the usual one
};
inline constexpr const char* event_log_journal = "journal";

// Tried at once. The error is a sentence. A file that another program writes is refused.
[[nodiscard]] Result<std::shared_ptr<EventSink>, std::string> open_event_sink(const EventLogSettings& settings);

}  // namespace hawser::app
