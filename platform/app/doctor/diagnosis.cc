// SPDX-License-Identifier: MIT
#include "platform/app/doctor/diagnosis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "platform/control/uplink_list.h"
#include "platform/linux/errno_text.h"
#include "platform/linux/sockaddr.h"

namespace hawser::app {

namespace {

using control::Interface;
using control::is_by_device;

// Tables and metrics that no distribution uses, one for each interface.
constexpr std::uint32_t table_base = 20'000;
constexpr std::uint32_t metric_base = 2'000;

std::uint8_t bit_at(const Endpoint& e, std::uint32_t bit) {
    return static_cast<std::uint8_t>((e.address[bit / 8] >> (7 - bit % 8)) & 1);
}

bool is_within(const Endpoint& e, const Interface::Address& network) {
    if (e.is_v4() != network.address.is_v4()) return false;
    const std::uint32_t first = e.is_v4() ? 96 : 0;
    for (std::uint32_t i = first; i < first + network.prefix_bits && i < 128; ++i)
        if (bit_at(e, i) != bit_at(network.address, i)) return false;
    return true;
}

// The first address of the network around it, which modems and home routers take for themselves; the second when that
// is our own.
Endpoint likely_gateway(const Interface::Address& own) {
    Endpoint e = own.address;
    for (std::uint32_t bit = (e.is_v4() ? 96 : 0) + own.prefix_bits; bit < 128; ++bit)
        e.address[bit / 8] = static_cast<std::uint8_t>(e.address[bit / 8] & ~(0x80 >> (bit % 8)));
    e.address[15] = static_cast<std::uint8_t>(e.address[15] | 1);
    if (e.address == own.address.address) e.address[15] = static_cast<std::uint8_t>((e.address[15] & 0xFC) | 2);
    return e;
}

struct Mend {
    const Interface& interface;
    const UplinkSpec& uplink;
    bool v4;

