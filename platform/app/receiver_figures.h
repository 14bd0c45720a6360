// SPDX-License-Identifier: MIT
// A receiver's snapshot for people and, as one line of JSON, for programs.
#pragma once

#include <string>

#include "engine/border/receiver_snapshot.h"
#include "platform/app/figures.h"

namespace hawser::app {

// What the previous table was made of: a snapshot itself is not copied, it holds hundreds of groups.
struct ReceiverFiguresBefore {
    Instant at;
    Counters counters;
    PumpSnapshot pump;
};

[[nodiscard]] std::string_view state_text(ReceiverGroupState state);
[[nodiscard]] std::string figures_table(const ReceiverSnapshot& now, const ReceiverFiguresBefore& before);
[[nodiscard]] Json figures_of(const ReceiverSnapshot& now);
[[nodiscard]] std::string figures_json(const ReceiverSnapshot& now);

// What changes from second to second, of each sender: for the event log.
[[nodiscard]] Json sample_of(const ReceiverSnapshot& snapshot);

}  // namespace hawser::app
