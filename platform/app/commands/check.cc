// SPDX-License-Identifier: MIT
// hawser check: a configuration file looked through, and what would run with it. Changes nothing, sends nothing.
#include <fmt/format.h>

#include "platform/app/commands/commands.h"
#include "platform/app/commands/options.h"
#include "platform/app/config/config_file.h"
#include "platform/app/config/obstacle.h"
#include "platform/app/config/receiver_keys.h"
#include "platform/app/config/sender_keys.h"
#include "platform/app/config/verify.h"
#include "platform/app/sender_uplinks.h"
#include "platform/control/links/interface_table.h"
#include "platform/control/links/link_plan.h"
#include "platform/control/quantity.h"
#include "platform/linux/sockaddr.h"

namespace hawser::app {

namespace {

using control::LinkPlan;

void print(const std::string& text) { std::fputs(text.c_str(), stdout); }

std::string servers_text(const std::vector<Endpoint>& servers) {
    std::string out;
    for (const Endpoint& server : servers) out += (out.empty() ? "" : " ") + control::name_server_text(server);
    return out.empty() ? "nobody (no name server is known)" : out;
}

// The uplinks that the machine has now, and those that would be waited for. As comments: the rest is a file.
void print_uplinks(const SenderRequest& request) {
    const auto list = wanted_uplinks(request, {});
    const auto table = control::InterfaceTable::open();
    if (!list || !table) return;
    control::AutomaticUplinks automatic = request.automatic;
    automatic.wanted = list->automatic;
    LinkPlan plan;
    plan.want(list->uplinks, automatic);
    plan.see(table->all());
    plan.reach({true, true});
    static_cast<void>(plan.steps(Instant{}));
    // Nobody is asked for an address.
    const bool asks_links =
        request.lookups != control::NameLookup::By::system && !os::parse_address(request.receiver_host);
    const std::vector<Endpoint> usual = control::system_name_servers();
    std::string out;
    for (std::size_t i = 0; i < links_max; ++i) {
        const LinkId link(static_cast<std::uint8_t>(i));
        if (plan.place(link) == LinkPlan::Place::empty) continue;
        const control::LinkPolicy& policy = request.policies.of(control::words_of(plan, link));
        out +=
            fmt::format("#   {:<24} {}, priority {}{}{}{}\n", plan.name(link), name_of(plan.place(link)),
                        policy.priority, policy.rate_cap > 0 ? ", at most " + control::rate_text(policy.rate_cap) : "",
                        policy.budget_bytes > 0 ? ", " + control::amount_text(policy.budget_bytes) + " a month" : "",
                        asks_links ? ", names from " + servers_text(policy.dns.empty() ? usual : policy.dns) : "");
    }
    print(out.empty() ? "\n# There is no such uplink now.\n" : "\n# Its uplinks, as this machine is now:\n" + out);
}

// The first that is a fault; empty: none is. What may be none for the service is worth a word.
std::string first_fault(const std::vector<Obstacle>& obstacles, const char* hope) {
    for (const Obstacle& o : obstacles) {
        if (!o.may_pass) return o.text;
        std::fprintf(stderr, "hawser check: note: %s (%s)\n", o.text.c_str(), hope);
    }
    return {};
}

// What keeps it from running here and now, if anything does.
template <class Request>
std::string look_for_obstacles(const Request& request) {
    std::string fault = first_fault(obstacles_to(request), "systemd makes the units' folders at the start");
    return fault.empty() ? first_fault(port_obstacles_to(request, nullptr), "hawser itself, if it runs already")
                         : fault;
}

}  // namespace

int command_check(int argc, char** argv) {
    std::string file = usual_config_file;
    bool sample = false;
    cli::App app("Looks a configuration file through and prints what would run with it.", "hawser check");
    app.add_option("-c,--config", file, fmt::format("the file (default {})", usual_config_file))->type_name("FILE");
    app.add_flag("--sample", sample, "instead prints a file with every key, what it means and its default");
    app.footer("Exit code 0: hawser send and recv would take it. 1: they would not; the file, line and key are told.");
    if (const auto code = app.parse(argc, argv, exit_usage)) return *code;
    if (sample) {
        print(sample_config());
        return exit_ok;
    }
    auto config = read_config(file);
    std::string complaint = config ? std::string() : config.error();
    const auto look = [&](const auto& request) {
        if (!request || !complaint.empty()) return;
        complaint = complaint_of(*request);
        if (complaint.empty()) complaint = look_for_obstacles(*request);
        if (!complaint.empty() && complaint.find(file) == std::string::npos) complaint = file + ": " + complaint;
    };
    if (config) {
        look(config->sender);
        look(config->receiver);
    }
    if (!complaint.empty()) {
        std::fprintf(stderr, "hawser check: %s\n", complaint.c_str());
        return exit_failed;
    }
    print(fmt::format("# {} is good. With the defaults it says:\n\n", file));
    if (config->sender) {
        print(config_text(sender_section(*config->sender)));
        print_uplinks(*config->sender);
    }
    if (config->sender && config->receiver) print("\n");
    if (config->receiver) print(config_text(receiver_section(*config->receiver)));
    return exit_ok;
}

}  // namespace hawser::app
