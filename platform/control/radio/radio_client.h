// SPDX-License-Identifier: MIT
// One radiod, asked and waited for: each call sends, waits for radiod's answer or the limit of 5 s, and returns it. For
// programs without a loop of their own. It has its sockets for as long as it lives; what came between two calls is
// taken in by the next.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/radio/service.h"
#include "engine/radio/spectrum.h"
#include "platform/control/radio/radio_calls.h"
#include "platform/control/radio/radio_link.h"

namespace hawser::control {

class RadioClient {
public:
    using Outcome = RadioAnswer::Outcome;
    struct Reply {
        Outcome outcome = Outcome::not_asked;
        radio::TuneRefusal refusal = radio::TuneRefusal::bad_ssrc;  // of not_asked
        std::uint32_t ssrc = 0;
        radio::RadioField field = radio::RadioField::eol;  // of refused
        bool reused = false;
        bool cut_short = false;
        radio::Status status;                       // radiod's, without bins; without an answer an empty one
        std::optional<radio::Spectrum> spectrum{};  // of spectrum()
        Duration took;

        explicit operator bool() const { return outcome == Outcome::done; }
    };
    struct Listing {
        std::vector<radio::OnAir> channels;  // in the order of their numbers
        bool is_whole = false;               // somebody answered, and the list met no bound
    };
    // So long a list is good for ensure(): what was made since by others is heard, if nothing was lost. Untuned.
    static constexpr Duration list_good_for{10'000'000'000};

    // `name[:port][,interface]` or a group in place of the name, which is looked up. TTL 0 stays on this host.
    // Failed: why, as a sentence.
    [[nodiscard]] static Result<std::unique_ptr<RadioClient>, std::string> open(const std::string& name, int ttl = 1);

    Reply tune(std::uint32_t ssrc, const radio::Command& command);
    Reply create(std::uint32_t ssrc, const radio::ChannelSpec& spec);
    // Asks for a list first unless there was one of late, so that an equal channel is found under whatever number.
    Reply ensure(std::uint32_t ssrc, const radio::ChannelSpec& spec);
    Reply remove(std::uint32_t ssrc);
    Listing list();
    // One sweep of a spectrum channel, which is made if it is not there.
    Reply spectrum(std::uint32_t ssrc, const radio::ChannelSpec& spec);

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
    std::optional<Instant> listed_;
};

}  // namespace hawser::control
