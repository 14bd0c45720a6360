// SPDX-License-Identifier: MIT
// The scenarios that come with the program, in the very format that users write: `hawser sim --show NAME` prints one to
// begin from. The shapes of links follow common experience of cellular and satellite uplinks (untuned); radios are made
// up by engine/sim/radio_trace.h, so nothing recorded is in here.
#include "platform/app/sim/scenario.h"

namespace hawser::app {

namespace {

constexpr std::string_view equal = R"(about = "four equal, steady links"

[[link]]
name = "one"
kbps = 3000      # capacity of the way up, on the wire
delay = 30       # milliseconds, each way
queue = 300      # milliseconds that the bottleneck's queue holds at the mean rate

[[link]]
name = "two"
kbps = 3000
delay = 30

[[link]]
name = "three"
kbps = 3000
delay = 30

[[link]]
name = "four"
kbps = 3000
delay = 30
)";

constexpr std::string_view asymmetric = R"(about = "four steady links, each half of the one before and slower to arrive"

[[link]]
name = "fibre"
kbps = 8000
delay = 20

[[link]]
name = "5G"
kbps = 4000
delay = 30

[[link]]
name = "LTE"
kbps = 2000
delay = 45

[[link]]
name = "3G"
kbps = 1000
delay = 75
)";

constexpr std::string_view cellular =
    R"(about = "three cellular links on the move: rates that wander, deep fades, patient queues"

[[link]]
name = "first"
radio = { kbps = 3500, spread = 0.5, fades = 4 }
offset = "seed"
delay = 25
queue = 600
down = { radio = { kbps = 9000, spread = 0.5, fades = 4 }, queue = 1000 }

[[link]]
name = "second"
radio = { kbps = 5000, spread = 0.5, fades = 3 }
offset = "seed"
delay = 35
queue = 600
down = { radio = { kbps = 12000, spread = 0.5, fades = 3 }, queue = 1000 }

[[link]]
name = "third"
radio = { kbps = 2500, spread = 0.7, fades = 5 }
offset = "seed"
delay = 45
queue = 600
down = { radio = { kbps = 6000, spread = 0.7, fades = 5 }, queue = 1000 }
)";

constexpr std::string_view lossy =
    R"(about = "the same three cellular links, one losing 2 % at random and one in bursts"

[[link]]
name = "first"
radio = { kbps = 3500, spread = 0.5, fades = 4 }
offset = "seed"
delay = 25
queue = 600
loss = 0.02      # of the packets that the bottleneck has carried
down = { radio = { kbps = 9000, spread = 0.5, fades = 4 }, queue = 1000 }

[[link]]
name = "second"
radio = { kbps = 5000, spread = 0.5, fades = 3 }
offset = "seed"
delay = 35
jitter = 10      # milliseconds: up to so much more delay, drawn for each packet, order kept
queue = 600
# Gilbert and Elliott: chances for each packet to change the state, and to be lost in either.
bursts = { good_to_bad = 0.002, bad_to_good = 0.1, loss_bad = 0.5 }
down = { radio = { kbps = 12000, spread = 0.5, fades = 3 }, queue = 1000 }

[[link]]
name = "third"
radio = { kbps = 2500, spread = 0.7, fades = 5 }
offset = "seed"
delay = 45
queue = 600
down = { radio = { kbps = 6000, spread = 0.7, fades = 5 }, queue = 1000 }
)";

constexpr std::string_view outage = R"(about = "the widest of four steady links goes dark for ten seconds"

[[link]]
name = "first"
kbps = 5000
delay = 25

[[link.outage]]
kind = "dark"    # loses everything; "hold" keeps what would come out and lets it go at the end; "pause" stops the bottleneck
start = 10.5     # seconds; media begin at 0.5
length = 10
way = "both"     # or "up" or "down"

[[link]]
name = "second"
kbps = 4000
delay = 30

[[link]]
name = "third"
kbps = 4000
delay = 40

[[link]]
name = "fourth"
kbps = 3000
delay = 40
)";

constexpr std::string_view satellite =
    R"(about = "a satellite that holds everything for a second at each handover, and two cellular links"

[[link]]
name = "satellite"
radio = { kbps = 6000, spread = 0.25, fades = 0 }
offset = "seed"
delay = 30
queue = 400
down = { kbps = 50000, queue = 400 }

[[link.outage]]
kind = "hold"
start = 5.5
length = 1
every = 15       # seconds from start to start

[[link]]
name = "second"
radio = { kbps = 5000, spread = 0.5, fades = 3 }
offset = "seed"
delay = 35
queue = 600
down = { radio = { kbps = 12000, spread = 0.5, fades = 3 }, queue = 1000 }

[[link]]
name = "third"
radio = { kbps = 2500, spread = 0.7, fades = 5 }
offset = "seed"
delay = 45
queue = 600
down = { radio = { kbps = 6000, spread = 0.7, fades = 5 }, queue = 1000 }
)";

constexpr std::string_view bloated =
    R"(about = "three steady links, one of which queues for two seconds before it loses anything"

[[link]]
name = "first"
kbps = 6000
delay = 25

[[link]]
name = "bloated"
kbps = 4000
delay = 30
queue = 2000

[[link]]
name = "third"
kbps = 3000
delay = 40
)";

}  // namespace

const std::vector<BuiltInScenario>& built_in_scenarios() {
    static const std::vector<BuiltInScenario> all{
        {"a-equal", equal},   {"b-asymmetric", asymmetric}, {"c-cellular", cellular}, {"d-lossy", lossy},
        {"e-outage", outage}, {"f-satellite", satellite},   {"g-bloated", bloated},
    };
    return all;
}

}  // namespace hawser::app
