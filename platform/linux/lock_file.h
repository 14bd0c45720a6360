// SPDX-License-Identifier: MIT
// Whose something is: an empty file beside it that one process at a time holds locked. Nobody else's to open, so that
// whoever may read what it stands for cannot hold the lock.
#pragma once

#include <string>

#include "engine/base/result.h"
#include "platform/linux/fd.h"

namespace hawser::os {

// Made where it is not there, in a folder that is; links are not followed. Held until the descriptor is closed.
// EWOULDBLOCK: another process has it.
[[nodiscard]] Result<Fd, Errno> lock_file(const std::string& path);

}  // namespace hawser::os
