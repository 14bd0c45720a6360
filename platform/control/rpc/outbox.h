// SPDX-License-Identifier: MIT
// What waits to be read by one client: answers, all of them, and events, of which only the newest are kept. A reader
// that is slow loses its oldest events, and before the next one it gets it is told how many. Answers go first. A line
// that has been begun is always finished.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

namespace hawser::rpc {

class Outbox {
public:
    // Untuned: what a page of a dashboard may miss in a minute. One event of any length is kept.
    static constexpr std::size_t events_max = 256;
    static constexpr std::size_t event_bytes_max = 1024 * 1024;

    using Line = std::shared_ptr<const std::string>;  // with its end; many clients wait for the same one
    [[nodiscard]] static Line line_of(std::string text) {
        return std::make_shared<const std::string>(std::move(text.append("\n")));
    }

    void add_answer(std::string text) {
        answers_.push_back(line_of(std::move(text)));
        answer_bytes_ += answers_.back()->size();
    }
    void add_event(std::size_t topic, Line line);
    // Those of a topic that the client does not want any more.
    void forget(std::size_t topic);
    void forget_events();

    // What to send next, and how much of it was taken. Empty: nothing waits.
    [[nodiscard]] std::string_view next();
    void take(std::size_t bytes);

    [[nodiscard]] bool is_empty() const { return !current_ && answers_.empty() && events_.empty() && lost_ == 0; }
    // Of answers that have not been read, the one that is being sent included.
    [[nodiscard]] std::size_t answer_bytes() const { return answer_bytes_; }
    [[nodiscard]] std::uint64_t events_lost() const { return lost_in_all_; }

private:
    struct Event {
        std::size_t topic;
        Line line;
    };
    void drop_oldest();

    std::deque<Line> answers_;
    std::deque<Event> events_;
    Line current_;           // being sent
    std::size_t taken_ = 0;  // of current_
    bool current_is_answer_ = false;
    std::size_t answer_bytes_ = 0;
    std::size_t event_bytes_ = 0;
    std::uint64_t lost_ = 0;  // not told yet
    std::uint64_t lost_in_all_ = 0;
};

}  // namespace hawser::rpc
