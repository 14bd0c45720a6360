// SPDX-License-Identifier: MIT
// The figures that an event bears, by name, for programs: what its sentence says, and no sentence to take apart.
#pragma once

#include "engine/border/event.h"
#include "platform/app/figures.h"

namespace hawser::app {

// Of one level; empty: the event says all by its kind, its link and its endpoint. README lists the names.
[[nodiscard]] Json event_fields(const Event& event);

}  // namespace hawser::app
