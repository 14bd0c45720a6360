// SPDX-License-Identifier: MIT
// hawser doctor: for each uplink, whether packets to the receiver leave by it and come back, and what to do where not.
#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

#include "platform/app/commands/commands.h"
#include "platform/app/commands/config_option.h"
#include "platform/app/commands/options.h"
#include "platform/app/commands/service_options.h"
#include "platform/app/doctor/diagnosis.h"
#include "platform/app/doctor/facts.h"
#include "platform/app/doctor/lookups.h"
#include "platform/app/figures.h"
#include "platform/app/lookup_text.h"
#include "platform/app/plain_text.h"
#include "platform/app/sender_uplinks.h"
#include "platform/control/interface_patterns.h"
#include "platform/control/json_text.h"
#include "platform/control/links/link_policy.h"
#include "platform/control/links/name_servers.h"
#include "platform/control/resolver.h"
#include "platform/control/uplink_list.h"
#include "platform/linux/errno_text.h"
#include "platform/linux/sockaddr.h"

namespace hawser::app {

namespace {

struct Request {
    std::string host;
    std::uint16_t port = 0;
    std::string uplinks_file;
    std::vector<std::string> uplinks;
    control::AutomaticUplinks automatic = SenderRequest{}.automatic;
    control::LinkPolicies policies;  // their name servers alone
    bool json = false;
};

void say(const std::string& text) { std::fputs(text.c_str(), stdout); }

int give_up(const std::string& text) {
    std::fprintf(stderr, "hawser doctor: %s\n", text.c_str());
    return exit_failed;
}

// What the line leaves open the file says. The error is a sentence.
Result<Unit, std::string> read_file(Request& r, const std::string& file) {
    auto config = read_config(file);
    if (!config) return Failure{config.error()};
    if (!config->sender) return Failure{file + ": it has no [sender]"};
    const SenderRequest& sender = *config->sender;
    if (r.host.empty()) r.host = sender.receiver_host;
    if (r.port == 0) r.port = sender.receiver_port;
    if (r.automatic.include.empty()) r.automatic.include = sender.automatic.include;
    if (r.automatic.exclude == SenderRequest{}.automatic.exclude) r.automatic.exclude = sender.automatic.exclude;
    const auto& rules = sender.policies.rules;
    r.policies.rules.insert(r.policies.rules.end(), rules.begin(), rules.end());
    if (!r.uplinks_file.empty() || !r.uplinks.empty()) return Unit{};
    r.uplinks = sender.uplinks;
    r.uplinks_file = sender.uplinks_file;
    return Unit{};
}

Result<std::vector<UplinkSpec>, std::string> read_uplinks(const Request& r,
                                                          const std::vector<control::Interface>& interfaces) {
    SenderRequest asked;
    asked.uplinks_file = r.uplinks_file;
    asked.uplinks = r.uplinks;
    if (asked.uplinks_file.empty() && asked.uplinks.empty()) asked.uplinks = {"auto"};
    auto list = wanted_uplinks(asked, {});
    if (!list) return Failure{list.error()};
    for (const std::string& complaint : list->complaints)
        std::fprintf(stderr, "%s: %s\n", r.uplinks_file.c_str(), complaint.c_str());
    // One without a default route too: the route may be what is missing.
    for (const control::Interface& i : interfaces) {
        if (!list->automatic || i.is_loopback || !i.is_up || !(i.has_address(true) || i.has_address(false)) ||
            !may_be_automatic(r.automatic, i.name, i.mac))
            continue;
        std::string complaint;
        static_cast<void>(control::add_uplink(*list, i.name, control::UplinkForms::all, complaint));
        if (!complaint.empty())
            std::fprintf(stderr, "hawser doctor: %s is not looked at: %s\n", printable(i.name).c_str(),
                         printable(complaint).c_str());
    }
    if (list->uplinks.empty()) return Failure{std::string("there are no uplinks to look at")};
    return list->uplinks;
}

Json json_of(const UplinkFacts& f, const Diagnosis& d) {
    const auto& trip = f.egress.round_trip;
    return Json{{"uplink", f.name},
                {"ok", d.ailment == Ailment::none},
                {"ailment", name_of(d.ailment)},
                {"interface", d.interface},
                {"receiver", os::endpoint_text(f.receiver)},
                {"round_trip_us", trip ? Json(trip->us()) : Json(nullptr)},
                {"seen_leaving", f.can_see},
                {"text", d.text},
                {"commands", d.commands}};
}

}  // namespace

int command_doctor(int argc, char** argv) {
    Request r;
    cli::App app("Looks at each uplink: whether packets to the receiver leave by it and come back.", "hawser doctor");
    std::string config;
    app.add_option("SRTLA_HOST", r.host, "the receiver's name or address");
    app.add_option("SRTLA_PORT", r.port, "the receiver's UDP port")->check(port_number());
    app.add_option("UPLINKS_FILE", r.uplinks_file, "as of hawser send; without it and --uplink, auto");
    add_config_option(app, config);
    app.add_option("-u,--uplink", r.uplinks, "an uplink, as of hawser send; may be repeated")->type_name("UPLINK");
    add_automatic_options(app, r.automatic);
    add_link_rules(app, r.policies, "as of hawser send; of a rule dns=SERVER alone counts");
    app.add_flag("--json", r.json, "one line of JSON");
    app.footer(
        "Sends a few registrations of no group, which a receiver answers and forgets. Changes nothing: the commands "
        "it\n"
        "prints are the operator's to run. With CAP_NET_RAW it sees by which interface packets leave, else it goes by\n"
        "the kernel's word. A receiver's name is asked of the system's resolver, and through each uplink of the name\n"
        "servers that its rule says, else of those that the system knows. Exit code 0: every uplink was answered by "
        "the\n"
        "receiver.");
    if (const auto code = app.parse(argc, argv, exit_usage)) return *code;
    if (config.empty() && r.host.empty() && ::access(usual_config_file, F_OK) == 0) config = usual_config_file;
    if (!config.empty())
        if (const auto read = read_file(r, config); !read) return give_up(read.error());
    if (r.host.empty()) return fail_usage("hawser doctor", "SRTLA_HOST");
    if (r.port == 0) return fail_usage("hawser doctor", "SRTLA_PORT");

    auto table = control::InterfaceTable::open();
    if (!table) return give_up("the kernel tells nothing of its interfaces: " + os::errno_text(table.error()));
    const auto uplinks = read_uplinks(r, table->all());
    if (!uplinks) return give_up(uplinks.error());
    const Lookups lookups = look_up(r.host, r.port, *uplinks, table->all(), r.policies);
    if (!lookups.chosen.is_good()) return give_up("cannot resolve " + r.host + ": " + failure_text(lookups));
    if (!r.json && lookups.chosen.by)
        say(fmt::format("{} (the system's resolver: {})\n", found_text(lookups.chosen), lookups.system_error));

    bool all_ok = true;
    Json json = Json::array();
    const std::vector<UplinkFacts> facts = gather(*uplinks, lookups.chosen.resolved, table->all());
    for (std::size_t i = 0; i < facts.size(); ++i) {
        const UplinkFacts& f = facts[i];
        const Diagnosis d = diagnose(f, table->all());
        all_ok = all_ok && d.ailment == Ailment::none;
        json.push_back(json_of(f, d));
        if (i < lookups.by_link.size()) json.back()["names"] = names_json(lookups.by_link[i]);
        if (r.json) continue;
        say(fmt::format("{:<24} {} {}: {}\n", f.name, d.ailment == Ailment::none ? "ok " : "BAD",
                        os::endpoint_text(f.receiver), printable(d.text)));
        if (i < lookups.by_link.size()) say("    " + names_text(lookups.by_link[i]) + "\n");
        for (const std::string& command : d.commands) say("    " + command + "\n");
    }
    const auto& by = lookups.chosen.by;
    if (r.json)
        say(control::text_of(Json{{"uplinks", json}, {"found_by_uplink", by ? Json(by->link) : Json(nullptr)}}) + "\n");
    return all_ok ? exit_ok : exit_failed;
}

}  // namespace hawser::app
