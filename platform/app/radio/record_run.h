// SPDX-License-Identifier: MIT
// One run of `hawser radio record`: which channels are recorded, and when it is over. What is told of it is
// record_words.h's.
#pragma once

#include <optional>

#include "engine/radio/channel_spec.h"
#include "platform/app/radio/record_request.h"

namespace hawser::app {

// Of `own`, a channel that is made for this, or of those that the request names; answers the exit code.
[[nodiscard]] int run_record(const RecordRequest& request, RadioSession& session,
                             const std::optional<radio::ChannelSpec>& own);

}  // namespace hawser::app
