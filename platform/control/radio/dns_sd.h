// SPDX-License-Identifier: MIT
// The radiods that announce themselves by DNS-SD (`_ka9q-ctl._udp`), as avahi's daemon knows them. What is announced is
// a hint: publishers outlive their radiod, so who asks polls the group before believing it.
// Needs avahi's client library when built, and its daemon when run; without either the answer says so, at once.
#pragma once

#include <string>
#include <vector>

#include "engine/base/endpoint.h"
#include "engine/base/time.h"

namespace hawser::control {

struct RadioInstance {
    std::string description;  // the service's name: radiod's front end
    std::string host;         // the status name, `hf-status.local`
    Endpoint group;           // and its port
    std::string interface;    // where it was announced
};

struct BrowseResult {
    std::vector<RadioInstance> instances;  // each group once by interface, by description
    std::string error;                     // why there may be more; empty when all is well
};

// avahi tells when it has said all it knows, after a second or so; a daemon that does not is given up then.
inline constexpr Duration browse_limit{3'000'000'000};

// Blocks: for a worker.
[[nodiscard]] BrowseResult browse_radios(Duration limit = browse_limit);

// A group that several names announce counts once by interface, and off the loopback if it can be had there: radiods of
// one name, on networks of their own, have the same group.
void add_instance(std::vector<RadioInstance>& instances, const RadioInstance& found);

}  // namespace hawser::control
