// SPDX-License-Identifier: MIT
// What SenderControl does when its control socket is asked or told something.
#include <algorithm>
#include <utility>

#include "platform/app/sender_control.h"

namespace hawser::app {

const SenderSnapshot& SenderControl::figures() {
    refresh();
    return snapshot();
}

void SenderControl::select(const select::Settings& settings) {
    request_.selection = settings;
    Command c;
    c.kind = CommandKind::set_selection;
    c.selection = settings;
    send(c);
}

void SenderControl::set_silence(Duration span) {
    request_.bond.link_silence = span;
    Command c;
    c.kind = CommandKind::set_silence;
    c.span = span;
    send(c);
}

Result<std::string, std::string> SenderControl::add_link(const std::string& entry) {
    std::string complaint;
    // What a reload would refuse is refused now.
    const auto forms = request_.compat ? control::UplinkForms::addresses : control::UplinkForms::all;
    control::UplinkList list = list_;
    list.complaints.clear();
    const control::Added added = control::add_uplink(list, entry, forms, complaint);
    if (added == control::Added::known) return Failure{entry + " is an uplink already"};
    if (added == control::Added::no || !complaint.empty()) return Failure{complaint};
    const bool is_auto = list.uplinks.size() == list_.uplinks.size();
    const std::string name = is_auto ? "auto" : control::uplink_text(list.uplinks.back());
    added_.push_back(entry);
    list_ = std::move(list);
    if (has_answer()) apply(list_);
    return name;
}

void SenderControl::shun(const std::string& interface) {
    const std::string pattern = links_.lasting_pattern(interface);
    if (std::find(shunned_.begin(), shunned_.end(), pattern) == shunned_.end()) shunned_.push_back(pattern);
}

// `auto` itself, one that it found, or one of the list.
Result<Unit, std::string> SenderControl::remove_link(const std::string& name) {
    const auto is_it = [&](const UplinkSpec& u) { return control::uplink_text(u) == name; };
    const auto found = std::find_if(list_.uplinks.begin(), list_.uplinks.end(), is_it);
    const bool is_all = name == "auto" && list_.automatic;
    const bool is_automatic = found == list_.uplinks.end() && links_.is_automatic(name);
    if (found == list_.uplinks.end() && !is_all && !is_automatic) return Failure{"there is no uplink " + name};
    const bool leaves_some = is_all            ? !list_.uplinks.empty()
                             : list_.automatic ? links_.count() > 1 || !has_answer()
                                               : list_.uplinks.size() > 1;
    if (!leaves_some) return Failure{name + " is the last uplink: it stays"};
    const auto names_it = [&](const std::string& entry) {
        std::string complaint;
        const auto spec = control::parse_uplink(entry, control::UplinkForms::all, complaint);
        return is_all ? entry == name : spec && is_it(*spec);
    };
    added_.erase(std::remove_if(added_.begin(), added_.end(), names_it), added_.end());
    list_.complaints.clear();
    if (is_all) {
        list_.automatic = false;
        shunned_.clear();
    } else if (is_automatic) {
        shun(name);
    } else {
        // What was removed by its address is not to come back by its interface, without what was said of it.
        const auto words = links_.words_of(name);
        const std::string interface = words && !words->interface.empty() ? words->interface : found->device;
        if (!interface.empty()) shun(interface);
        list_.uplinks.erase(found);
    }
    if (has_answer()) apply(list_);
    return Unit{};
}

}  // namespace hawser::app
