// SPDX-License-Identifier: MIT
#include "platform/app/demo/problem.h"

#include <cerrno>
#include <system_error>

namespace hawser::demo {

Failure<Problem> system_problem(const std::string& doing) {
    const int error = errno;
    return Failure{Problem{doing + ": " + std::generic_category().message(error)}};
}

}  // namespace hawser::demo
