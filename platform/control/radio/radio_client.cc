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
        reply.cut_short = a.cut_short;
        reply.took = a.took;
        if (a.status != nullptr) {
            reply.spectrum = radio::spectrum_of(*a.status);
            reply.status = *a.status;
            reply.status.drop_views();
        }
        loop_.quit(0);
    });
    if (asked)
        loop_.run();
    else
        reply.refusal = asked.error();
    return reply;
}

RadioClient::Reply RadioClient::tune(std::uint32_t ssrc, const radio::Command& command) {
    return wait_for([&](RadioCalls::Function f) { return calls_.tune(radio_, ssrc, command, std::move(f)); });
}

RadioClient::Reply RadioClient::create(std::uint32_t ssrc, const radio::ChannelSpec& spec) {
    return wait_for([&](RadioCalls::Function f) { return calls_.create(radio_, ssrc, spec, std::move(f)); });
}

RadioClient::Reply RadioClient::ensure(std::uint32_t ssrc, const radio::ChannelSpec& spec) {
    if (!listed_ || os::now() - *listed_ > list_good_for) static_cast<void>(list());
    return wait_for([&](RadioCalls::Function f) { return calls_.ensure(radio_, ssrc, spec, std::move(f)); });
}

RadioClient::Reply RadioClient::remove(std::uint32_t ssrc) {
    return wait_for([&](RadioCalls::Function f) { return calls_.remove(radio_, ssrc, std::move(f)); });
}

RadioClient::Reply RadioClient::spectrum(std::uint32_t ssrc, const radio::ChannelSpec& spec) {
    return wait_for([&](RadioCalls::Function f) { return calls_.spectrum(radio_, ssrc, spec, std::move(f)); });
}

RadioClient::Listing RadioClient::list() {
    const Reply reply =
        wait_for([&](RadioCalls::Function f) { return RadioCalls::Asked(calls_.list(radio_, std::move(f))); });
    Listing out;
    out.is_whole = reply && !reply.cut_short;
    if (out.is_whole) listed_ = os::now();
    for (const radio::OnAir* c : service_.roster().channels(radio_)) out.channels.push_back(*c);
    std::sort(out.channels.begin(), out.channels.end(), [](const radio::OnAir& a, const radio::OnAir& b) {
        return a.status.channel.ssrc < b.status.channel.ssrc;
    });
    return out;
}

}  // namespace hawser::control
