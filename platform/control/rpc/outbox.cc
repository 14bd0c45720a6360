// SPDX-License-Identifier: MIT
#include "platform/control/rpc/outbox.h"

#include <algorithm>
#include <utility>

#include "platform/control/rpc/message.h"

namespace hawser::rpc {

void Outbox::drop_oldest() {
    event_bytes_ -= events_.front().line->size();
    events_.pop_front();
    ++lost_;
    ++lost_in_all_;
}

void Outbox::add_event(std::size_t topic, Line line) {
    while (!events_.empty() && (events_.size() >= events_max || event_bytes_ + line->size() > event_bytes_max))
        drop_oldest();
    event_bytes_ += line->size();
    events_.push_back(Event{topic, std::move(line)});
}

void Outbox::forget(std::size_t topic) {
    events_.erase(std::remove_if(events_.begin(), events_.end(),
                                 [&](const Event& e) {
                                     if (e.topic == topic) event_bytes_ -= e.line->size();
                                     return e.topic == topic;
                                 }),
                  events_.end());
}

void Outbox::forget_events() {
    events_.clear();
    event_bytes_ = 0;
    lost_ = 0;
}

std::string_view Outbox::next() {
    if (!current_) {
        taken_ = 0;
        current_is_answer_ = !answers_.empty();
        if (current_is_answer_) {
            current_ = std::move(answers_.front());
            answers_.pop_front();
        } else if (lost_ > 0) {
            current_ = line_of(lost_text(std::exchange(lost_, 0)));
        } else if (!events_.empty()) {
            event_bytes_ -= events_.front().line->size();
            current_ = std::move(events_.front().line);
            events_.pop_front();
        } else {
            return {};
        }
    }
    return std::string_view(*current_).substr(taken_);
}

void Outbox::take(std::size_t bytes) {
    if (bytes == 0) return;
    taken_ += bytes;
    if (current_is_answer_) answer_bytes_ -= bytes;
    if (taken_ == current_->size()) current_.reset();
}

}  // namespace hawser::rpc