    [[nodiscard]] std::string ip() const { return v4 ? "ip" : "ip -6"; }
    [[nodiscard]] const std::vector<Interface::Gateway>& defaults() const {
        return v4 ? interface.default_v4 : interface.default_v6;
    }
    // "via 192.168.8.1 dev usb0". `guessed`: nothing said which gateway it is.
    [[nodiscard]] std::string way(bool& guessed) const {
        guessed = false;
        for (const auto& g : defaults())
            if (g.address) return fmt::format("via {} dev {}", os::address_text(*g.address), interface.name);
        if (!defaults().empty() || interface.is_point_to_point) return "dev " + interface.name;
        for (const auto& a : interface.addresses)
            if (a.address.is_v4() == v4 && (is_by_device(uplink) || a.address.address == uplink.source.address)) {
                guessed = true;
                return fmt::format("via {} dev {}", os::address_text(likely_gateway(a)), interface.name);
            }
        return "dev " + interface.name;
    }
    // A table that this interface's default route is in already, other than main.
    [[nodiscard]] std::optional<std::uint32_t> own_table() const {
        for (const auto& g : defaults())
            if (g.table != 254) return g.table;
        return std::nullopt;
    }
    [[nodiscard]] std::vector<std::string> commands(bool& guessed) const {
        std::vector<std::string> out;
        const std::string there = way(guessed);
        if (uplink.device[0] != '\0') {
            out.push_back(fmt::format("{} route add default {} metric {}", ip(), there, metric_base + interface.index));
            return out;
        }
        const auto table = own_table();
        if (!table)
            out.push_back(fmt::format("{} route add default {} table {}", ip(), there, table_base + interface.index));
        out.push_back(fmt::format("{} rule add from {} lookup {}", ip(), os::address_text(uplink.source),
                                  table.value_or(table_base + interface.index)));
        guessed = guessed && !table;
        return out;
    }
};

std::string guess_note(bool guessed) {
    return guessed ? "; its gateway is not known here: if the one below is wrong, take the modem's own address" : "";
}

// The kernel takes a destination without a route to be on the link itself when the socket is bound to a device: true
// for modems, and nonsense for everything with neighbours.
bool is_routed(const control::Way& way, const Interface& on, const Endpoint& receiver) {
    if (way.gateway || on.is_point_to_point || on.is_loopback) return true;
    const auto& defaults = receiver.is_v4() ? on.default_v4 : on.default_v6;
    if (std::any_of(defaults.begin(), defaults.end(), [](const auto& g) { return !g.address; })) return true;
    return std::any_of(on.addresses.begin(), on.addresses.end(), [&](const auto& a) { return is_within(receiver, a); });
}

std::string name_of_index(const std::vector<Interface>& interfaces, std::uint32_t index) {
    for (const Interface& i : interfaces)
        if (i.index == index) return i.name;
    return "interface " + std::to_string(index);
}

std::size_t holders(const UplinkSpec& uplink, const std::vector<Interface>& interfaces) {
    return static_cast<std::size_t>(std::count_if(interfaces.begin(), interfaces.end(),
                                                  [&](const Interface& i) { return i.has_address(uplink.source); }));
}

// What can be said before a packet was sent. Absent: nothing is wrong so far.
std::optional<Diagnosis> diagnose_interface(const UplinkFacts& f, const std::vector<Interface>& interfaces) {
    const Interface* const on = interface_for(f.uplink, interfaces);
    const std::string device = f.uplink.device;
    if (on == nullptr && !device.empty()) {
        std::string all;
        for (const Interface& i : interfaces)
            if (!i.is_loopback) all += (all.empty() ? "" : ", ") + i.name;
        return Diagnosis{Ailment::no_interface,
                         device,
                         fmt::format("there is no interface {}; there are {}", device, all.empty() ? "none" : all),
                         {}};
    }
    if (on == nullptr && holders(f.uplink, interfaces) > 1) {
        Diagnosis d{Ailment::shared_address, "", "several interfaces have this address; say which:", {}};
        for (const Interface& i : interfaces)
            if (i.has_address(f.uplink.source))
                d.text += fmt::format(" {}%{}", os::address_text(f.uplink.source), i.name);
        return d;
    }
    if (on == nullptr) return Diagnosis{Ailment::no_address, "", "no interface has this address", {}};
    if (!on->is_up)
        return Diagnosis{Ailment::interface_down,
                         on->name,
                         fmt::format("{} is switched off, or has no carrier", on->name),
                         {fmt::format("ip link set {} up", on->name)}};
    const bool v4 = f.receiver.is_v4();
    if (is_by_device(f.uplink) && !on->has_address(v4))
        return Diagnosis{Ailment::no_address,
                         on->name,
                         fmt::format("{} has no {} address, and the receiver no other", on->name, v4 ? "IPv4" : "IPv6"),
                         {}};
    if (!is_by_device(f.uplink) && !on->has_address(f.uplink.source))
        return Diagnosis{Ailment::no_address, on->name, fmt::format("{} does not have this address", on->name), {}};
    return std::nullopt;
}

}  // namespace

std::string_view name_of(Ailment ailment) {
    switch (ailment) {
        case Ailment::none: return "ok";
        case Ailment::no_interface: return "no_interface";
        case Ailment::interface_down: return "interface_down";
        case Ailment::no_address: return "no_address";
        case Ailment::shared_address: return "shared_address";
        case Ailment::no_route: return "no_route";
        case Ailment::wrong_interface: return "wrong_interface";
        case Ailment::refused: return "refused";
        case Ailment::replies_dropped: return "replies_dropped";
        case Ailment::port_closed: return "port_closed";
        case Ailment::no_answer: return "no_answer";
    }
    return "";
}

const Interface* interface_for(const UplinkSpec& uplink, const std::vector<Interface>& interfaces) {
    const Interface* found = nullptr;
    for (const Interface& i : interfaces) {
        if (uplink.device[0] != '\0' ? i.name != uplink.device : !i.has_address(uplink.source)) continue;
        if (found != nullptr) return nullptr;
        found = &i;
    }
    return found;
}

Diagnosis diagnose(const UplinkFacts& f, const std::vector<Interface>& interfaces) {
    if (auto d = diagnose_interface(f, interfaces)) return *std::move(d);
    const Interface& on = *interface_for(f.uplink, interfaces);
    const Mend mend{on, f.uplink, f.receiver.is_v4()};
    bool guessed = false;
    if (f.way && (!*f.way || !is_routed(f.way->value(), on, f.receiver))) {
        auto commands = mend.commands(guessed);
        return {
            Ailment::no_route, on.name,
            fmt::format("no route leads from {} to {}{}", on.name, os::address_text(f.receiver), guess_note(guessed)),
            std::move(commands)};
    }
    // What was seen goes before what was said.
    const bool was_seen = f.can_see && !f.egress.interfaces.empty();
    const std::uint32_t left_by = was_seen ? f.egress.interfaces.front() : f.way ? f.way->value().interface : on.index;
    if (left_by != on.index) {
        auto commands = mend.commands(guessed);
        return {Ailment::wrong_interface, on.name,
                fmt::format("its packets leave by {}, not by {}{}", name_of_index(interfaces, left_by), on.name,
                            guess_note(guessed)),
                std::move(commands)};
    }
    const std::string leaves = fmt::format("leaves by {}{}", on.name, was_seen ? "" : " (by the kernel's word)");
    if (f.egress.refused)
        return {
            Ailment::refused, on.name, fmt::format("the kernel refuses: {}", os::errno_text(*f.egress.refused)), {}};
    if (f.egress.round_trip)
        return {
            Ailment::none,
            on.name,
            fmt::format("{}, answered after {:.1f} ms", leaves, static_cast<double>(f.egress.round_trip->us()) / 1e3),
            {}};
    if (f.egress.port_closed)
        return {Ailment::port_closed,
                on.name,
                fmt::format("{} and reaches the host, where nothing listens on UDP port {}", leaves, f.receiver.port),
                {}};
    if (f.filters_strictly)
        return {Ailment::replies_dropped,
                on.name,
                fmt::format("{}; what comes back may be dropped, since {} filters by the way back (rp_filter)", leaves,
                            on.name),
                {fmt::format("sysctl -w net.ipv4.conf.{}.rp_filter=2", on.name)}};
    return {
        Ailment::no_answer,
        on.name,
        fmt::format("{}, and nothing came back: is the receiver running there, and does the network let UDP port {} "
                    "pass?",
                    leaves, f.receiver.port),
        {}};
}

}  // namespace hawser::app
