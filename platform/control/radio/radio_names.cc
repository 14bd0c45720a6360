// SPDX-License-Identifier: MIT
#include "platform/control/radio/radio_names.h"

#include <algorithm>
#include <utility>

#include "platform/control/radio/group_socket.h"
#include "platform/control/radio/state_cache.h"
#include "platform/linux/clock.h"
#include "platform/linux/sockaddr.h"

namespace hawser::control {

namespace {

std::uint16_t port_of(const radio::RadioName& name) { return name.port != 0 ? name.port : radio::status_port; }

FoundGroup computed(const radio::RadioName& name, std::string why) {
    return {Endpoint::from_v4(radio::status_group_of_name(name.host), port_of(name)), FoundGroup::How::computed,
            std::move(why)};
}

FoundGroup judged(const radio::RadioName& name, const Resolution& answer) {
    const auto end = answer.resolved.addresses.begin() + answer.resolved.count;
    const auto found = std::find_if(answer.resolved.addresses.begin(), end, is_multicast);
    if (found == end)
        return computed(name, answer.resolved.count == 0
                                  ? answer.error
                                  : os::address_text(answer.resolved.addresses[0]) + " is no multicast group");
    FoundGroup out{*found, FoundGroup::How::looked_up, {}};
    out.group.port = port_of(name);
    return out;
}

}  // namespace

std::string FoundGroup::text() const {
    std::string out = os::endpoint_text(group);
    if (how == How::computed) out += ", computed from the name";
    if (!why.empty()) out += ": " + why;
    return out;
}

std::string plain_name(const radio::RadioName& name) { return name.literal ? std::string() : name.host; }

void learn_group(StateCache& cache, const radio::RadioName& name, const FoundGroup& found) {
    if (found.how != FoundGroup::How::looked_up) return;
    Endpoint group = found.group;
    group.port = radio::status_port;
    cache.learn_name(name.host, group);
}

RadioNames::RadioNames(Loop& loop, Names& names) : loop_(loop), names_(names) {
    loop_.watch(timer_.fd(), [this] { on_timer(); });
}

RadioNames::~RadioNames() {
    *is_alive_ = false;
    loop_.unwatch(timer_.fd());
}

void RadioNames::find(const radio::RadioName& name, Handler handler) {
    if (name.literal) {
        FoundGroup out{*name.literal, FoundGroup::How::literal, {}};
        out.group.port = port_of(name);
        handler(out);
        return;
    }
    const std::uint64_t id = ++last_id_;
    pending_.emplace_back(id, Pending{name, std::move(handler), os::now() + lookup_limit});
    set_timer();
    names_.ask(name.host, [this, id, is_alive = is_alive_](const Resolution& answer) {
        if (*is_alive) on_answer(id, answer);
    });
}

void RadioNames::on_answer(std::uint64_t id, const Resolution& answer) {
    const auto found = std::find_if(pending_.begin(), pending_.end(), [&](const auto& p) { return p.first == id; });
    if (found == pending_.end()) return;  // too late
    const Pending p = std::move(found->second);
    pending_.erase(found);
    set_timer();
    p.handler(judged(p.name, answer));
}

void RadioNames::on_timer() {
    timer_.acknowledge();
    const std::shared_ptr<bool> is_alive = is_alive_;
    while (!pending_.empty() && pending_.front().second.until <= os::now()) {
        const Pending p = std::move(pending_.front().second);
        pending_.pop_front();
        p.handler(computed(p.name, "no answer to the lookup"));
        if (!*is_alive) return;
    }
    set_timer();
}

// They wait equally long: the first is the next.
void RadioNames::set_timer() { timer_.set(pending_.empty() ? never : pending_.front().second.until); }

FoundGroup find_group(const radio::RadioName& name) {
    Loop loop;
    Names names(loop);
    RadioNames radio_names(loop, names);
    FoundGroup out;
    bool is_found = false;
    radio_names.find(name, [&](const FoundGroup& found) {
        out = found;
        is_found = true;
        loop.quit(0);
    });
    if (!is_found) loop.run();
    return out;
}

}  // namespace hawser::control
