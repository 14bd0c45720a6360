// SPDX-License-Identifier: MIT
// `hawser radio list` without a radiod: those that announce themselves by DNS-SD and those that the cache remembers,
// each asked for its channels, since an announcement may be of one that has gone.
#pragma once

#include "platform/app/radio/radio_session.h"

namespace hawser::app {

// The options' name is not looked at.
int list_instances(const RadioOptions& options, bool json);

}  // namespace hawser::app
