// SPDX-License-Identifier: MIT
// A test's loop, run until something has come true or for a while.
#pragma once

#include <functional>

#include "platform/control/loop.h"
#include "platform/linux/clock.h"

namespace hawser::test {

// False when it has not come true within 20 s.
inline bool comes_true(control::Loop& loop, const std::function<bool()>& condition) {
    const Instant end = os::now() + Duration{20'000'000'000};
    control::Timer timer;
    loop.watch(timer.fd(), [&] {
        timer.acknowledge();
        if (condition() || os::now() > end) return loop.quit(0);
        timer.set(os::now() + Duration{1'000'000});
    });
    timer.set(os::now());
    loop.run();
    loop.unwatch(timer.fd());
    return condition();
}

inline void run_for(control::Loop& loop, Duration time) {
    const Instant end = os::now() + time;
    comes_true(loop, [end] { return os::now() >= end; });
}

}  // namespace hawser::test
