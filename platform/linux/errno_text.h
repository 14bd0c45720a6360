// SPDX-License-Identifier: MIT
// A failed system call as the operator reads it: "bind: Address already in use".
#pragma once

#include <cstring>
#include <string>

#include "engine/base/result.h"

namespace hawser::os {

[[nodiscard]] inline std::string errno_text(Errno error) {
    return std::string(error.call) + ": " + std::strerror(error.value);
}

}  // namespace hawser::os
