// SPDX-License-Identifier: MIT
// What the pump's thread sets about itself: a name for `top`, exact timers, a CPU when the operator names one.
#pragma once

#include "engine/base/result.h"

namespace hawser::os {

// At most 15 characters; longer names are cut by the kernel's rule.
void name_this_thread(const char* name) noexcept;
// The default slack of 50 us would lengthen every wait of the pump; 1 ns is the least the kernel takes.
void use_exact_timers() noexcept;
// Whether this process may: that processor is there, and allowed. True where the kernel does not tell.
[[nodiscard]] bool may_run_on(unsigned cpu) noexcept;
[[nodiscard]] Result<Unit, Errno> pin_this_thread(unsigned cpu) noexcept;
// Keeps signals off this thread (and those it starts), so that the control thread alone takes them and no wait of
// the pump is cut short.
void block_all_signals() noexcept;

}  // namespace hawser::os
