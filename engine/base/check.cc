// SPDX-License-Identifier: MIT
#include "engine/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace hawser {

void check_failed(const char* expression, const char* file, int line) noexcept {
    std::fprintf(stderr, "hawser: internal error: %s is false at %s:%d\n", expression, file, line);
    std::abort();
}

}  // namespace hawser
