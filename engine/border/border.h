// SPDX-License-Identifier: MIT
// Where the pump thread and the control thread meet: two rings and a latest value, nothing shared beside them.
// Control pushes commands and wakes the Io; the pump takes at most commands_per_turn of them a turn.
#pragma once

#include "engine/base/latest.h"
#include "engine/base/spsc.h"
#include "engine/border/command.h"
#include "engine/border/event.h"

namespace hawser {

inline constexpr int commands_per_turn = 64;

template <class Snapshot>
struct Border {
    Spsc<Command, 256> commands;
    Spsc<Event, 1024> events;
    Latest<Snapshot> snapshots;
};

}  // namespace hawser
