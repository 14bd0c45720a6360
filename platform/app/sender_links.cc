// SPDX-License-Identifier: MIT
#include "platform/app/sender_links.h"

#include <algorithm>
#include <utility>

#include "platform/linux/clock.h"
#include "platform/linux/errno_text.h"
#include "platform/linux/sockaddr.h"

namespace hawser::app {

using control::LinkPlan;

void SenderLinks::follow(control::Loop& loop) {
    timer_.emplace();
    loop.watch(timer_->fd(), [this] {
        timer_->acknowledge();
        update();
    });
    const auto begun = watch_.begin(loop, [this](const std::vector<control::Interface>& interfaces) {
        plan_.see(interfaces);
        update();
    });
    if (!begun)
        log(Level::warn,
            "the kernel does not tell of its interfaces ({}): until it does, uplinks come and go by their errors alone",
            os::errno_text(begun.error()));
}

void SenderLinks::want(const std::vector<UplinkSpec>& uplinks, const control::AutomaticUplinks& automatic) {
    has_list_ = true;
    plan_.want(uplinks, automatic);
    update();
}

void SenderLinks::set_receiver(const Resolved& resolved) {
    resolved_ = resolved;
    control::Reach reach;
    for (std::uint32_t i = 0; i < resolved.count; ++i) (resolved.addresses[i].is_v4() ? reach.v4 : reach.v6) = true;
    plan_.reach(reach);
    Command c;
    c.kind = CommandKind::set_receiver;
    c.resolved = resolved;
    send_(c);
    update();
}

void SenderLinks::opened(LinkId link, const Endpoint& local) {
    plan_.opened(link, local);
    // The address may have gone between the two.
    update();
}

void SenderLinks::connected(LinkId link, bool is_connected) {
    plan_.connected(link, is_connected);
    // One that is held back may be the only one now.
    if (!is_connected) update();
}

void SenderLinks::all_lost() {
    for (std::size_t i = 0; i < links_max; ++i) plan_.connected(LinkId(static_cast<std::uint8_t>(i)), false);
    update();
}

void SenderLinks::update() {
    if (!has_list_) return;
    for (const LinkPlan::Step& step : plan_.steps(os::now())) take(step);
    apply_limits();
    if (timer_) timer_->set(plan_.next_deadline());
    name_unreachable();
    if (plan_.left_out() > left_out_)
        log(Level::warn, "{} uplinks wait for a place: {} is the most", plan_.left_out(), links_max);
    left_out_ = plan_.left_out();
}

void SenderLinks::take(const LinkPlan::Step& step) {
    const std::size_t place = step.link.index();
    Command c;
    c.link = step.link;
    c.uplink = step.uplink;
    const auto tell = [&](Level level, const char* kind, std::string text) {
        tell_({level,
               kind,
               step.link,
               names_[place],
               std::move(text),
               {},
               step.kind == LinkPlan::StepKind::add || step.kind == LinkPlan::StepKind::renew});
    };
    switch (step.kind) {
        case LinkPlan::StepKind::add:
            names_[place] = plan_.name(step.link);
            is_named_[place] = is_gone_[place] = false;
            tell(Level::info, "uplink_added", "Added connection via " + names_[place]);
            c.kind = CommandKind::add_uplink;
            limits_.begin(step.link, step.uplink);
            break;
        case LinkPlan::StepKind::remove:
            tell_({Level::info, "uplink_removed", step.link, names_[place],
                   "Removed connection via " + names_[place] + (step.text.empty() ? "" : ": it " + step.text),
                   UplinkState::absent, false});
            c.kind = CommandKind::remove_uplink;
            told_[place].reset();
            limits_.end(step.link);
            break;
        case LinkPlan::StepKind::set:
            tell(Level::info, "uplink_set", "uplink " + names_[place] + " " + step.text);
            c.kind = CommandKind::set_uplink;
            break;
        case LinkPlan::StepKind::suspend:
            is_gone_[place] = true;
            tell_({Level::warn, "uplink_gone", step.link, names_[place], "uplink " + names_[place] + ": " + step.text,
                   UplinkState::closed, false});
            c.kind = CommandKind::suspend_uplink;
            break;
        case LinkPlan::StepKind::renew:
            tell(Level::info, std::exchange(is_gone_[place], false) ? "uplink_back" : "uplink_renewed",
                 "uplink " + names_[place] + " " + step.text);
            c.kind = CommandKind::renew_uplink;
            break;
        case LinkPlan::StepKind::rename:
            tell(Level::info, "uplink_renamed", "uplink " + names_[place] + " " + step.text);
            names_[place] = plan_.name(step.link);
            limits_.rename(step.link, step.uplink);
            return;
        case LinkPlan::StepKind::note: {
            const bool is_held = plan_.place(step.link) == LinkPlan::Place::flapping;
            tell_({Level::warn,
                   is_held ? "uplink_held_back" : "uplink_waits",
                   step.link,
                   plan_.name(step.link),
                   "uplink " + plan_.name(step.link) + " " + step.text,
                   {},
                   false});
            return;
        }
    }
    const bool has_settings =
        c.kind == CommandKind::add_uplink || c.kind == CommandKind::set_uplink || c.kind == CommandKind::renew_uplink;
    if (has_settings) told_[place] = c.uplink.settings = settings_of(step.link, step.uplink);
    send_(c);
}

std::optional<control::LinkWords> SenderLinks::words_of(const std::string& name) const {
    for (std::size_t i = 0; i < links_max; ++i) {
        const LinkId link(static_cast<std::uint8_t>(i));
        if (plan_.place(link) != LinkPlan::Place::empty && plan_.name(link) == name) return words_of(link);
    }
    return std::nullopt;
}

std::vector<control::LookupWay> SenderLinks::lookup_ways(const std::vector<UplinkSpec>& uplinks,
                                                         const control::AutomaticUplinks& automatic) const {
    LinkPlan plan = plan_;
    plan.want(uplinks, automatic);
    // A server may be of a family that the receiver is not.
    plan.reach({});
    static_cast<void>(plan.steps(os::now()));
    return control::lookup_ways(plan, [this](const control::LinkWords& words) { return limits_.policy_of(words).dns; });
}

UplinkSettings SenderLinks::settings_of(LinkId link, const UplinkSpec& uplink) {
    return limits_.settings_of(link, words_of(link), uplink.settings);
}

void SenderLinks::apply_limits() {
    for (std::size_t i = 0; i < links_max; ++i) {
        const LinkId link(static_cast<std::uint8_t>(i));
        if (!told_[i]) continue;
        const UplinkSettings settings = settings_of(link, plan_.uplink(link));
        if (settings == *told_[i]) continue;
        told_[i] = settings;
        Command c;
        c.kind = CommandKind::set_uplink;
        c.link = link;
        c.uplink = plan_.uplink(link);
        c.uplink.settings = settings;
        send_(c);
    }
}

bool SenderLinks::is_automatic(const std::string& name) const {
    for (std::size_t i = 0; i < links_max; ++i) {
        const LinkId link(static_cast<std::uint8_t>(i));
        if (plan_.place(link) != LinkPlan::Place::empty && plan_.name(link) == name) return plan_.is_automatic(link);
    }
    return false;
}

std::size_t SenderLinks::count() const {
    std::size_t count = 0;
    for (std::size_t i = 0; i < links_max; ++i)
        if (plan_.place(LinkId(static_cast<std::uint8_t>(i))) != LinkPlan::Place::empty) ++count;
    return count;
}

std::size_t SenderLinks::waiting_outside() const {
    std::size_t count = 0;
    for (std::size_t i = 0; i < links_max; ++i)
        if (plan_.place(LinkId(static_cast<std::uint8_t>(i))) != LinkPlan::Place::empty && !told_[i]) ++count;
    return count;
}

// An uplink of a family that the receiver has no address of waits for one: said once, until there is one.
void SenderLinks::name_unreachable() {
    if (resolved_.count == 0) return;
    const auto end = resolved_.addresses.begin() + resolved_.count;
    for (std::size_t i = 0; i < links_max; ++i) {
        const LinkId link(static_cast<std::uint8_t>(i));
        const UplinkSpec& uplink = plan_.uplink(link);
        if (plan_.place(link) != LinkPlan::Place::there || uplink.source.is_any()) {
            is_named_[i] = false;
            continue;
        }
        const bool is_v4 = uplink.source.is_v4();
        const bool is_reachable =
            std::any_of(resolved_.addresses.begin(), end, [&](const Endpoint& e) { return e.is_v4() == is_v4; });
        if (!is_reachable && !is_named_[i])
            log(Level::warn, "uplink {}: {} has no {} address, so it waits", names_[i], receiver_,
                is_v4 ? "IPv4" : "IPv6");
        is_named_[i] = !is_reachable;
    }
}

std::vector<WaitingUplink> SenderLinks::waiting() const {
    std::vector<WaitingUplink> out;
    for (std::size_t i = 0; i < links_max; ++i) {
        const LinkId link(static_cast<std::uint8_t>(i));
        const LinkPlan::Place place = plan_.place(link);
        if (place != LinkPlan::Place::empty && place != LinkPlan::Place::there)
            out.push_back({plan_.name(link), name_of(place)});
    }
    return out;
}

}  // namespace hawser::app
