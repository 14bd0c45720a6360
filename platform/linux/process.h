// SPDX-License-Identifier: MIT
// Another process that is to be told something by a signal, without the risks of the trade: a process id that has been
// given to somebody else meanwhile, and a signal that ends who does not expect it.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string_view>

#include "engine/base/result.h"

namespace hawser::os {

// Of decimal digits with blanks or a line's end after them; absent for anything else, and for 1 and below, which mean
// the system's first process, or groups of processes.
[[nodiscard]] std::optional<pid_t> parse_process_id(std::string_view text);

// Whether the process catches or ignores the signal now, as /proc says; absent when it does not say.
[[nodiscard]] std::optional<bool> survives(pid_t process, int signal);

// Sends the signal to the process that has the id now, if it survives it. ECANCELED: it would be ended by it.
Result<Unit, Errno> tell(pid_t process, int signal);

}  // namespace hawser::os
