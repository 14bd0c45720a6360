// SPDX-License-Identifier: MIT
// The control thread's care for a sender's uplinks: what the operator wants, what the machine has, and what the pump is
// therefore told to add, remove, suspend or renew, at once when the kernel says that something changed. Tells each
// step. Control thread only.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/border/command.h"
#include "platform/app/link_limits.h"
#include "platform/app/log.h"
#include "platform/app/sender_figures.h"
#include "platform/control/links/link_lookup.h"
#include "platform/control/links/link_plan.h"
#include "platform/control/links/link_watch.h"
#include "platform/control/uplink_list.h"

namespace hawser::app {

// What became of an uplink by its interface's or the operator's doing.
struct LinkNews {
    Level level;
    const char* kind;  // as events are named: "uplink_gone"
    LinkId link;
    std::string name;
    std::string text;                  // the log's line
    std::optional<UplinkState> state;  // that it leaves the uplink in; absent: the pump tells
    bool brings_way;                   // something can be sent by it from now on
};

class SenderLinks {
public:
    // `tell` says them in the log and to who listens. `receiver`: its name, for the log. `limits` outlives it.
    SenderLinks(std::function<void(const Command&)> send, std::function<void(const LinkNews&)> tell,
                std::string receiver, LinkLimits& limits)
        : send_(std::move(send)), tell_(std::move(tell)), receiver_(std::move(receiver)), limits_(limits) {}

    // Follows the machine's interfaces on that loop. Where the kernel refuses to tell, which is said once, uplinks come
    // and go by their errors alone.
    void follow(control::Loop& loop);
    // The operator's list; from the first one on the pump hears of uplinks.
    void want(const std::vector<UplinkSpec>& uplinks, const control::AutomaticUplinks& automatic);
    void set_receiver(const Resolved& resolved);
    [[nodiscard]] bool knows_receiver() const { return resolved_.count != 0; }
    // The pump opened a link.
    void opened(LinkId link, const Endpoint& local);
    // The receiver answers on it, or does so no more.
    void connected(LinkId link, bool is_connected);
    // Not on any link.
    void all_lost();

    // The limits may be others now: the pump is told of those that are.
    void apply_limits();
    // How an uplink that is wanted is called; absent: there is none of that name.
    [[nodiscard]] std::optional<control::LinkWords> words_of(const std::string& name) const;
    // One that `auto` has found.
    [[nodiscard]] bool is_automatic(const std::string& name) const;
    [[nodiscard]] std::string lasting_pattern(const std::string& interface) const {
        return plan_.lasting_pattern(interface);
    }
    // Uplinks that have a place.
    [[nodiscard]] std::size_t count() const;
    // By which of these uplinks, as the machine is now, names can be asked: before the first want() too.
    [[nodiscard]] std::vector<control::LookupWay> lookup_ways(const std::vector<UplinkSpec>& uplinks,
                                                              const control::AutomaticUplinks& automatic) const;
    // Uplinks that are wanted and that the pump has not heard of.
    [[nodiscard]] std::size_t waiting_outside() const;

    // By link slot, as the operator wrote them or as the interface is called; kept after removal, for what is told
    // of it then.
    [[nodiscard]] const std::array<std::string, links_max>& names() const { return names_; }
    [[nodiscard]] std::vector<WaitingUplink> waiting() const;

private:
    void update();
    void take(const control::LinkPlan::Step& step);
    void name_unreachable();
    [[nodiscard]] control::LinkWords words_of(LinkId link) const { return control::words_of(plan_, link); }
    [[nodiscard]] UplinkSettings settings_of(LinkId link, const UplinkSpec& uplink);

    std::function<void(const Command&)> send_;
    std::function<void(const LinkNews&)> tell_;
    std::string receiver_;
    LinkLimits& limits_;
    std::array<std::optional<UplinkSettings>, links_max> told_;  // what the pump has; absent: not this uplink
    control::LinkPlan plan_;
    control::LinkWatch watch_;
    std::optional<control::Timer> timer_;
    Resolved resolved_;
    std::array<std::string, links_max> names_;
    std::array<bool, links_max> is_gone_{};   // the pump was told to suspend it
    std::array<bool, links_max> is_named_{};  // as an uplink whose family the receiver has no address of
    std::size_t left_out_ = 0;
    bool has_list_ = false;
};

}  // namespace hawser::app
