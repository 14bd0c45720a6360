// SPDX-License-Identifier: MIT
// The configuration file: TOML with [sender], [receiver] or both, read whole or not at all. What is wrong is told with
// file, line and key; a key that nobody knows with the known one that is nearest.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "platform/app/config/key.h"
#include "platform/app/receiver_options.h"
#include "platform/app/sender_options.h"

namespace hawser::app {

inline constexpr const char* usual_config_file = "/etc/hawser/hawser.toml";

// What the file says, over the program's own defaults. A role without a section is absent.
struct Config {
    std::optional<SenderRequest> sender;
    std::optional<ReceiverRequest> receiver;
};

[[nodiscard]] Result<Config, std::string> parse_config(std::string_view text, const std::string& file);
[[nodiscard]] Result<Config, std::string> read_config(const std::string& path);

// A file with every key, its meaning and its default, which a key without `#` before it has not.
[[nodiscard]] std::string sample_config();
// A section with each key that is set, as a file would have it.
[[nodiscard]] std::string config_text(const KeySection& section);

}  // namespace hawser::app
