// SPDX-License-Identifier: MIT
// When a poll of all channels is over: when the answers have stopped, not after a fixed time. radiod answers four
// channels per 20 ms block, in the order of its table, whose free places are silent. After the first stop the poll is
// repeated once, against loss; what is known by then is good to use (settled), what the second brings is the whole.
// Pure timing over what it is told; one per radio that is being polled.
#pragma once

#include <cstdint>

#include "engine/base/time.h"

namespace hawser::radio {

class Discovery {
public:
    // Four blocks without a channel that is new in this pass: 16 free places of the table; untuned.
    static constexpr Duration quiet{80'000'000};
    // For the first answer: a block, two ways of a network, and a busy radiod.
    static constexpr Duration first_answer{200'000'000};

    enum class Step : std::uint8_t { none, poll, settled, done };

    [[nodiscard]] bool is_running() const { return pass_ != 0; }
    // While one runs the newcomer shares it.
    void begin(Instant now) {
        if (is_running()) return;
        pass_ = 1;
        answers_ = 0;
        started_ = now;
        wants_poll_ = true;
        due_ = now + first_answer;
    }
    // A channel that has not answered in this pass yet (its last STATUS is of before pass_began()).
    void on_answer(Instant now) {
        if (!is_running()) return;
        ++answers_;
        due_ = now + quiet;
    }
    [[nodiscard]] Instant pass_began() const { return pass_started_; }
    // When the first poll of this discovery was sent.
    [[nodiscard]] Instant began() const { return started_; }
    // Poll: a poll of all is to be sent now. Settled, done: as above. Until it answers none.
    [[nodiscard]] Step next(Instant now) {
        if (!is_running()) return Step::none;
        if (wants_poll_) {
            wants_poll_ = false;
            pass_started_ = now;
            due_ = now + (answers_ == 0 ? first_answer : quiet);
            return Step::poll;
        }
        if (now < due_) return Step::none;
        if (pass_ == 1) {
            pass_ = 2;
            wants_poll_ = true;
            return answers_ != 0 ? Step::settled : next(now);
        }
        pass_ = 0;
        return Step::done;
    }
    [[nodiscard]] Instant next_deadline() const {
        if (!is_running()) return never;
        return wants_poll_ ? Instant{} : due_;
    }

private:
    int pass_ = 0;  // 0: none runs
    bool wants_poll_ = false;
    std::uint64_t answers_ = 0;
    Instant started_;
    Instant pass_started_;
    Instant due_;
};

}  // namespace hawser::radio
