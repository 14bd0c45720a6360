// SPDX-License-Identifier: MIT
#include "platform/control/radio/radio_client.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "platform/control/radio/radio_names.h"
#include "platform/linux/clock.h"

namespace hawser::control {

RadioClient::RadioClient(const GroupSpec& group, int ttl, std::uint64_t seed)
    : service_({}, Random(seed)),
      link_(
          loop_, service_, ttl, [](const radio::RadioEvent&) {},
          [this](const std::string& text) { complaint_ = text; }),
      calls_(link_, service_) {
    if (const auto added = link_.add(group)) {
        radio_ = *added;
        complaint_.clear();
    } else {
        complaint_ = added.error().text();
    }
}

Result<std::unique_ptr<RadioClient>, std::string> RadioClient::open(const std::string& name, int ttl) {
    const auto parsed = radio::parse_radio_name(name);
    if (!parsed) return Failure{"'" + name + "' names no radiod (name or group, :port, and ,interface)"};
    GroupSpec spec;
    spec.group = find_group(*parsed).group;
    spec.interface = parsed->interface;
    // Tags are to differ from other clients', not to be secret.
    const std::uint64_t seed =
        static_cast<std::uint64_t>(os::now().ns) ^ (static_cast<std::uint64_t>(::getpid()) << 48);
    std::unique_ptr<RadioClient> client(new RadioClient(spec, ttl, seed));
    if (!client->complaint_.empty()) return Failure{client->complaint_};
    return client;
}

template <class Ask>
RadioClient::Reply RadioClient::wait_for(Ask ask) {
    // Of old: not the answer to what is asked now.
    link_.take_waiting();
    Reply reply;
    const auto asked = ask([&](const RadioAnswer& a) {
        reply.outcome = a.outcome;
        reply.ssrc = a.ssrc;
        reply.field = a.field;
        reply.reused = a.reused;
        reply.took = a.took;
        if (a.status != nullptr) {
            reply.status = *a.status;
            reply.status.drop_views();
        }
        loop_.quit(0);
    });
    if (asked) loop_.run();
    return reply;
}

RadioClient::Reply RadioClient::tune(std::uint32_t ssrc, const radio::Command& command) {
    return wait_for([&](RadioCalls::Function f) { return calls_.tune(radio_, ssrc, command, std::move(f)); });
}

RadioClient::Reply RadioClient::create(std::uint32_t ssrc, const radio::ChannelSpec& spec) {
    return wait_for([&](RadioCalls::Function f) { return calls_.create(radio_, ssrc, spec, std::move(f)); });
}

RadioClient::Reply RadioClient::ensure(std::uint32_t ssrc, const radio::ChannelSpec& spec) {
    static_cast<void>(list());
    return wait_for([&](RadioCalls::Function f) { return calls_.ensure(radio_, ssrc, spec, std::move(f)); });
}

RadioClient::Reply RadioClient::remove(std::uint32_t ssrc) {
    return wait_for([&](RadioCalls::Function f) { return calls_.remove(radio_, ssrc, std::move(f)); });
}

std::vector<radio::OnAir> RadioClient::list() {
    wait_for([&](RadioCalls::Function f) { return RadioCalls::Asked(calls_.list(radio_, std::move(f))); });
    std::vector<radio::OnAir> all;
    for (const radio::OnAir* c : service_.roster().channels(radio_)) all.push_back(*c);
    std::sort(all.begin(), all.end(), [](const radio::OnAir& a, const radio::OnAir& b) {
        return a.status.channel.ssrc < b.status.channel.ssrc;
    });
    return all;
}

}  // namespace hawser::control
