// SPDX-License-Identifier: MIT
// The pump's events as clients of the control socket get them: the kind's name, when, of which link or group, the
// sentence of the log, and its figures.
#pragma once

#include <string_view>

#include "engine/border/event.h"
#include "platform/app/event_text.h"
#include "platform/app/figures.h"

namespace hawser::app {

[[nodiscard]] std::string_view name_of(EventKind kind);
[[nodiscard]] Json event_json(const Event& event, const EventLine& line, const EventNames& names);

}  // namespace hawser::app
