// SPDX-License-Identifier: MIT
// The metrics that both ends have: the build, each counter of the data plane, the pump.
#pragma once

#include <string>
#include <string_view>

#include "engine/border/counters.h"
#include "engine/border/pump_snapshot.h"
#include "platform/app/metrics/exposition.h"

namespace hawser::app {

// As HTTP's Content-Type has it: the format's version is part of it.
inline constexpr std::string_view exposition_type = "text/plain; version=0.0.4; charset=utf-8";

void put_common_metrics(Exposition& out, std::string_view role, const Counters& counters, const PumpSnapshot& pump);

}  // namespace hawser::app
