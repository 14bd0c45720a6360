// SPDX-License-Identifier: MIT
// Whatever takes turns in a world: a pump, a scripted peer. Two verbs, held as plain function pointers.
//   due()      when it next wants to run; now or earlier: at once; never: only when something arrives
//   run(now)   does what is due
// The world asks again after every event, so due() may depend on what has arrived.
#pragma once

#include "engine/base/time.h"

namespace hawser::sim {

struct Program {
    void* self = nullptr;
    Instant (*due)(const void*) = nullptr;
    void (*run)(void*, Instant) = nullptr;

    template <class T>
    [[nodiscard]] static Program of(T& t) {
        return Program{&t, [](const void* it) { return static_cast<const T*>(it)->due(); },
                       [](void* it, Instant now) { static_cast<T*>(it)->run(now); }};
    }
};

}  // namespace hawser::sim
