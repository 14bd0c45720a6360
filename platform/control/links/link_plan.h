// SPDX-License-Identifier: MIT
// Which uplinks there should be now: what the operator wants, held against the interfaces that the machine has. Pure:
// the list, the interfaces, what the pump opened and the time go in; steps for the pump come out.
//
// Laws, which tests/unit/control/link_plan_test.cc quotes:
//  - An uplink keeps its place (LinkId), and with it its history, for as long as it is wanted: through the loss of its
//    interface, another index, another address.
//  - What vanishes is suspended at once. What comes back is renewed at once, unless it flaps: then when it has been
//    quiet for a while, or when no other uplink is connected.
//  - An automatic uplink follows its modem: one that comes back under another name, by its MAC address where no other
//    interface has the same, keeps its place and is renamed.
//  - An interface has one uplink by its name: the operator's goes before the automatic one, and either becomes the
//    other when the list says so. It has none of its own where an address of it is an uplink of the list.
//  - An interface that was never there is waited for, which is told once. An address that was never there is left to
//    the pump, which tries it each second: the kernel may be set to let it be used all the same.
// Control thread only.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/strong.h"
#include "engine/base/time.h"
#include "engine/border/command.h"
#include "platform/control/links/interface_table.h"
#include "platform/control/links/link_policy.h"
#include "platform/control/uplink_list.h"

namespace hawser::control {

// Where the receiver can be reached; neither: not known yet, and either will do.
struct Reach {
    bool v4 = false;
    bool v6 = false;
};

class LinkPlan {
public:
    enum class Place : std::uint8_t {
        empty,
        there,    // the pump has it, or tries
        missing,  // no such interface, or it is switched off or without a carrier
        no_address,
        no_route,  // automatic only: an interface without a default route
        flapping,  // there, and held back
    };
    enum class StepKind : std::uint8_t { add, remove, set, suspend, renew, rename, note };
    struct Step {
        StepKind kind = StepKind::note;  // rename, note: nothing for the pump
        LinkId link = no_link;
        UplinkSpec uplink;  // of add, set, renew and rename
        std::string text;   // what happened, for the log: "its interface is gone"
    };

    // The operator's list, and again when it changes.
    void want(const std::vector<UplinkSpec>& uplinks, const AutomaticUplinks& automatic);
    void see(const std::vector<Interface>& interfaces);
    void reach(Reach reach);
    // The pump opened a link: its local address, which is gone when the interface has it no more.
    void opened(LinkId link, const Endpoint& local);
    // The receiver answers on it, or does so no more.
    void connected(LinkId link, bool is_connected);

    // What is to be done now, in order. Uplinks beyond links_max wait for a place; `left_out` counts them.
    [[nodiscard]] std::vector<Step> steps(Instant now);
    // When steps() may have something to do although nothing was said: a link that has been quiet long enough.
    [[nodiscard]] Instant next_deadline() const;

