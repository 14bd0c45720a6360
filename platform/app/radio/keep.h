// SPDX-License-Identifier: MIT
// `hawser radio keep`: the channels of a file on the air for as long as it runs. The same inside hawser send and recv
// (--radio-channels), on their control thread: KeptChannels.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "platform/app/radio/radio_session.h"
#include "platform/control/radio/keeper.h"

namespace hawser::app {

namespace cli {
class App;
}

struct KeepRequest {
    RadioOptions radio;  // a name where the file has none
    std::string file;
    bool json = false;
    bool removes = false;  // at the end, and what a reload no longer has
};

class KeptChannels {
public:
    // Every transition, in order.
    using Teller = std::function<void(const control::Transition&)>;

    KeptChannels(control::Loop& loop, const KeepRequest& request, Teller teller, control::Keeper::Notice notice);

    // Reads the file. The error is a sentence with file, line and key; what was wanted before is then wanted still.
    Result<Unit, std::string> load();
    // The same in two steps.
    [[nodiscard]] Result<control::DesiredState, std::string> read() const;
    void apply(const control::DesiredState& wanted);
    // Wants nothing any more, whatever is applied.
    void stop(std::function<void()> done);
    [[nodiscard]] bool is_stopping() const { return is_stopping_; }
    [[nodiscard]] const control::DesiredState& wanted() const { return wanted_; }
    [[nodiscard]] const control::Keeper& keeper() const { return keeper_; }
    // Channels and commands, as one object.
    [[nodiscard]] nlohmann::ordered_json figures() const;

private:
    KeepRequest request_;
    control::DesiredState wanted_;
    bool is_stopping_ = false;
    std::unique_ptr<control::StateCache> cache_;
    control::Keeper keeper_;
};

// --radio-channels and what goes with it, for a command that does something else.
void add_radio_channels(cli::App& app, KeepRequest& request);

}  // namespace hawser::app
