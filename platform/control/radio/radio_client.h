// SPDX-License-Identifier: MIT
// One radiod, asked and waited for: each call sends, waits for radiod's answer or the limit of 5 s, and returns it. For
// programs without a loop of their own. It has its sockets for as long as it lives; between calls it hears nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/radio/service.h"
#include "platform/control/radio/radio_calls.h"
#include "platform/control/radio/radio_link.h"

namespace hawser::control {

class RadioClient {
public:
    using Outcome = RadioAnswer::Outcome;
    struct Reply {
        Outcome outcome = Outcome::no_answer;
        std::uint32_t ssrc = 0;
        radio::RadioField field = radio::RadioField::eol;  // of refused
        bool reused = false;
        radio::Status status;  // radiod's, without bins; without an answer an empty one
        Duration took;

        explicit operator bool() const { return outcome == Outcome::done; }
    };

    // `name[:port][,interface]` or a group in place of the name, which is looked up. TTL 0 stays on this host.
    // Failed: why, as a sentence.
    [[nodiscard]] static Result<std::unique_ptr<RadioClient>, std::string> open(const std::string& name, int ttl = 1);

    Reply tune(std::uint32_t ssrc, const radio::Command& command);
    Reply create(std::uint32_t ssrc, const radio::ChannelSpec& spec);
    // Asks for a list first, so that an equal channel is found under whatever number.
    Reply ensure(std::uint32_t ssrc, const radio::ChannelSpec& spec);
    Reply remove(std::uint32_t ssrc);
    // Of all channels; in the order of their numbers.
    std::vector<radio::OnAir> list();

private:
    RadioClient(const GroupSpec& group, int ttl, std::uint64_t seed);
    template <class Ask>
    Reply wait_for(Ask ask);

    std::string complaint_;
    Loop loop_;
    radio::Service service_;
    RadioLink link_;
    RadioCalls calls_;
    radio::RadioId radio_;
};

}  // namespace hawser::control