    [[nodiscard]] Place place(LinkId link) const { return rows_[link.index()].place; }
    // As the operator wrote it, or the interface's; kept when the uplink is gone, until its place is given away.
    [[nodiscard]] const std::string& name(LinkId link) const { return rows_[link.index()].name; }
    [[nodiscard]] const UplinkSpec& uplink(LinkId link) const { return rows_[link.index()].uplink; }
    // Nobody named it: `auto` found it.
    [[nodiscard]] bool is_automatic(LinkId link) const { return rows_[link.index()].automatic; }
    // The interface that it was on last; empty: not known.
    [[nodiscard]] const std::string& interface_of(LinkId link) const { return rows_[link.index()].interface; }
    // What excludes that interface from `auto`, and no other: its MAC address, whatever it will be called, where it has
    // one of its own; else its name.
    [[nodiscard]] std::string lasting_pattern(const std::string& interface) const;
    [[nodiscard]] std::size_t left_out() const { return left_out_; }

private:
    // Each loss of an interface counts 1000, which halves each 15 s; the third within that time holds a link back, for
    // 7 to 25 s. After the route flap damping of RFC 2439, with its figures scaled from routes to modems; untuned.
    static constexpr std::int64_t flap_cost = 1000;
    static constexpr std::int64_t flap_limit = 2'500;
    static constexpr std::int64_t flap_release = 1'500;
    static constexpr std::int64_t flap_max = 5'000;
    static constexpr Duration flap_half_life{15'000'000'000};

    // What may leave by an interface, by family.
    struct Families {
        bool v4 = false;
        bool v6 = false;
        friend bool operator==(const Families&, const Families&) = default;
    };
    struct Row {
        Place place = Place::empty;
        bool automatic = false;
        bool added = false;       // the pump has it
        bool held = false;        // and was told to suspend it
        bool was_there = false;   // on an interface, since it was added or renewed: its absence is a loss
        bool connected = false;   // the receiver answers
        bool is_told = false;     // that it is waited for
        bool is_renamed = false;  // since the pump heard of it
        bool was_routed = false;  // that interface had a default route when it was added or renewed
        std::string name;
        UplinkSpec uplink;  // an interface's: its device, and the source's family as it is used
        std::string interface;
        std::string mac;                     // of it
        std::uint32_t index = 0;             // the kernel's number of it
        std::optional<Families> family_for;  // renewed for it: a pump that takes the old one again is let be
        std::optional<Endpoint> local;       // of the pump's socket
        std::int64_t flaps = 0;              // penalty at flapped_at
        Instant flapped_at;
    };
    struct Sight {
        Place place = Place::missing;
        const Interface* on = nullptr;
    };

    [[nodiscard]] Sight look(const Row& row) const;
    [[nodiscard]] bool is_automatic(const Interface& i) const;
    [[nodiscard]] std::string mac_of(const std::string& interface) const;
    [[nodiscard]] bool uses(const Interface& i, bool v4) const;
    [[nodiscard]] Endpoint source_on(const Interface& i) const;
    [[nodiscard]] std::int64_t penalty(const Row& row, Instant now) const;
    [[nodiscard]] Instant release(const Row& row) const;
    [[nodiscard]] bool any_other_connected(const Row& row) const;
    [[nodiscard]] bool has_lost_family(const Row& row, const Interface& on) const;
    [[nodiscard]] bool is_spoken_for(const Interface& i) const;
    [[nodiscard]] bool becomes_automatic(const Row& row) const;
    [[nodiscard]] const Interface* moved_to(const Row& row) const;
    void follow_modems(std::vector<Step>& out);
    void rename(Row& row, const std::string& name, std::vector<Step>& out);
    void settle_wishes(std::vector<Step>& out);
    void settle_automatic(std::vector<Step>& out);
    [[nodiscard]] const UplinkSpec* wish_for(const Row& row) const;
    [[nodiscard]] bool is_wanted(const Row& row) const;
    [[nodiscard]] bool is_known(const UplinkSpec& uplink) const;
    bool take_place(const UplinkSpec& uplink, const std::string& name, bool automatic, std::vector<Step>& out);
    void remove(Row& row, std::string text, std::vector<Step>& out);
    void come(Row& row, const Interface* on, Instant now, std::vector<Step>& out);
    void go(Row& row, Place place, Instant now, std::vector<Step>& out);
    [[nodiscard]] LinkId id(const Row& row) const { return LinkId(static_cast<std::uint8_t>(&row - rows_.data())); }

    std::vector<UplinkSpec> uplinks_;
    AutomaticUplinks automatic_;
    std::vector<Interface> interfaces_;
    bool sees_ = false;  // interfaces_ is the machine's word
    Reach reach_;
    std::array<Row, links_max> rows_;
    std::size_t left_out_ = 0;
};

// How the uplink of a place that is not empty is called, for rules.
[[nodiscard]] LinkWords words_of(const LinkPlan& plan, LinkId link);

// In words, for figures: "flapping".
[[nodiscard]] std::string_view name_of(LinkPlan::Place place);

}  // namespace hawser::control
