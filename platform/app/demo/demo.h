// SPDX-License-Identifier: MIT
// `hawser demo`: the whole chain on this one machine. Encoder, sender, emulated uplinks, receiver and viewer start in
// the order in which each finds the next one there, run for the asked time, and stop in the opposite order.
// Returns the process's exit code: 0, or 1 when it could not run; figures are shown whenever there are any.
#pragma once

#include "platform/app/demo/options.h"

namespace hawser::demo {

[[nodiscard]] int run(const Options& options);

}  // namespace hawser::demo
