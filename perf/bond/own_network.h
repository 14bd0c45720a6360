// SPDX-License-Identifier: MIT
// A network of this process's own: nothing in it but a loopback that is up, so that runs go on side by side on the same
// ports, with no effect on each other or on the machine. Called before there is any other thread; children inherit it.
#pragma once

#include <string>

#include "engine/base/result.h"

namespace hawser::perf {

// As root, or where the kernel lets a user have namespaces. The error is a sentence.
[[nodiscard]] Result<Unit, std::string> enter_own_network();

}  // namespace hawser::perf
