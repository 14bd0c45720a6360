// SPDX-License-Identifier: MIT
// The operator's file of radio channels that are to exist:
//
//   [[radio]]                     # may be left out where the command line names the radiod
//   name = "hf"
//   radio = "hf-status.local"     # NAME or GROUP, [:PORT][,INTERFACE]; also interface = "eth1", source = "10.0.0.7"
//
//   [[channel]]
//   radio = "hf"                  # may be left out where there is one
//   name = "ft8 20m"
//   ssrc = 14074                  # else as ka9q-python numbers a channel
//   frequency = "14m074"          # also preset, samprate, encoding, channels, low, high, gain, agc, data, lifetime
//   squelch.open = 10             # any field that can be set, by its path
//
// What is wrong is told with file, line and key, and nothing of the file is used then.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "platform/control/radio/keeper.h"

namespace hawser::app {

// The radiod that channels without one belong to where the file has no [[radio]]; empty: the file has to name it.
[[nodiscard]] Result<control::DesiredState, std::string> parse_keep_file(std::string_view text, const std::string& file,
                                                                         const std::string& default_radio);
[[nodiscard]] Result<control::DesiredState, std::string> read_keep_file(const std::string& path,
                                                                        const std::string& default_radio);

}  // namespace hawser::app
