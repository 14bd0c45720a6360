// SPDX-License-Identifier: MIT
#include "platform/app/rpc/receiver_methods.h"

#include <algorithm>

#include "platform/app/receiver_figures.h"

namespace hawser::app {

namespace {

using rpc::Caller;
using rpc::Outcome;
using rpc::Params;
using rpc::Role;

Json status_of(const ReceiverSnapshot& s, const std::string& server) {
    const auto groups = s.groups();
    const auto has_session = [](const ReceiverGroupSnapshot& g) { return g.state == ReceiverGroupState::session; };
    const auto live = [](const ReceiverLinkSnapshot& l) { return l.live; };
    return Json{{"role", "receiver"},
                {"version", HAWSER_VERSION},
                {"server", server},
                {"groups", groups.size()},
                {"groups_max", s.groups_max},
                {"sessions", std::count_if(groups.begin(), groups.end(), has_session)},
                {"active_links", std::count_if(s.links().begin(), s.links().end(), live)},
                {"total_links", s.links().size()}};
}

}  // namespace

void add_receiver_methods(rpc::Methods& methods, std::function<const ReceiverSnapshot&()> figures,
                          std::function<std::string()> server) {
    methods.add({"get_status", Role::observe,
                 [figures, server = std::move(server)](const Params&, const Caller&) -> Outcome {
                     return status_of(figures(), server());
                 },
                 "what it serves, and how many groups and links there are"});
    methods.add({"get_stats", Role::observe,
                 [figures](const Params&, const Caller&) -> Outcome { return figures_of(figures()); },
                 "all figures, those of each group and link among them"});
    methods.add({"groups.list", Role::observe,
                 [figures](const Params&, const Caller&) -> Outcome {
                     Json groups = Json::array();
                     for (const ReceiverGroupSnapshot& g : figures().groups())
                         groups.push_back(Json{{"group", g.group.value},
                                               {"state", state_text(g.state)},
                                               {"links", g.link_count},
                                               {"age_ms", g.age.ms()}});
                     return Json{{"groups", std::move(groups)}};
                 },
                 "each sender's group, its state, and how many links it has"});
}

}  // namespace hawser::app
