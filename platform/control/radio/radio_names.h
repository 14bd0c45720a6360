// SPDX-License-Identifier: MIT
// From a radiod's name to its status group, without blocking: an address as it is, else what the system's resolver says
// (mDNS, where it knows it, and hosts files), else the group that radiod computes from its name when nobody resolves.
//  - The resolver has lookup_limit: radiod's usual setting is the computed group, so a resolver that hangs holds nobody
//    up. What it says later is remembered for the next question.
//  - Only a multicast address is one: any other answer is told, and the computed group used.
#pragma once

#include <functional>
#include <list>
#include <string>

#include "engine/radio/address.h"
#include "platform/control/names.h"

namespace hawser::control {

struct FoundGroup {
    enum class How : std::uint8_t { literal, looked_up, computed };
    Endpoint group;  // with its port
    How how = How::literal;
    std::string why;  // of computed: what the resolver said

    // "239.1.2.3:5006, computed from the name: Name or service not known"
    [[nodiscard]] std::string text() const;
};

// Empty for a literal group: its number is no name, and is not to take a name's place.
[[nodiscard]] std::string plain_name(const radio::RadioName& name);

class StateCache;
// Remembers what the resolver said, and no more: a computed group may be a guess after a moment's silence, and a port
// that was asked for is not the name's.
void learn_group(StateCache& cache, const radio::RadioName& name, const FoundGroup& found);

class RadioNames {
public:
    using Handler = std::function<void(const FoundGroup&)>;
    // mDNS takes 20 to 50 ms, a name server that is there less than 200. Untuned.
    static constexpr Duration lookup_limit{500'000'000};

    RadioNames(Loop& loop, Names& names);
    ~RadioNames();
    RadioNames(const RadioNames&) = delete;
    RadioNames& operator=(const RadioNames&) = delete;

    // The handler is called once, perhaps before this returns.
    void find(const radio::RadioName& name, Handler handler);

private:
    struct Pending {
        radio::RadioName name;
        Handler handler;
        Instant until;
    };
    void on_answer(std::uint64_t id, const Resolution& answer);
    void on_timer();
    void set_timer();

    Loop& loop_;
    Names& names_;
    Timer timer_;
    std::uint64_t last_id_ = 0;
    std::list<std::pair<std::uint64_t, Pending>> pending_;
    // Names may answer when this is gone.
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

// Blocks for as long as a lookup may take: for a command's start, before there is a loop.
[[nodiscard]] FoundGroup find_group(const radio::RadioName& name);

}  // namespace hawser::control
