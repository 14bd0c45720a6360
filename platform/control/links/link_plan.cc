// SPDX-License-Identifier: MIT
#include "platform/control/links/link_plan.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>
#include <utility>

#include "platform/control/interface_patterns.h"
#include "platform/control/uplink_list.h"
#include "platform/linux/sockaddr.h"

namespace hawser::control {

namespace {

std::string seconds_text(Duration d) { return std::to_string((d.ns + 999'999'999) / 1'000'000'000) + " s"; }

constexpr std::string_view loss_text(LinkPlan::Place place) {
    switch (place) {
        case LinkPlan::Place::missing: return "its interface is gone, or has no carrier";
        case LinkPlan::Place::no_address: return "its address is gone";
        case LinkPlan::Place::no_route: return "its interface has no default route any more";
        case LinkPlan::Place::empty:
        case LinkPlan::Place::there:
        case LinkPlan::Place::flapping: break;
    }
    return "";
}

}  // namespace

std::string_view name_of(LinkPlan::Place place) {
    switch (place) {
        case LinkPlan::Place::empty: return "";
        case LinkPlan::Place::there: return "there";
        case LinkPlan::Place::missing: return "missing";
        case LinkPlan::Place::no_address: return "no address";
        case LinkPlan::Place::no_route: return "no default route";
        case LinkPlan::Place::flapping: return "flapping";
    }
    return "";
}

LinkWords words_of(const LinkPlan& plan, LinkId link) {
    const UplinkSpec& uplink = plan.uplink(link);
    const std::string& on = plan.interface_of(link);
    return {plan.name(link), on.empty() ? std::string(uplink.device) : on,
            uplink.source.is_any() ? std::string() : os::address_text(uplink.source)};
}

void LinkPlan::want(const std::vector<UplinkSpec>& uplinks, const AutomaticUplinks& automatic) {
    uplinks_ = uplinks;
    automatic_ = automatic;
}

void LinkPlan::see(const std::vector<Interface>& interfaces) {
    interfaces_ = interfaces;
    sees_ = true;
}

void LinkPlan::reach(Reach reach) { reach_ = reach; }

void LinkPlan::opened(LinkId link, const Endpoint& local) { rows_[link.index()].local = local; }

void LinkPlan::connected(LinkId link, bool is_connected) { rows_[link.index()].connected = is_connected; }

// ---- What the machine has for an uplink. --------------------------------------------------------------------------

// Packets of that family may leave by it: it has an address, the receiver has one too, and a default route leads out.
// One that has no default route of either family is taken at its word: there may be a route to the receiver alone.
bool LinkPlan::uses(const Interface& i, bool v4) const {
    const bool known = reach_.v4 || reach_.v6;
    if (!i.has_address(v4) || (known && !(v4 ? reach_.v4 : reach_.v6))) return false;
    return !(v4 ? i.default_v4 : i.default_v6).empty() || (i.default_v4.empty() && i.default_v6.empty());
}

// With both families the receiver's first address decides.
Endpoint LinkPlan::source_on(const Interface& i) const {
    return uses(i, true) && !uses(i, false) ? Endpoint::from_v4(0, 0) : Endpoint{};
}

// Its socket is of a family that leads nowhere now, and the other does.
bool LinkPlan::has_lost_family(const Row& row, const Interface& on) const {
    const bool is_known = row.local && !row.local->is_any();
    if (!is_known && !row.uplink.source.is_v4()) return false;  // either
    const bool v4 = is_known ? row.local->is_v4() : true;
    // A group in use stays at the receiver's old address, and the pump with its family: once for each state is enough.
    return !uses(on, v4) && uses(on, !v4) && row.family_for != Families{uses(on, true), uses(on, false)};
}

bool LinkPlan::is_automatic(const Interface& i) const {
    return !i.is_loopback && i.name.size() < device_name_bytes && may_be_automatic(automatic_, i.name, i.mac);
}

LinkPlan::Sight LinkPlan::look(const Row& row) const {
    if (!sees_) return {Place::there, nullptr};
    const auto named = [&](const Interface& i) { return i.name == row.uplink.device; };
    const auto has = [&](const Interface& i) { return i.has_address(row.uplink.source); };
    if (row.uplink.device[0] != '\0') {
        const auto i = std::find_if(interfaces_.begin(), interfaces_.end(), named);
        if (i == interfaces_.end() || !i->is_up) return {Place::missing, nullptr};
        if (is_by_device(row.uplink) ? !uses(*i, true) && !uses(*i, false) : !has(*i))
            return {Place::no_address, nullptr};
        if (row.automatic && i->default_v4.empty() && i->default_v6.empty()) return {Place::no_route, nullptr};
        return {Place::there, &*i};
    }
    const Interface* found = nullptr;
    for (const Interface& i : interfaces_)
        if (has(i) && (found == nullptr || (i.is_up && !found->is_up))) found = &i;
    if (found == nullptr) return {Place::no_address, nullptr};
    return found->is_up ? Sight{Place::there, found} : Sight{Place::missing, nullptr};
}

// ---- Places. ------------------------------------------------------------------------------------------------------

const UplinkSpec* LinkPlan::wish_for(const Row& row) const {
    const auto found =
        std::find_if(uplinks_.begin(), uplinks_.end(), [&](const UplinkSpec& u) { return same_uplink(u, row.uplink); });
    return found != uplinks_.end() ? &*found : nullptr;
}

bool LinkPlan::is_wanted(const Row& row) const {
    if (wish_for(row) != nullptr) return true;
    if (!row.automatic || !automatic_.wanted) return false;
    return may_be_automatic(automatic_, row.name, mac_of(row.name));
}

bool LinkPlan::is_known(const UplinkSpec& uplink) const {
    return std::any_of(rows_.begin(), rows_.end(),
                       [&](const Row& row) { return row.place != Place::empty && same_uplink(row.uplink, uplink); });
}

// Of the interface that is called so now, or was last.
std::string LinkPlan::mac_of(const std::string& interface) const {
    std::string mac;
    for (const Row& r : rows_)
        if (r.place != Place::empty && r.interface == interface) mac = r.mac;
    for (const Interface& i : interfaces_)
        if (i.name == interface) mac = i.mac;
    return mac;
}

std::string LinkPlan::lasting_pattern(const std::string& interface) const {
    const std::string mac = mac_of(interface);
    const auto is_another = [&](const Interface& i) { return i.mac == mac && i.name != interface; };
    const auto is_another_row = [&](const Row& r) {
        return r.place != Place::empty && r.mac == mac && r.interface != interface;
    };
    const bool is_shared = std::any_of(interfaces_.begin(), interfaces_.end(), is_another) ||
                           std::any_of(rows_.begin(), rows_.end(), is_another_row);
    return pattern_of(mac.empty() || is_shared ? interface : mac);
}

// The operator's own word for it, by its name or by an address that it has now.
bool LinkPlan::is_spoken_for(const Interface& i) const {
    return std::any_of(rows_.begin(), rows_.end(), [&](const Row& r) {
        return r.place != Place::empty && !r.automatic && (r.uplink.device == i.name || look(r).on == &i);
    });
}

// Taken off the list, and wanted all the same since every interface is.
bool LinkPlan::becomes_automatic(const Row& row) const {
    return automatic_.wanted && !row.automatic && is_by_device(row.uplink) &&
           may_be_automatic(automatic_, row.uplink.device, mac_of(row.uplink.device));
}

// False when all places are taken by others that are wanted. An automatic one whose interface is away gives way.
bool LinkPlan::take_place(const UplinkSpec& uplink, const std::string& name, bool automatic, std::vector<Step>& out) {
    auto row = std::find_if(rows_.begin(), rows_.end(), [](const Row& r) { return r.place == Place::empty; });
    if (row == rows_.end()) {
        row = std::find_if(rows_.begin(), rows_.end(), [](const Row& r) {
            return r.automatic && r.place != Place::there && r.place != Place::flapping;
        });
        if (row == rows_.end()) return false;
        remove(*row, "gives its place to " + name, out);
    }
    *row = Row{};
    row->place = Place::missing;
    row->automatic = automatic;
    row->name = name;
    row->uplink = uplink;
    return true;
}

void LinkPlan::remove(Row& row, std::string text, std::vector<Step>& out) {
    if (row.added) out.push_back({StepKind::remove, id(row), {}, std::move(text)});
    row.added = false;
    row.place = Place::empty;
}

// ---- Coming and going. --------------------------------------------------------------------------------------------

std::int64_t LinkPlan::penalty(const Row& row, Instant now) const {
    const double halvings = static_cast<double>((now - row.flapped_at).ns) / static_cast<double>(flap_half_life.ns);
    return std::llround(static_cast<double>(row.flaps) * std::exp2(-halvings));
}

Instant LinkPlan::release(const Row& row) const {
    if (row.flaps <= flap_release) return row.flapped_at;
    const double halvings = std::log2(static_cast<double>(row.flaps) / static_cast<double>(flap_release));
    return row.flapped_at + Duration{std::llround(halvings * static_cast<double>(flap_half_life.ns)) + 1'000'000};
}

bool LinkPlan::any_other_connected(const Row& row) const {
    return std::any_of(rows_.begin(), rows_.end(), [&](const Row& other) {
        return &other != &row && other.place == Place::there && other.connected;
    });
}

void LinkPlan::come(Row& row, const Interface* on, Instant now, std::vector<Step>& out) {
    const bool by_device = is_by_device(row.uplink);
    const bool is_same = on == nullptr || !row.was_there || row.index == on->index;
    const bool has_moved = row.local && !row.local->is_any() && on != nullptr && !on->has_address(*row.local);
    const bool is_routed = on != nullptr && !(on->default_v4.empty() && on->default_v6.empty());
    Step step{StepKind::note, id(row), row.uplink, {}};
    if (!row.added) {
        step.kind = StepKind::add;
    } else if (row.held) {
        // While it was held back, or once it has just come back after too many times.
        const bool flaps = row.place == Place::flapping ? now < release(row) : penalty(row, now) > flap_limit;
        if (flaps && any_other_connected(row)) {
            if (row.place != Place::flapping)
                out.push_back(
                    {StepKind::note,
                     id(row),
                     {},
                     "comes and goes: held back until it has been quiet for " + seconds_text(release(row) - now)});
            row.place = Place::flapping;
            return;
        }
        step.kind = StepKind::renew;
        step.text = "is back";
    } else if (row.is_renamed) {
        // Its socket may still serve; one that is opened later has to go by the new name.
        step.kind = StepKind::renew;
        step.text = "has another name";
    } else if ((!is_same && row.uplink.device[0] != '\0') || (by_device && has_moved)) {
        step.kind = StepKind::renew;
        step.text = is_same ? "has another address" : "its interface was replaced";
    } else if (by_device && is_routed && !row.was_routed) {
        // It was opened without a way out, and would try again in a second at the earliest.
        step.kind = StepKind::renew;
        step.text = "has a default route now";
    } else if (by_device && on != nullptr && has_lost_family(row, *on)) {
        step.kind = StepKind::renew;
        step.text = "goes by the other address family now";
        row.family_for = Families{uses(*on, true), uses(*on, false)};
    }
    row.place = Place::there;
    if (on != nullptr) {
        row.was_there = true;
        row.interface = on->name;
        row.mac = on->mac;
        row.index = on->index;
    }
    if (step.kind == StepKind::note) return;
    if (by_device && on != nullptr) row.uplink.source = source_on(*on);
    row.was_routed = is_routed;
    step.uplink = row.uplink;
    row.added = true;
    row.held = row.is_renamed = false;
    row.connected = false;
    row.local.reset();
    out.push_back(std::move(step));
}

void LinkPlan::go(Row& row, Place place, Instant now, std::vector<Step>& out) {
    // Gone again while it was held back: that counts too.
    const bool is_loss = (row.added && !row.held && row.was_there) || row.place == Place::flapping;
    row.place = place;
    if (is_loss) {
        row.flaps = std::min(penalty(row, now) + flap_cost, flap_max);
        row.flapped_at = now;
    }
    if (!row.added && !is_by_device(row.uplink)) {
        row.added = true;
        out.push_back({StepKind::add, id(row), row.uplink, {}});
    } else if (!row.added && !row.automatic && !std::exchange(row.is_told, true)) {
        out.push_back({StepKind::note,
                       id(row),
                       {},
                       place == Place::missing ? "waits: there is no such interface, or it is off"
                                               : "waits: its interface has no address"});
    } else if (is_loss && !row.held) {
        row.held = true;
        row.connected = false;
        out.push_back({StepKind::suspend, id(row), {}, std::string(loss_text(place))});
    }
}

// What the operator's list has, is another now, or has no more.
void LinkPlan::settle_wishes(std::vector<Step>& out) {
    for (Row& row : rows_) {
        if (row.place == Place::empty) continue;
        const UplinkSpec* const wish = wish_for(row);
        if (wish == nullptr && becomes_automatic(row)) {
            row.automatic = true;
            row.name = row.uplink.device;
        }
        if (wish != nullptr) row.automatic = false;
        if (!is_wanted(row)) {
            remove(row, {}, out);
            continue;
        }
        const UplinkSettings settings = wish != nullptr ? wish->settings : UplinkSettings{};
        if (row.uplink.settings == settings) continue;
        row.uplink.settings = settings;
        if (row.added)
            out.push_back(
                {StepKind::set, id(row), row.uplink, settings.metered ? "is metered now" : "is not metered now"});
    }
    for (const UplinkSpec& u : uplinks_)
        if (!is_known(u) && !take_place(u, uplink_text(u), false, out)) ++left_out_;
}

// Where the modem of an automatic uplink is now, if not where it was: the one interface with its MAC address, once it
// leads out. Twins that have one address are told apart by their names alone.
const Interface* LinkPlan::moved_to(const Row& row) const {
    if (row.place == Place::empty || !row.automatic || row.mac.empty()) return nullptr;
    const auto has_mac = [&](const auto& one) { return one.mac == row.mac; };
    const auto is_twin = [&](const Row& r) { return &r != &row && r.place != Place::empty && has_mac(r); };
    const auto found = std::find_if(interfaces_.begin(), interfaces_.end(), has_mac);
    if (found == interfaces_.end() || found->name == row.uplink.device) return nullptr;
    if (std::any_of(std::next(found), interfaces_.end(), has_mac) || std::any_of(rows_.begin(), rows_.end(), is_twin))
        return nullptr;
    const bool leads_out = found->is_up && !(found->default_v4.empty() && found->default_v6.empty());
    return leads_out && is_automatic(*found) && !is_spoken_for(*found) ? &*found : nullptr;
}

void LinkPlan::follow_modems(std::vector<Step>& out) {
    if (!automatic_.wanted) return;
    for (Row& row : rows_) {
        const Interface* const there = moved_to(row);
        if (there == nullptr) continue;
        // The uplink that had the name: its modem is elsewhere too, or away.
        const auto former = std::find_if(rows_.begin(), rows_.end(), [&](const Row& r) {
            return r.place != Place::empty && r.automatic && r.uplink.device == there->name;
        });
        const std::string name = row.name;
        rename(row, there->name, out);
        if (former != rows_.end()) rename(*former, name, out);
    }
}

void LinkPlan::rename(Row& row, const std::string& name, std::vector<Step>& out) {
    row.name = name;
    std::memset(row.uplink.device, 0, sizeof row.uplink.device);
    std::memcpy(row.uplink.device, name.data(), name.size());
    if (!row.added) return;  // nobody has heard of it
    row.is_renamed = true;
    out.push_back({StepKind::rename, id(row), row.uplink, "is called " + name + " now"});
}

void LinkPlan::settle_automatic(std::vector<Step>& out) {
    for (const Interface& i : interfaces_) {
        const auto own = std::find_if(rows_.begin(), rows_.end(), [&](const Row& r) {
            return r.place != Place::empty && r.automatic && r.uplink.device == i.name;
        });
        if (is_spoken_for(i)) {
            if (own != rows_.end()) remove(*own, "is an uplink of the list now", out);
            continue;
        }
        if (own != rows_.end() || !is_automatic(i) || !i.is_up || (i.default_v4.empty() && i.default_v6.empty()))
            continue;
        UplinkSpec uplink;
        std::memcpy(uplink.device, i.name.data(), i.name.size());
        if (!take_place(uplink, i.name, true, out)) ++left_out_;
    }
}

std::vector<LinkPlan::Step> LinkPlan::steps(Instant now) {
    std::vector<Step> out;
    left_out_ = 0;
    settle_wishes(out);
    follow_modems(out);
    // What is gone first: the last of the others that is there may then be one that comes back.
    for (Row& row : rows_)
        if (row.place != Place::empty)
            if (const Sight sight = look(row); sight.place != Place::there) go(row, sight.place, now, out);
    if (automatic_.wanted) settle_automatic(out);
    for (Row& row : rows_)
        if (row.place != Place::empty)
            if (const Sight sight = look(row); sight.place == Place::there) come(row, sight.on, now, out);
    return out;
}

Instant LinkPlan::next_deadline() const {
    Instant due = never;
    for (const Row& row : rows_)
        if (row.place == Place::flapping) due = std::min(due, release(row));
    return due;
}

}  // namespace hawser::control
