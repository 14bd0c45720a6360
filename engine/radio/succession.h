// SPDX-License-Identifier: MIT
// Two senders of one channel's number: whether the second is the first's radiod again, or another that runs beside it.
// A squelched channel is as silent as one whose radiod has died, so silence alone tells nothing.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/base/time.h"
#include "engine/radio/status.h"

namespace hawser::radio {

// What a status tells of its radiod, in ns of GPS time by the radiod's own clock.
struct RadiodLife {
    std::int64_t begun = 0;  // when its front end began to count samples
    std::int64_t told = 0;   // when the status was sent
};
// Absent where the status does not tell both clocks, or tells what none can have.
[[nodiscard]] std::optional<RadiodLife> life_of(const Status& status);

// Whether `next` can be the radiod of `before`, which was heard last so long after that status was: it began when the
// other was no longer heard.
[[nodiscard]] bool may_follow(const RadiodLife& before, Duration heard_after, const RadiodLife& next);
// Whether both are of one run of one radiod.
[[nodiscard]] bool is_same_run(const RadiodLife& a, const RadiodLife& b);

}  // namespace hawser::radio
