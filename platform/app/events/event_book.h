// SPDX-License-Identifier: MIT
// The event log: what happens is handed to a thread of its own at once, samples of the figures are gathered each second
// and handed over every so often, and at the end all that is left. Nothing here waits for a disk but finish().
//  - Bounded: what comes while `waiting_max` entries wait is counted and left out, and the log tells how many once
//    there is place.
//  - What cannot be written now is told once, tried again each `retry_after`, and its end is told. What can never be,
//    as it is too large for the journal, is left out and counted too.
// Control thread only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "platform/app/events/event_sink.h"
#include "platform/app/figures.h"
#include "platform/control/loop.h"
#include "platform/control/worker.h"

namespace hawser::app {

class EventBook {
public:
    static constexpr std::size_t waiting_max = 4096;
    static constexpr Duration retry_after{5'000'000'000};
    static constexpr Duration sample_every{1'000'000'000};

    // `samples`: how often they are handed over; zero: there are none.
    EventBook(control::Loop& loop, std::shared_ptr<EventSink> sink, Duration samples);
    ~EventBook();
    EventBook(const EventBook&) = delete;
    EventBook& operator=(const EventBook&) = delete;

    // As clients of the control socket are told of it (rpc/event_json.h).
    void tell(Level level, const std::string& text, const Json& event);
    // `about` has what is to be said beside the time, which is added here.
    void tell(Level level, const std::string& kind, const std::string& uplink, const std::string& text, Json about);
    // Of this moment.
    void sample(Json figures, Instant now);
    [[nodiscard]] bool takes_samples() const { return samples_every_.ns != 0; }
    // Those gathered so far, before what is told next.
    void hand_over_samples();
    // Before what is told next.
    void reopen();
    // Writes what is left, as far as it can be.
    void finish();

    [[nodiscard]] std::uint64_t lost() const { return lost_ever_; }

private:
    void add(EventEntry entry);
    void lose(std::size_t count);
    void put_back(std::vector<EventEntry> entries, std::size_t done);
    void write();
    void on_written(std::vector<EventEntry> entries, EventSink::Outcome outcome);

    control::Loop& loop_;
    std::shared_ptr<EventSink> sink_;
    Duration samples_every_;
    control::Worker worker_;
    control::Timer retry_;
    std::vector<EventEntry> waiting_;
    std::vector<EventEntry> samples_;
    Instant samples_due_ = never;
    Instant retry_due_;
    std::uint64_t lost_ = 0;  // since the log told of some
    std::uint64_t lost_ever_ = 0;
    bool is_writing_ = false;
    bool has_failed_ = false;
    bool wants_reopen_ = false;
};

}  // namespace hawser::app
