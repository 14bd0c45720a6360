// SPDX-License-Identifier: MIT
// When a poll of all channels is over: when the answers have stopped, not after a fixed time. radiod answers four
// channels per block, in the order of its table, whose free places are silent. After the first stop the poll is
// repeated once, more patiently, against loss and against a table with holes; what is known by then is good to use
// (settled), what the second brings is the whole.
// Whoever can send to the group can answer for ever with channels that nobody has: a pass is bounded in time and in
// answers, and one that met a bound is the last (cut short).
// Pure timing over what it is told; one per radio that is being polled.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/base/time.h"

namespace hawser::radio {

class Discovery {
public:
    // So many blocks without a channel that is new in this pass: 16 free places of the table, and 60 in the second
    // pass. Untuned.
    static constexpr std::int64_t quiet_blocks = 4;
    static constexpr std::int64_t quiet_blocks_second = 15;
    // Of a status that tells no block, and the bounds of what anybody may tell.
    static constexpr Duration block_least{20'000'000};
    static constexpr Duration block_most{200'000'000};
    // For the first answer: a block, two ways of a network, and a busy radiod; in the second pass 60 free places too.
    static constexpr Duration first_answer{200'000'000};
    static constexpr Duration first_answer_second = first_answer + block_least * quiet_blocks_second;
    // radiod's table of 2000 takes 10 s; three of them on one group. Untuned.
    static constexpr Duration pass_max{30'000'000'000};
    static constexpr std::uint32_t pass_answers_max = 6000;

    enum class Step : std::uint8_t { none, poll, settled, done };

    [[nodiscard]] bool is_running() const { return pass_ != 0; }
    // While one runs the newcomer shares it.
    void begin(Instant now) {
        if (is_running()) return;
        pass_ = 1;
        answers_ = 0;
        pass_answers_ = 0;
        cut_short_ = false;
        block_ = block_least;
        started_ = now;
        pass_started_ = now;
        wants_poll_ = true;
        due_ = now + first_answer;
    }
    // A channel that has not answered in this pass yet (its last STATUS is of before pass_began()), of a radiod that
    // works in blocks of `block`.
    void on_answer(Instant now, Duration block) {
        if (!is_running()) return;
        ++answers_;
        block_ = std::clamp(block, block_least, block_most);
        const Duration quiet = block_ * (pass_ == 1 ? quiet_blocks : quiet_blocks_second);
        cut_short_ = cut_short_ || ++pass_answers_ > pass_answers_max || now + quiet > pass_started_ + pass_max;
        if (!cut_short_) due_ = now + quiet;
    }
    // Of this discovery, or of the last one when none runs.
    [[nodiscard]] std::uint64_t answers() const { return answers_; }
    [[nodiscard]] bool is_cut_short() const { return cut_short_; }
    [[nodiscard]] Instant pass_began() const { return pass_started_; }
    // When the first poll of this discovery was sent.
    [[nodiscard]] Instant began() const { return started_; }
    // Poll: a poll of all is to be sent now. Settled, done: as above. Until it answers none.
    [[nodiscard]] Step next(Instant now) {
        if (!is_running()) return Step::none;
        if (wants_poll_) {
            wants_poll_ = false;
            pass_started_ = now;
            due_ = now + (pass_ == 1 ? first_answer : std::max(first_answer_second, block_ * quiet_blocks_second));
            return Step::poll;
        }
        if (now < due_) return Step::none;
        if (pass_ == 1 && !cut_short_) {
            pass_ = 2;
            pass_answers_ = 0;
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
    bool cut_short_ = false;
    std::uint64_t answers_ = 0;
    std::uint32_t pass_answers_ = 0;
    Duration block_ = block_least;  // of who answered last
    Instant started_;
    Instant pass_started_;
    Instant due_;
};

}  // namespace hawser::radio
