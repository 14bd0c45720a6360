// SPDX-License-Identifier: MIT
// What a running sender can be asked and told over its control socket. The first eight methods and their fields have
// the names and meanings of irlserver/srtla_send 86b90aa; fields of its that this engine has no counterpart for are
// left out, and more stand beside them.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "engine/border/sender_snapshot.h"
#include "platform/app/link_limits.h"
#include "platform/app/sender_figures.h"
#include "platform/control/rpc/methods.h"

namespace hawser::app {

// The sender's control thread, as its methods see it. Changes are told to the pump at once.
class SenderSteering {
public:
    [[nodiscard]] virtual const SenderSnapshot& figures() = 0;  // the newest
    [[nodiscard]] virtual const std::array<std::string, links_max>& link_names() const = 0;
    [[nodiscard]] virtual std::vector<WaitingUplink> waiting_links() const = 0;
    [[nodiscard]] virtual const select::Settings& selection() const = 0;
    virtual void select(const select::Settings& settings) = 0;
    [[nodiscard]] virtual Duration silence() const = 0;
    virtual void set_silence(Duration span) = 0;
    // `entry`: as on a line of the uplinks file. The error is a sentence.
    [[nodiscard]] virtual Result<std::string, std::string> add_link(const std::string& entry) = 0;  // its name
    [[nodiscard]] virtual Result<Unit, std::string> remove_link(const std::string& name) = 0;
    [[nodiscard]] virtual LinkLimits& limits() = 0;
    // How an uplink is called that is wanted; absent: none has that name.
    [[nodiscard]] virtual std::optional<control::LinkWords> words_of(const std::string& name) const = 0;
    virtual void limits_changed() = 0;  // after that, the pump and the operators are told

protected:
    ~SenderSteering() = default;
};

[[nodiscard]] Json sender_status(SenderSteering& sender);
[[nodiscard]] Json sender_stats(SenderSteering& sender);
void add_sender_methods(rpc::Methods& methods, SenderSteering& sender);

}  // namespace hawser::app
