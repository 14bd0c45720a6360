// SPDX-License-Identifier: MIT
#include "platform/app/events/event_book.h"

#include <cerrno>
#include <cstring>
#include <iterator>
#include <utility>

#include "platform/app/plain_text.h"
#include "platform/control/json_text.h"
#include "platform/linux/clock.h"

namespace hawser::app {

EventBook::EventBook(control::Loop& loop, std::shared_ptr<EventSink> sink, Duration samples)
    : loop_(loop), sink_(std::move(sink)), samples_every_(samples), worker_(loop, "hawser-events", 1, 1) {
    loop_.watch(retry_.fd(), [this] {
        retry_.acknowledge();
        write();
    });
}

EventBook::~EventBook() { loop_.unwatch(retry_.fd()); }

void EventBook::tell(Level level, const std::string& kind, const std::string& uplink, const std::string& text,
                     Json about) {
    Json line{{"time", utc_text()}, {"kind", kind}};
    if (!uplink.empty()) line["uplink"] = uplink;
    line.update(about);
    add({control::text_of(line), level, kind, uplink, text});
    write();
}

void EventBook::tell(Level level, const std::string& text, const Json& event) {
    Json about = event;
    about.erase("event");
    about.erase("name");
    tell(level, event.value("event", ""), event.value("name", ""), text, std::move(about));
}

// A gap in the figures is none in what happened: they are gathered apart, and handed over behind it.
void EventBook::sample(Json figures, Instant now) {
    if (!takes_samples() || samples_.size() >= waiting_max) return;
    Json line{{"time", utc_text()}, {"kind", "sample"}};
    line.update(figures);
    samples_.push_back({control::text_of(line), Level::debug, "sample", {}, "figures of one second"});
    if (samples_due_ == never) samples_due_ = now + samples_every_;
    if (now < samples_due_) return;
    hand_over_samples();
    write();
}

void EventBook::hand_over_samples() {
    samples_due_ = never;
    for (EventEntry& e : samples_) add(std::move(e));
    samples_.clear();
}

void EventBook::add(EventEntry entry) {
    if (waiting_.size() >= waiting_max) return lose(1);
    waiting_.push_back(std::move(entry));
}

void EventBook::lose(std::size_t count) {
    lost_ += count;
    lost_ever_ += count;
}

// Before what has come meanwhile, of which the newest goes where it is too much together.
void EventBook::put_back(std::vector<EventEntry> entries, std::size_t done) {
    entries.erase(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(done));
    entries.insert(entries.end(), std::make_move_iterator(waiting_.begin()), std::make_move_iterator(waiting_.end()));
    if (entries.size() > waiting_max) {
        lose(entries.size() - waiting_max);
        entries.resize(waiting_max);
    }
    waiting_ = std::move(entries);
}

void EventBook::reopen() {
    wants_reopen_ = true;
    write();
}

// While it fails, what comes waits for the next try.
void EventBook::write() {
    if (is_writing_ || (has_failed_ && !wants_reopen_ && retry_due_ > os::now())) return;
    if (lost_ != 0 && waiting_.size() < waiting_max) {
        const std::string text = std::to_string(lost_) + " entries were left out";
        const Json line{{"time", utc_text()}, {"kind", "entries_lost"}, {"count", std::exchange(lost_, 0)}};
        waiting_.push_back({control::text_of(line), Level::warn, "entries_lost", {}, text});
    }
    if (waiting_.empty() && !wants_reopen_) return;
    // Shared with the job, so that they are not gone with one that is not taken.
    const auto entries = std::make_shared<std::vector<EventEntry>>(std::exchange(waiting_, {}));
    const bool reopens = std::exchange(wants_reopen_, false);
    is_writing_ = worker_.post([this, sink = sink_, entries, reopens]() -> control::Worker::Done {
        if (reopens) sink->reopen();
        const EventSink::Outcome outcome = entries->empty() ? EventSink::Outcome{} : sink->write(*entries);
        return [this, entries, outcome] { on_written(std::move(*entries), outcome); };
    });
    if (is_writing_) return;
    wants_reopen_ = reopens;
    on_written(std::move(*entries), {0, 0, EAGAIN});
}

void EventBook::on_written(std::vector<EventEntry> entries, EventSink::Outcome outcome) {
    is_writing_ = false;
    if (outcome.unwritable != 0) {
        log(Level::warn, "{} entries are too large for the event log and left out", outcome.unwritable);
        lose(outcome.unwritable);
    }
    if (outcome.error != 0) {
        put_back(std::move(entries), outcome.done);
        if (!std::exchange(has_failed_, true))
            log(Level::error, "the event log cannot be written: {}; trying again", std::strerror(outcome.error));
        retry_due_ = os::now() + retry_after;
        retry_.set(retry_due_);
        return;
    }
    if (std::exchange(has_failed_, false)) log(Level::info, "the event log is written again");
    write();
}

void EventBook::finish() {
    hand_over_samples();
    // One that is under way may have failed, and been the last try but one.
    for (bool tried = false; !tried || is_writing_;) {
        if (!is_writing_) {
            tried = true;
            retry_due_ = Instant{};
            write();
        }
        worker_.finish();
        worker_.hand_out();
    }
    if (!waiting_.empty()) log(Level::error, "{} entries of the event log are lost", waiting_.size() + lost_);
}

}  // namespace hawser::app
