// SPDX-License-Identifier: MIT
// `hawser radio keep`: the channels of a file on the air for as long as it runs. The same inside hawser send and recv
// (--radio-channels), on their control thread: KeptChannels.
#pragma once

#include <memory>
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
    void apply(const control::DesiredState& wanted) { keeper_.apply(wanted); }
    void stop(std::function<void()> done) { keeper_.stop(std::move(done)); }
    // Channels and commands, as one object.
    [[nodiscard]] std::string figures_json() const;

private:
    KeepRequest request_;
    std::unique_ptr<control::StateCache> cache_;
    control::Keeper keeper_;
};

// --radio-channels and what goes with it, for a command that does something else.
void add_radio_channels(cli::App& app, KeepRequest& request);

}  // namespace hawser::app
