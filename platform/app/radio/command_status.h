// SPDX-License-Identifier: MIT
// A command held against what radiod answers: the fields it was told, those that it answers otherwise, and the same as
// a channel that is wanted.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/radio/channel_spec.h"
#include "engine/radio/command.h"
#include "engine/radio/ssrc.h"

namespace hawser::app {

// Fields that radiod answers with another value than it was told: "agc.gain is 20, ..."; empty when there is none.
[[nodiscard]] std::string refused(const radio::Command& command, const radio::Status& got);
// Of every field that a command may set, for who misspelt one.
[[nodiscard]] std::vector<std::string> settable_paths();
// A channel that is made, or tuned as a whole, lives for ever where the command tells no lifetime: that is told too, as
// by a ChannelSpec. radiod keeps what a removal told until then.
void tell_lifetime(radio::Command& command);
// The channel that the command makes, to be kept. Absent, and the field named, where one cannot be kept.
[[nodiscard]] std::optional<radio::ChannelSpec> spec_of(const radio::Command& command, std::string& at_fault);
// Why a channel with that lifetime, in blocks, cannot be kept; null when it can. 0 is for ever.
[[nodiscard]] const char* lifetime_complaint(std::uint32_t lifetime);
// ka9q-python's number for such a channel of the radiod, named as the user names it.
[[nodiscard]] std::uint32_t number_for(const radio::ChannelSpec& spec, const std::string& radio_name);
// The radiod's host is the name's.
[[nodiscard]] std::uint32_t number_for(radio::SsrcInputs inputs, const std::string& radio_name);

}  // namespace hawser::app
