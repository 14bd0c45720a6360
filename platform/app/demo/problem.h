// SPDX-License-Identifier: MIT
// Why a part of the demonstration could not start or go on: one sentence for the operator, ready to print.
#pragma once

#include <string>

#include "engine/base/result.h"

namespace hawser::demo {

struct Problem {
    std::string text;
};

template <class T>
using Outcome = Result<T, Problem>;

// "bind 127.0.0.1: Address already in use", from errno as it is at the call.
[[nodiscard]] Failure<Problem> system_problem(const std::string& doing);

}  // namespace hawser::demo
