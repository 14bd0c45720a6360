// SPDX-License-Identifier: MIT
#include "tests/sim/harness_receiver.h"

#include <algorithm>

namespace hawser::test {
namespace {

using namespace hawser::literals;
using wire::SrtlaType;

// BELABOX/srtla 37862da: a link and a group without links live 10 s, looked at every 3 s.
constexpr Duration silence_max = 10_s;
constexpr Duration sweep_period = 3_s;

bool same_host(const Endpoint& a, const Endpoint& b) { return a.address == b.address; }

}  // namespace

ScriptedReceiver::ScriptedReceiver(sim::World& world, sim::HostId host, const Endpoint& listen, const Endpoint& server)
    : world_(world), host_(host), server_(server), port_(world, host, listen) {
    sweep_at_ = world.now() + sweep_period;
    world_.add_program(sim::Program::of(*this));
}

void ScriptedReceiver::forget(const Endpoint& source) {
    for (auto& group : groups_)
        std::erase_if(group->links, [&](const Link& l) { return same_host(l.address, source); });
}

bool ScriptedReceiver::send_to(const Endpoint& source, Bytes bytes) {
    const Link* l = link(source);
    if (l == nullptr) return false;
    return port_.send(l->address, bytes) == 0;
}

void ScriptedReceiver::send_to_all(Bytes bytes) {
    if (groups_.empty()) return;
    for (const Link& l : groups_.back()->links) port_.send(l.address, bytes);
}

const ScriptedReceiver::Link* ScriptedReceiver::link(const Endpoint& source) const {
    if (groups_.empty()) return nullptr;
    const Link* newest = nullptr;
    for (const Link& l : groups_.back()->links)
        if (same_host(l.address, source)) newest = &l;
    return newest;
}

std::size_t ScriptedReceiver::count(SrtlaType type, Instant since) const {
    return static_cast<std::size_t>(std::count_if(heard_.begin(), heard_.end(), [&](const Heard& h) {
        return h.type == static_cast<std::uint16_t>(type) && h.at >= since;
    }));
}

std::size_t ScriptedReceiver::count(SrtlaType type, const Endpoint& source, Instant since) const {
    return static_cast<std::size_t>(std::count_if(heard_.begin(), heard_.end(), [&](const Heard& h) {
        return h.type == static_cast<std::uint16_t>(type) && h.at >= since && same_host(h.from, source);
    }));
}

Instant ScriptedReceiver::due() const {
    if (port_.has_arrivals()) return world_.now();
    for (const auto& group : groups_)
        if (group->server_port && group->server_port->has_arrivals()) return world_.now();
    return sweep_at_;
}

void ScriptedReceiver::run(Instant now) {
    while (const auto d = port_.take())
        if (!deaf_) on_datagram(*d, now);
    for (const auto& group : groups_)
        while (group->server_port) {
            const auto d = group->server_port->take();
            if (!d) break;
            if (!deaf_) on_server(*group, *d);
        }
    if (now < sweep_at_) return;
    sweep_at_ = now + sweep_period;
    for (auto& group : groups_)
        std::erase_if(group->links, [&](const Link& l) { return now - l.heard_at > silence_max; });
    std::erase_if(groups_, [&](const auto& g) { return g->links.empty() && now - g->created_at > silence_max; });
}

ScriptedReceiver::Group* ScriptedReceiver::group_of(const Endpoint& address, Link*& link) {
    for (auto& group : groups_)
        for (Link& l : group->links)
            if (l.address == address) {
                link = &l;
                return group.get();
            }
    return nullptr;
}

void ScriptedReceiver::on_datagram(const sim::Datagram& d, Instant now) {
    const auto type = wire::packet_type(d.bytes);
    if (!type) return;
    if (wire::is_srtla_space(*type)) heard_.push_back({now, d.from, *type, d.bytes});
    if (d.bytes.size() == wire::registration_bytes && *type == static_cast<std::uint16_t>(SrtlaType::reg1)) {
        on_reg1(d, now);
        return;
    }
    if (d.bytes.size() == wire::registration_bytes && *type == static_cast<std::uint16_t>(SrtlaType::reg2)) {
        on_reg2(d, now);
        return;
    }
    Link* link = nullptr;
    Group* group = group_of(d.from, link);
    if (group == nullptr) {
        if (!wire::is_srtla_space(*type)) ++unregistered_srt_;
        return;
    }
    link->heard_at = now;
    if (*type == static_cast<std::uint16_t>(SrtlaType::keepalive)) {
        const bool bare = d.bytes.size() == wire::keepalive_bare_bytes;
        if (script.echo == ReceiverScript::Echo::never) return;
        if (script.echo == ReceiverScript::Echo::bare_only && !bare) return;
        sim::Packet echo = d.bytes;
        if (script.pads) echo.resize(std::max(echo.size(), wire::padded_bytes));
        port_.send(d.from, echo);
        return;
    }
    if (d.bytes.size() >= wire::srt_header_bytes) on_srt(d, *group, *link);
}

void ScriptedReceiver::reply(const Endpoint& to, SrtlaType type) {
    const auto packet = wire::build_padded(type);
    port_.send(to, script.pads ? Bytes(packet) : Bytes(packet).first(2));
}

void ScriptedReceiver::send_reg2(const Endpoint& to, wire::GroupKey key) {
    if (script.reg2_lost > 0) {
        --script.reg2_lost;
        return;
    }
    if (script.reg2_foreign > 0) {
        --script.reg2_foreign;
        for (std::uint8_t& b : key) b = static_cast<std::uint8_t>(~b);
    }
    const auto packet = wire::build_registration(SrtlaType::reg2, key);
    if (script.reg2_short > 0) {
        --script.reg2_short;
        port_.send(to, Bytes(packet).first(200));
        return;
    }
    port_.send(to, packet);
}

void ScriptedReceiver::on_reg1(const sim::Datagram& d, Instant now) {
    if (script.refusals > 0) {
        --script.refusals;
        reply(d.from, SrtlaType::reg_err);
        return;
    }
    if (script.reg1_answer) {
        reply(d.from, *script.reg1_answer);
        return;
    }
    for (const auto& group : groups_) {
        const bool known = group->creator == d.from || std::any_of(group->links.begin(), group->links.end(),
                                                                   [&](const Link& l) { return l.address == d.from; });
        if (!known) continue;
        const bool same =
            std::equal(d.bytes.begin() + 2, d.bytes.begin() + 2 + wire::group_id_sender_bytes, group->key.begin());
        if (script.repeats_reg2 && same)
            send_reg2(d.from, group->key);
        else
            reply(d.from, SrtlaType::reg_err);
        return;
    }
    auto group = std::make_unique<Group>();
    std::copy_n(d.bytes.begin() + 2, wire::group_id_sender_bytes, group->key.begin());
    for (std::size_t i = wire::group_id_sender_bytes; i < wire::group_id_bytes; ++i)
        group->key[i] = static_cast<std::uint8_t>(world_.random().next());
    group->creator = d.from;
    group->created_at = now;
    ++groups_made_;
    send_reg2(d.from, group->key);
    groups_.push_back(std::move(group));
}

void ScriptedReceiver::on_reg2(const sim::Datagram& d, Instant now) {
    if (script.refusals > 0) {
        --script.refusals;
        reply(d.from, SrtlaType::reg_err);
        return;
    }
    const auto found = std::find_if(groups_.begin(), groups_.end(), [&](const auto& g) {
        return std::equal(d.bytes.begin() + 2, d.bytes.end(), g->key.begin());
    });
    if (found == groups_.end()) {
        reply(d.from, SrtlaType::reg_ngp);
        return;
    }
    Link* link = nullptr;
    const Group* other = group_of(d.from, link);
    if (other != nullptr && other != found->get()) {
        reply(d.from, SrtlaType::reg_err);
        return;
    }
    if (link == nullptr) (*found)->links.push_back(Link{d.from, now, 0, {}});
    (*found)->creator = d.from;
    reply(d.from, SrtlaType::reg3);
}

void ScriptedReceiver::on_srt(const sim::Datagram& d, Group& group, Link& link) {
    group.last = d.from;
    const auto packet = *wire::SrtPacket::over(d.bytes);
    if (packet.is_data()) {
        ++link.data;
        link.unacknowledged.push_back(packet.sequence());
        if (link.unacknowledged.size() == wire::srtla_ack_entries) {
            wire::SrtlaAckBuilder ack;
            for (const wire::Seq31 s : link.unacknowledged) ack.add(s);
            link.unacknowledged.clear();
            if (script.acks) {
                port_.send(d.from, ack.bytes());
                ++acks_sent_;
            }
        }
    }
    if (!group.server_port) {
        const Endpoint any = Endpoint::from_v4(0x7F000001, 0);
        group.server_port = std::make_unique<sim::Port>(world_, host_, any);
    }
    group.server_port->send(server_, d.bytes);
}

void ScriptedReceiver::on_server(Group& group, const sim::Datagram& d) {
    const auto type = wire::packet_type(d.bytes);
    const bool to_all =
        type && (*type == static_cast<std::uint16_t>(wire::SrtControl::ack) ||
                 (script.broadcasts_naks && *type == static_cast<std::uint16_t>(wire::SrtControl::nak)));
    sim::Packet packet = d.bytes;
    if (script.pads_srt) packet.resize(std::max(packet.size(), wire::padded_bytes));
    if (!to_all) {
        port_.send(group.last, packet);
        return;
    }
    for (const Link& l : group.links) port_.send(l.address, packet);
}

}  // namespace hawser::test
